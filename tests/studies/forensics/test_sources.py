"""Which pictures there are: paths, sums, where they are looked for, and what is refused."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roa_helpers import data, studies
from roa_helpers.errors import UserError
from roa_helpers.studies.forensics import choices, compute, sources
from roa_helpers.studies.supplement import reference


def test_every_picture_of_every_pair_is_declared_once():
    files = sources.authors()
    numbers = range(10)
    wanted = {sources.path_of(one, kind, k) for one in sources.SETS for kind in sources.OF_CLASS for k in numbers}
    wanted |= {sources.path_of(one, kind, a, b) for one in sources.SETS for kind in sources.OF_PAIR
               for a in numbers for b in numbers if a != b}  # fmt: skip
    assert set(sources.sums()) == wanted and len(files.downloads) == len(wanted) == 870
    csv = next(iter(reference.FILES.values()))
    for file in files.downloads:
        path = file.to.removeprefix(f"{reference.FOLDER}/")
        assert file.url.startswith(csv.url.partition("/MNIST")[0] + "/") and sources.COMMIT in file.url
        assert file.url.endswith(path.replace(" ", "%20")) and " " not in file.url
        assert len(bytes.fromhex(file.sha256)) == 32 and file.size > 500


def test_the_registry_knows_the_study_and_its_files():
    study = studies.find("forensics")
    assert study.files() == (sources.authors(),) and study.units("quick") == ()
    assert [one.dataset for one in study.units("desk")] == list(sources.SETS)
    assert not study.pair


def test_missing_pictures_say_how_to_fetch_them(tmp_path):
    with pytest.raises(UserError, match="not at hand\n  looked in (?s:.)*reference(?s:.)*data fetch roi-roa-pictures"):
        sources.place_for("mnist", tmp_path / "data")


@pytest.mark.parametrize(
    ("dataset", "message"), (("malaria", "cropped screenshots"), ("faces", "no pictures of 'faces'"))
)
def test_other_data_sets_are_refused(tmp_path, dataset, message):
    with pytest.raises(UserError, match=f"{message}(?s:.)*choose one of: mnist, fashion-mnist, cifar10"):
        compute.load(choices.Forensics(dataset=dataset), root=tmp_path, progress=False)


@pytest.fixture
def root(of, tmp_path, monkeypatch):
    """A data folder with pictures of three classes, and a registry that expects them."""
    made, files = of.maps(side=48), []
    for kind in (*sources.OF_CLASS, *sources.OF_PAIR):
        keys = [(k,) for k in range(3)] if kind in sources.OF_CLASS else made["pairs"]
        for key, array in zip(keys, made[kind], strict=True):
            raw, to = of.drawn(array), f"{reference.FOLDER}/{sources.path_of('mnist', kind, *key)}"
            path = tmp_path / "data" / to
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
            files.append(data.Download("http://nowhere", len(raw), hashlib.sha256(raw).hexdigest(), to))
    expected = replace(sources.authors(), downloads=tuple(files))
    monkeypatch.setattr(sources, "authors", lambda: expected)
    monkeypatch.setattr(compute, "KNOWN", {"mnist": replace(data.KNOWN["mnist"], classes=of.classes)})
    rows = [("mnist", of.classes[a], of.classes[b], a / 10, b / 10, 0.9) for a, b in reversed(made["pairs"])]
    table = pd.DataFrame(rows, columns=["dataset", "source", "target", "min", "mean", "max"])
    found = reference.Reference(table, pd.DataFrame(), pd.DataFrame())
    monkeypatch.setattr(reference, "load", lambda root=None: found)
    return tmp_path / "data"


def test_pictures_are_loaded_in_the_order_of_the_pairs(root, of):
    made, found = of.maps(side=48), compute.load(of.choices, root=root, progress=False)
    assert found.pairs == made["pairs"] and found.classes == of.classes
    for kind in (*sources.OF_CLASS, *sources.OF_PAIR):
        assert np.array_equal(getattr(found, kind), made[kind])
    assert found.authors.values.tolist() == [[a / 10, b / 10, 0.9] for a, b in found.pairs]
    assert sum(found.provenance["counts"]["pictures"].values()) == 24 and found.provenance["unreadable"]["count"] == 0


def test_the_fingerprint_is_that_of_the_files(root, of, monkeypatch):
    first = compute.load(of.choices, root=root, progress=False).fingerprint
    assert len(first) == 64 and compute.load(of.choices, root=root, progress=False).fingerprint == first
    sums = sources.sums()
    path = next(iter(sums))
    raw = of.drawn(np.zeros((48, 48, 3)))
    (root / reference.FOLDER / path).write_bytes(raw)
    with pytest.raises(UserError, match=f"{Path(path).name} is not the picture(?s:.)*data fetch roi-roa-pictures"):
        compute.load(of.choices, root=root, progress=False)
    monkeypatch.setattr(sources, "sums", lambda: sums | {path: hashlib.sha256(raw).hexdigest()})
    assert compute.load(of.choices, root=root, progress=False).fingerprint != first


def test_without_the_csv_files_nothing_is_computed(root, of, monkeypatch):
    monkeypatch.setattr(reference, "load", lambda root=None: None)
    with pytest.raises(UserError, match="CSV files are not at hand\n  mend it: (?s:.)*data fetch roi-roa-supplement"):
        compute.load(of.choices, root=root, progress=False)


def test_an_unreadable_picture_is_named(root, of, monkeypatch):
    path = sources.path_of("mnist", "blob", 1, 2)
    raw = of.drawn(np.zeros((20, 48, 3)))
    (root / reference.FOLDER / path).write_bytes(raw)
    sums = sources.sums() | {path: hashlib.sha256(raw).hexdigest()}
    monkeypatch.setattr(sources, "sums", lambda: sums)
    with pytest.raises(UserError, match="blob_roa_fr1.0_to2.0.png has no frame"):
        compute.load(of.choices, root=root, progress=False)
