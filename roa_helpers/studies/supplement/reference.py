"""What the paper's authors published beside it: the CSV files of their supplement, checked and read. Needs no torch.

The files are theirs and are not part of this repository; ``python -m roa_helpers data fetch roi-roa-supplement``
downloads them. Nothing else depends on them.
"""

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from ...data import KNOWN, Download, Files
from ...errors import UserError

NAME, FOLDER = "roi-roa-supplement", "roi_roa_supplement"
REPOSITORY = "frusdelion/demystifying-adversarial-attacks"
_COMMIT = "0a04e282ab162ae6a3ea306c32d3337435d8ac1e"
_MALARIA_5, _MALARIA_6 = "629bf2b2f6a9d83a59e7dbba792b0cc40e51fbf8", "e2392f063e9db7c53f05806fced1f86904c65862"
_INDIVIDUAL, _REPRESENTATIVE = "5. ROI_ROA_INDIV", "6. ROI_ROA_REP"
_CLASS, _ATTACK = "8. ORIG_ALTERED_CLASS", "9. ORIG_ALTERED_ATTACK"
STATISTICS = ["min", "max", "mean", "median", "sd"]


def _file(path, size, sha256, commit=_COMMIT):
    url = f"https://raw.githubusercontent.com/{REPOSITORY}/{commit}/{quote(path)}"
    return Download(url, size, sha256, f"{FOLDER}/{path}")


#: The authors' files by data set and folder.
FILES = {
    ("mnist", _INDIVIDUAL): _file(
        "MNIST/5. ROI_ROA_INDIV/distribution_individual_mnist.csv", 10_248,
        "0d8c040274c3755e9c3c50e368fe4651de5cd41dc2d2d84504d0b7ed283fea42"),
    ("mnist", _REPRESENTATIVE): _file(
        "MNIST/6. ROI_ROA_REP/distribution_representative_mnist.csv", 3_295,
        "e0423785997ad713230fa67eaf789e292743f1ed12d63c6bc640c5ce3612ce16"),
    ("mnist", _CLASS): _file(
        "MNIST/8. ORIG_ALTERED_CLASS/orig_altered_class_mnist.csv", 201_141,
        "a8cb85854560df43ee2db21fb72e27332f4a2ea1a2475a4311a16acb3b615554"),
    ("mnist", _ATTACK): _file(
        "MNIST/9. ORIG_ALTERED_ATTACK/orig_altered_attack_mnist.csv", 9_913,
        "40625b999dcddaff708cc637040f1f3ebcbf7c34df0dff1b07a683b9cfef69cb"),
    ("fashion-mnist", _INDIVIDUAL): _file(
        "FASHION_MNIST/5. ROI_ROA_INDIV/distribution_individual_fashion_mnist.csv", 10_957,
        "86dc0436a6fb125f8496c6f09400fe35cfe39ae2e50f9742ba8c0892f2ad48a5"),
    ("fashion-mnist", _REPRESENTATIVE): _file(
        "FASHION_MNIST/6. ROI_ROA_REP/distribution_representative_fashion_mnist.csv", 4_002,
        "f53690475b0ea6154efde56d9c07e7b71e235f2e22c776347dad6d19fdd82332"),
    ("fashion-mnist", _CLASS): _file(
        "FASHION_MNIST/8. ORIG_ALTERED_CLASS/orig_altered_class_fashion_mnist.csv", 206_648,
        "279905cf9d980200e21fa08c1a4d58ccd8880df0e81cc49afb3de7fd460c378b"),
    ("fashion-mnist", _ATTACK): _file(
        "FASHION_MNIST/9. ORIG_ALTERED_ATTACK/orig_altered_attack_fashion_mnist.csv", 12_175,
        "6085147a48561fb41c27bf6fd5669f1081f4fd82329636377db6e7d4a987249d"),
    ("cifar10", _INDIVIDUAL): _file(
        "CIFAR10/5. ROI_ROA_INDIV/distribution_individual_cifar10.csv", 10_314,
        "02d62f2ef3279abd522c2a6376ddb74a81ab66292f8a463b9450e7c388f9a692"),
    ("cifar10", _REPRESENTATIVE): _file(
        "CIFAR10/6. ROI_ROA_REP/distribution_representative_cifar10.csv", 3_488,
        "48ddfdbf4eac3a03b364d4831b6c436ea9551ab8ca6f772187b19de61c6d8bd0"),
    ("cifar10", _CLASS): _file(
        "CIFAR10/8. ORIG_ALTERED_CLASS/orig_altered_class_cifar10.csv", 208_082,
        "f6fb2c2e302aee667273b71ca6e45fe797ff119ade445fe8243c14dfbf8f1786"),
    ("cifar10", _ATTACK): _file(
        "CIFAR10/9. ORIG_ALTERED_ATTACK/orig_altered_attack_cifar10.csv", 39_962,
        "308d6f320dc2495abc16f9cfbcd572e71d1b3065f12893f9039ceb7ccfc61b90"),
    ("malaria", _INDIVIDUAL): _file(
        "MALARIA/5. ROI_ROA_INDIV/distrubution_individual_malaria.csv", 182,
        "a4135badb0f46abef6b2c4a49c44bdce70f7dc765e96662842fbaa8ed91dc83d", _MALARIA_5),
    ("malaria", _REPRESENTATIVE): _file(
        "MALARIA/6. ROI_ROA_REP/distribution_representative_malaria.csv", 94,
        "96ba0f4cbbc4975eed6192295d8c667337b629dda8e157316a13967153d132a6", _MALARIA_6),
}  # fmt: skip

#: The same as one thing that can be fetched and found.
AUTHORS = Files(NAME, "the authors' files", FOLDER, tuple(FILES.values()))


@dataclass(frozen=True)
class Reference:
    """The authors' numbers.

    Attributes:
        similarity: a row an ordered pair: dataset, source, target, min, max, mean, median, sd of the SSIM of RoI and
            RoA of individual images (Malaria gives no sd), and that of the representatives.
        scores: a row for each ordered pair, θ and score (clean, mod, adv, mod_adv): dataset, source, target, theta,
            score, min, max, mean, median, sd of the class probability.
        files: a row a file: dataset, file, pairs, rows, named (numeric columns with a name) and given (with a number).
    """

    similarity: pd.DataFrame
    scores: pd.DataFrame
    files: pd.DataFrame


def load(root=None):
    """The authors' numbers, or None if their files are not at hand.

    Raises:
        UserError: a file that is not the published one.
    """
    place = AUTHORS.find(root)
    if place is None:
        return None
    tables, inventory = {}, []
    for (dataset, folder), file in FILES.items():
        path = place / Path(file.to).relative_to(FOLDER)
        header, rows = _checked(path, file.sha256)
        tables[dataset, folder] = _parsed(folder, header, rows, path=path).assign(dataset=dataset)
        pairs = tables[dataset, folder][["source", "target"]].drop_duplicates()
        inventory.append(
            {"dataset": dataset, "file": file.to, "pairs": len(pairs), "rows": len(rows),
             "named": len(header) - 3, "given": len(rows[0]) - 3}
        )  # fmt: skip
    sets = dict.fromkeys(dataset for dataset, _ in FILES)
    similarity = [
        tables[one, _INDIVIDUAL].merge(tables[one, _REPRESENTATIVE], on=["dataset", "source", "target"], how="outer")
        for one in sets
    ]
    scores = [table for (_, folder), table in tables.items() if folder in (_CLASS, _ATTACK)]
    return Reference(_named(pd.concat(similarity)), _named(pd.concat(scores)), pd.DataFrame(inventory))


def _checked(path, sha256):
    """(header, rows of texts) of a CSV file whose bytes are the published ones."""
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise UserError(
            f"{path} is not the file that the authors published: SHA-256 {found} instead of {sha256}\n"
            f"  delete it and run: python -m roa_helpers data fetch {NAME}"
        )
    return rows_of(raw, path=path)


def rows_of(raw, *, path):
    """(header, rows) of the bytes of a CSV file, as lists of texts.

    Raises:
        UserError: no rows, or rows of unequal length.
    """
    header, *rows = [row for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"))) if row] or [[]]
    if not rows or len({len(row) for row in rows}) != 1:
        raise UserError(f"{path} cannot be read: it has no rows, or rows of unequal length")
    return header, rows


def _parsed(folder, header, rows, *, path):
    read = {_INDIVIDUAL: individual, _REPRESENTATIVE: representative}.get(folder, probabilities)
    try:
        return read(header, rows)
    except (ValueError, IndexError) as error:
        raise UserError(f"{path} does not have the columns of the published file: {error}") from error


def individual(header, rows):
    """SSIM of individuals: the k-th number of a row is the k-th of :data:`STATISTICS`, whatever the header names.

    Three of the files have five numbers under the four names min, max, median, stddev: the third number is the mean.

    Raises:
        ValueError: another header, fewer than four or more than five numbers.
    """
    if header != ["dataset", "left_side", "right_side", "min", "max", "median", "stddev"]:
        raise ValueError(f"unexpected header {', '.join(header)}")
    count = len(rows[0]) - 3
    if count not in (4, 5):
        raise ValueError(f"{count} numbers in a row instead of four or five")
    table = pd.DataFrame([map(float, row[3:]) for row in rows], columns=STATISTICS[:count])
    return _pairs(rows).join(table.reindex(columns=STATISTICS))


def representative(header, rows):
    """SSIM of representatives: one number a pair.

    Raises:
        ValueError: another header.
    """
    if header != ["dataset", "left_side", "right_side", "ssim"]:
        raise ValueError(f"unexpected header {', '.join(header)}")
    return _pairs(rows).assign(representative=[float(row[3]) for row in rows])


#: Prefixes of the columns of class probabilities, and our names of the scores.
_PREFIXES = {"clean": "clean", "modified_clean": "mod", "adversarial": "adv", "advmod": "mod_adv"}
_SUFFIXES = dict(zip(STATISTICS, ("min", "max", "mean", "median", "stddev"), strict=True))


def probabilities(header, rows):
    """Class probabilities: a row for each row of the file and each score in it; θ rounded to two decimals.

    Raises:
        ValueError: another header.
    """
    if header[:4] != ["dataset", "left_side", "right_side", "threshold_value"]:
        raise ValueError(f"unexpected header {', '.join(header)}")
    wanted = {p: [f"{p}_{suffix}" for suffix in _SUFFIXES.values()] for p in _PREFIXES}
    held = [prefix for prefix, names in wanted.items() if set(names) <= set(header)]
    if sorted(header[4:]) != sorted(name for prefix in held for name in wanted[prefix]):
        raise ValueError(f"unexpected header {', '.join(header)}")
    theta = [round(float(row[3]), 2) for row in rows]
    parts = []
    for prefix in held:
        columns = {s: [float(row[header.index(f"{prefix}_{name}")]) for row in rows] for s, name in _SUFFIXES.items()}
        parts.append(_pairs(rows).assign(theta=theta, score=_PREFIXES[prefix], **columns))
    return pd.concat(parts, ignore_index=True)


def _pairs(rows):
    return pd.DataFrame({"source": [int(float(r[1])) for r in rows], "target": [int(float(r[2])) for r in rows]})


def _named(table):
    """Class numbers replaced by class names; the key columns first."""
    names = {(one, k): name for one in table.dataset.unique() for k, name in enumerate(KNOWN[one].classes)}
    for side in ("source", "target"):
        table[side] = [names[key] for key in zip(table.dataset, table[side], strict=True)]
    keys = [name for name in ("dataset", "source", "target", "theta", "score") if name in table]
    return table[keys + [name for name in table if name not in keys]].reset_index(drop=True)
