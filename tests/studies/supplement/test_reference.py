"""The authors' files, the matrices and what is read from them: on made-up files of the published layout."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps
from scipy import stats

from roa_helpers import data
from roa_helpers.data import downloads
from roa_helpers.errors import UserError
from roa_helpers.page import tables
from roa_helpers.records import store
from roa_helpers.studies.supplement import agreement, answers, choices, matrices, presented, reference, spread, words

HEAD = "dataset,left_side,right_side,"
FIVE = HEAD + "min,max,median,stddev\n"
STATISTICS = ("min", "max", "mean", "median", "stddev")
CLASS = HEAD + "threshold_value," + ",".join(f"{p}_{s}" for p in ("clean", "modified_clean") for s in STATISTICS) + "\n"
ATTACK = HEAD + "threshold_value," + ",".join(f"{p}_{s}" for p in ("adversarial", "advmod") for s in STATISTICS) + "\n"
TEXTS = {
    ("mnist", "5. ROI_ROA_INDIV"): FIVE + "mnist,0.0,1.0,.1,.5,.21786,.2,.05\nmnist,1.0,0.0,.1,.6,.3,.31,.1\n",
    ("mnist", "6. ROI_ROA_REP"): HEAD + "ssim\nmnist,0.0,1.0,0.00396\nmnist,1.0,0.0,-1e-4\n",
    ("mnist", "8. ORIG_ALTERED_CLASS"): CLASS
    + "mnist,0.0,1.0,0.1,.9,1,.95,.96,.01,.1,.9,.4,.3,.2\n"
    + "mnist,0.0,1.0,0.13999999999999999,.9,1,.95,.96,.01,.2,1,.8,.7,.2\n"
    + "mnist,1.0,0.0,0.1,.5,1,.8,.8,.2,0,.4,.1,.1,.1\nmnist,1.0,0.0,0.13999999999999999,.5,1,.8,.8,.2,0,.3,.2,.1,.1\n",
    ("mnist", "9. ORIG_ALTERED_ATTACK"): ATTACK + "mnist,1.0,0.0,0.13999999999999999,0,1,.5,.5,.3,0,1,.25,.2,.3\n",
    ("malaria", "5. ROI_ROA_INDIV"): "\ufeff" + (FIVE + "malaria,0.0,1.0,.1,.5,.3,.4").replace("\n", "\r\n"),
    ("malaria", "6. ROI_ROA_REP"): HEAD + "ssim\nmalaria,0.0,1.0,0.0842",
}  # fmt: skip


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data folder with made-up files, and a registry that expects them."""
    files = {}
    for (dataset, folder), text in TEXTS.items():
        raw, to = text.encode(), f"{reference.FOLDER}/{dataset.upper()}/{folder}/some.csv"
        path = tmp_path / "data" / to
        path.parent.mkdir(parents=True)
        path.write_bytes(raw)
        files[dataset, folder] = data.Download("http://nowhere", len(raw), hashlib.sha256(raw).hexdigest(), to)
    monkeypatch.setattr(reference, "FILES", files)
    monkeypatch.setattr(reference, "AUTHORS", replace(reference.AUTHORS, downloads=tuple(files.values())))
    return tmp_path / "data"


def rows(table):
    return table.values.tolist()


def test_files_are_read_exactly(root):
    found = reference.load(root)
    names = ["dataset", "source", "target", "min", "max", "mean", "median", "sd", "representative"]
    assert list(found.similarity) == names
    first, second, third = rows(found.similarity)
    assert first == ["mnist", "0", "1", 0.1, 0.5, 0.21786, 0.2, 0.05, 0.00396]
    assert second == ["mnist", "1", "0", 0.1, 0.6, 0.3, 0.31, 0.1, -0.0001]
    assert third[:7] == ["malaria", "Parasitized", "Uninfected", 0.1, 0.5, 0.3, 0.4] and np.isnan(third[7])
    assert third[8] == 0.0842
    scores = found.scores
    assert list(scores) == ["dataset", "source", "target", "theta", "score", "min", "max", "mean", "median", "sd"]
    assert scores.score.value_counts().to_dict() == {"clean": 4, "mod": 4, "adv": 1, "mod_adv": 1}
    assert rows(scores[(scores.score == "mod") & (scores.source == "0")]) == [
        ["mnist", "0", "1", 0.1, "mod", 0.1, 0.9, 0.4, 0.3, 0.2],
        ["mnist", "0", "1", 0.14, "mod", 0.2, 1.0, 0.8, 0.7, 0.2],
    ]
    assert rows(scores[scores.score == "adv"]) == [["mnist", "1", "0", 0.14, "adv", 0.0, 1.0, 0.5, 0.5, 0.3]]
    counts = found.files.set_index(["dataset", "file"])[["pairs", "rows", "named", "given"]]
    assert rows(counts) == [
        [2, 2, 4, 5], [2, 2, 1, 1], [2, 4, 11, 11], [1, 1, 11, 11], [1, 1, 4, 4], [1, 1, 1, 1]
    ]  # fmt: skip


def test_the_folder_beside_the_data_will_do(root):
    beside = root.parent / "reference"
    beside.mkdir()
    (root / reference.FOLDER).rename(beside / reference.FOLDER)
    assert reference.AUTHORS.find(root) == beside / reference.FOLDER
    assert len(reference.load(root).similarity) == 3


def test_without_the_files_there_is_a_notice_and_no_error(root):
    next((root / reference.FOLDER).rglob("*.csv")).unlink()
    assert reference.AUTHORS.find(root) is None and reference.load(root) is None
    assert "data fetch roi-roa-supplement` downloads the 6 files (1 kB)" in words.notice()


def test_a_changed_file_is_refused(root):
    path = next((root / reference.FOLDER).rglob("*.csv"))
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(UserError, match=r"not the file that the authors published: SHA-256 (?s:.)*data fetch"):
        reference.load(root)


@pytest.mark.parametrize(
    ("key", "text", "message"),
    (
        (("mnist", "5. ROI_ROA_INDIV"), FIVE, "no rows"),
        (("mnist", "5. ROI_ROA_INDIV"), "", "no rows"),
        (("mnist", "5. ROI_ROA_INDIV"), FIVE + "mnist,0,1,1,2,3\n", "3 numbers"),
        (("mnist", "5. ROI_ROA_INDIV"), FIVE + "mnist,0,1,1,2,3,4\nmnist,1,0,1,2,3,4,5\n", "unequal length"),
        (("mnist", "5. ROI_ROA_INDIV"), FIVE.replace("median", "mean") + "mnist,0,1,1,2,3,4\n", "unexpected header"),
        (("mnist", "6. ROI_ROA_REP"), FIVE + "mnist,0,1,1,2,3,4\n", "unexpected header"),
        (("mnist", "6. ROI_ROA_REP"), HEAD + "ssim\nmnist,0,1,much\n", "could not convert"),
        (("mnist", "8. ORIG_ALTERED_CLASS"), HEAD + "theta\nmnist,0,1,.1\n", "unexpected header"),
        (("mnist", "8. ORIG_ALTERED_CLASS"), CLASS.replace("clean_max", "x") + "m" + ",1" * 13, "unexpected header"),
    ),
)
def test_another_layout_is_refused(root, monkeypatch, key, text, message):
    path = root / reference.FILES[key].to
    path.write_text(text)
    changed = data.Download("", 1, hashlib.sha256(text.encode()).hexdigest(), reference.FILES[key].to)
    monkeypatch.setitem(reference.FILES, key, changed)
    with pytest.raises(UserError, match=message) as error:
        reference.load(root)
    assert str(path) in str(error.value)


def test_the_registry_points_at_commits_and_is_fetched_like_a_data_set(tmp_path, monkeypatch):
    for file in reference.FILES.values():
        host, commit, path = file.url.split("demystifying-adversarial-attacks")[0], *file.url.split("/", 6)[5:]
        assert host == "https://raw.githubusercontent.com/frusdelion/" and len(bytes.fromhex(commit)) == 20
        assert len(bytes.fromhex(file.sha256)) == 32 and " " not in path
        assert file.to == f"{reference.FOLDER}/{path.replace('%20', ' ')}"
    assert len({file.sha256 for file in reference.FILES.values()}) == len(reference.FILES) == 14
    fetched = []
    monkeypatch.setattr(downloads, "download", lambda file, root, progress: fetched.append(file) or root / file.to)
    places = data.fetch(reference.NAME, tmp_path, others={reference.NAME: reference.AUTHORS.downloads})
    assert fetched == list(reference.FILES.values()) and places[0] == tmp_path / fetched[0].to


def test_what_is_kept_is_ranked_within_a_data_set(root):
    table = presented.kept(reference.load(root).scores).set_index(["source", "target"])
    assert table.best.to_dict() == {("0", "1"): 0.8, ("1", "0"): 0.2}
    assert table.worst.to_dict() == {("0", "1"): 0.4, ("1", "0"): 0.1}
    assert table.largest.to_dict() == {("0", "1"): 1.0, ("1", "0"): 0.4}
    assert table.kept.to_dict() == pytest.approx({("0", "1"): 0.8 / 0.95, ("1", "0"): 0.25})
    assert table["rank"].to_dict() == {("0", "1"): 1, ("1", "0"): 2} and table.presented.all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_no_set_of_probabilities_is_more_accurate_than_the_limit(values):
    limit = presented.accuracy_limit(np.mean(values), max(values))
    assert np.mean(np.array(values) >= 0.5) <= limit + 1e-12 <= 1 + 1e-12
    if max(values) < 0.5:
        assert limit == 0


def test_tables_of_the_paper_stand_beside_the_files(root):
    found = reference.load(root)
    first = presented.printed(found.similarity).set_index(["source", "target", "quantity"])
    assert first.loc[("0", "1", "individual")].tolist() == ["mnist", 0.2178, 0.21786, True]  # cut, not rounded
    assert not first.loc[("1", "0", "individual"), "agree"] and first.agree.sum() == 3
    second = presented.table_two(found.scores)
    assert second["score_mod printed"].tolist() == [0.9375, 0.9688]
    assert second["accuracy at most"].tolist() == [1.0, 0.0] and second["rank"].tolist() == ["1 of 2", "2 of 2"]


def test_equal_numbers_are_those_of_the_same_column(root):
    found = reference.load(root).similarity
    assert rows(presented.equal_numbers(found)[["statistic", "data set", "its source"]]) == [
        ["min", "mnist", "0"], ["min", "mnist", "1"], ["max", "mnist", "0"], ["mean", "mnist", "1"]
    ]  # fmt: skip
    moved = found.assign(**{name: found[name] + 1e-4 * (found.dataset == "mnist") for name in reference.STATISTICS})
    assert presented.equal_numbers(moved).empty and len(presented.equal_numbers(moved, digits=3)) == 4


def test_findings_are_read_from_the_files(root):
    text = "\n".join(words.findings(reference.load(root)))
    assert "over 2 pairs neutralisation takes the mean class probability from 0.88 to 0.50" in text
    assert "0 pairs keep 90 % of it. In 1 pairs no image" in text and "before anything" not in text
    assert "1 of MNIST; 1 rows, a pair at a θ. In 0 of them neutralisation raises" in text
    assert "in 1 it lowers it. 1 of the rows belong to a presented pair" in text
    assert "1 data sets has 5 numbers under 4 names" in text and "in 2 of 2 rows" in text
    assert "agrees with the files in 3 of 5 numbers" in text
    assert "prints, for 1 of 2 presented directions (MNIST 1 to 0), an accuracy" in text
    assert "0 equal a number in the same column of CIFAR-10 to five decimals (none), 4 one of MNIST" in text


def test_networks_that_ignore_the_image_are_counted():
    scores = pd.DataFrame(
        [("cifar10", "cat", "dog", 0.1, score, 0.49, 0.51, 0.5, 0.5, 1e-3) for score in ("clean", "mod")],
        columns=["dataset", "source", "target", "theta", "score", *reference.STATISTICS],
    )
    table = presented.kept(scores)
    assert presented.is_flat(table).all() and not table.presented.any()
    assert "1 of the 1 pairs that keep 90 % are of this kind" in words._on_neutralisation("CIFAR-10", table)


# ------------------------------------------------------------------------------------------------------ matrices


def unit_of(folder, dataset, classes, *, seed=0, shift=0.0):
    """A finished unit of the supplement with numbers that are easy to follow."""
    directions, table = {}, []
    for k, (source, target) in enumerate((classes, classes[::-1])):
        clean = {"mean": 0.9, "k": 9, "n": 10}
        ssim = {"individual": {"mean": 0.2 + 0.1 * k + shift, "n": 10}, "representative": 0.1 * k}
        directions[f"{source} to {target}"] = {
            "source": source, "target": target, "ssim": ssim, "scores": {"clean": clean},
        }  # fmt: skip
        pair = {"direction": f"{source} to {target}", "source": source, "target": target, "n": 10, "blob": 0.5}
        table += [pair | {"score": "clean", "mean": 0.9, "k": 9}, pair | {"score": "adv", "mean": 0.5, "k": 5}]
        table += [
            pair | {"score": score, "value": value, "theta": theta, "mean": 0.1 + theta + 0.5 * value + shift, "k": 4}
            for score in ("mod", "mod_adv") for value in (0.0, 1.0) for theta in (0.1, 0.14)
        ]  # fmt: skip
    head = {"study": "supplement", "profile": "desk", "dataset": dataset, "classes": list(classes), "seed": seed}
    result = head | {
        "directions": directions, "model": {"test": {"k": 19, "n": 20}}, "fingerprint": {},
        "parameters": {"choices": {"eps_target": 0.5, "delta1": 0.3, "delta2": 0.5, "theta": [0.1], "value": [0, 1]},
                       "eps": 0.1 + shift},
    }  # fmt: skip
    return store.write(folder / f"{dataset}-{'-'.join(classes)}-seed{seed}", result, arrays={},
                       tables={"scores": pd.DataFrame(table)})  # fmt: skip


@pytest.fixture
def ours(tmp_path):
    """Two seeds of one pair and one seed of another."""
    runs = [("mnist", ("0", "1"), 0, 0.0), ("mnist", ("0", "1"), 1, 0.2), ("mnist", ("1", "2"), 0, 0.0)]
    return [unit_of(tmp_path / "units", d, c, seed=seed, shift=shift) for d, c, seed, shift in runs]


def test_numbers_of_seeds_are_averaged(ours):
    similarity, scores = matrices.collected(ours)
    assert rows(similarity[["source", "target"]]) == [["0", "1"], ["1", "0"], ["1", "2"], ["2", "1"]]
    assert similarity["mean"].tolist() == pytest.approx([0.3, 0.4, 0.2, 0.3])
    assert similarity.seeds.tolist() == [2, 2, 1, 1]
    mod = scores[(scores.score == "mod") & (scores.value == 1) & (scores.theta == 0.14)].set_index(["source", "target"])
    assert mod["mean"].to_dict() == pytest.approx(
        {("0", "1"): 0.84, ("1", "0"): 0.84, ("1", "2"): 0.74, ("2", "1"): 0.74}
    )
    assert (scores.groupby(["source", "target"]).size() == 2 + 2 * 2 * 2).all()


def test_pairs_that_are_missing_stay_empty(ours):
    names = matrices.classes("mnist", None)
    values = matrices.matrix(matrices.collected(ours)[0], "mean", names)
    expected = np.full((10, 10), np.nan)
    expected[[0, 1, 1, 2], [1, 0, 2, 1]] = [0.3, 0.4, 0.2, 0.3]
    assert values == pytest.approx(expected, nan_ok=True)
    table = pd.DataFrame({"source": ["0", "0"], "target": ["1", "1"], "mean": [0.1, 0.2]})
    with pytest.raises(ValueError, match="two rows for 0 to 1"):
        matrices.matrix(table, "mean", names)
    own = pd.DataFrame({"dataset": ["/my/pictures"], "source": ["dog"], "target": ["cat"], "mean": [1.0]})
    assert matrices.classes("/my/pictures", own) == ("cat", "dog")


def test_a_cell_of_the_picture_has_the_colour_of_its_value():
    values = np.array([[np.nan, 0.2, np.nan], [1.0, np.nan, 2.0], [0.0, -1.0, np.nan]])
    picture = matrices.matrix_picture(values, low=0.0, high=1.0)
    scale = len(picture) // (4 * 7 + 1)
    assert picture.shape == (29 * scale, 29 * scale, 3) and picture.min() >= 0 and picture.max() <= 1

    def cell(i, j):
        """The colours inside cell (i, j) of the matrix."""
        block = picture[scale:, scale:][(i + 1) * 7 * scale :, (j + 1) * 7 * scale :][: 6 * scale, : 6 * scale]
        return {tuple(colour) for colour in block.reshape(-1, 3)}

    shade = colormaps[matrices.COLOURS]
    for (i, j), value in np.ndenumerate(values):
        expected = shade(np.clip(value, 0, 1))[:3]
        if i == j:
            expected = (matrices.DIAGONAL,) * 3
        elif np.isnan(value):
            expected = (matrices.NOT_RUN,) * 3
        assert cell(i, j) == {tuple(map(float, expected))}, (i, j)
    assert (picture[: 7 * scale, : 7 * scale] == 1).all()  # the corner holds no number


def test_every_class_number_is_written_along_both_sides():
    picture = matrices.matrix_picture(np.full((10, 10), np.nan))
    scale = len(picture) // (11 * 7 + 1)
    small = picture[::scale, ::scale, 0]
    edge = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    assert (edge != matrices.INK).all()
    glyphs = [small[(k + 1) * 7 + 1 : (k + 1) * 7 + 6, 1:4] == matrices.INK for k in range(10)]
    assert len({glyph.tobytes() for glyph in glyphs}) == 10 and all(glyph.any() for glyph in glyphs)
    for k, glyph in enumerate(glyphs):
        assert np.array_equal(small[1:6, (k + 1) * 7 + 2 : (k + 1) * 7 + 5] == matrices.INK, glyph)
    assert (glyphs[1] == [[0, 1, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0], [1, 1, 1]]).all()


def test_sheets_show_ours_alone_and_beside_the_authors(root, ours):
    own, found = matrices.collected(ours), reference.load(root)
    sheet, data = matrices.similarity_sheet(own[0], None, "mean")
    assert [[cell.label for cell in strip.cells] for strip in sheet.strips] == [["ours, 4 pairs"]] and len(data) == 4
    sheet, data = matrices.similarity_sheet(own[0], found.similarity, "mean")
    assert [strip.title for strip in sheet.strips] == ["MNIST", "Malaria: 0 Parasitized, 1 Uninfected"]
    assert [cell.label for cell in sheet.strips[0].cells] == ["ours, 4 pairs", "the authors’, 2 pairs"]
    assert "roa-strip roa-matrices" in sheet.markup(name="x", alt="y") and len(data) == 7
    for stage, counted in (("clean", 2), ("attacked", 1)):
        sheet, data = matrices.probability_sheet(own[1], found.scores, stage)
        assert [strip.title for strip in sheet.strips] == ["MNIST, ours", "MNIST, the authors’"]
        assert [cell.label for cell in sheet.strips[0].cells] == [
            "before, 4 pairs", "set to 0, 4 pairs", "set to 1, 4 pairs"
        ]  # fmt: skip
        assert sheet.strips[1].cells[1].label == f"after, {counted} pairs"
        assert set(data[data.what == "set to 1"].theta) == {0.14}  # the θ that keeps most
    theirs = data[(data.whose != "ours") & (data.what == "after")]
    assert theirs["mean"].tolist() == [0.25]


def test_frames_follow_theta(root, ours):
    own, found = matrices.collected(ours), reference.load(root)
    low, high = matrices.theta_frames(own[1], found.scores, "mnist", [0.1, 0.14])
    assert (low.title, high.title) == ("MNIST, θ = 0.10", "MNIST, θ = 0.14")
    assert [cell.label for cell in low.cells] == [
        "clean: ours, set to 0, 4 pairs", "clean: ours, set to 1, 4 pairs", "clean: the authors’, after, 2 pairs",
        "attacked: ours, set to 0, 4 pairs", "attacked: ours, set to 1, 4 pairs",
    ]  # fmt: skip
    assert high.cells[-1].label == "attacked: the authors’, after, 1 pairs"
    assert not np.array_equal(low.cells[0].image, high.cells[0].image)
    assert len(matrices.theta_frames(own[1], None, "mnist", [0.1])[0].cells) == 4


def test_only_pairs_that_both_have_are_compared(root, ours):
    own, found = matrices.collected(ours), reference.load(root)
    pairs = agreement.matched(own, (found.similarity, found.scores))
    counts = pairs.groupby("quantity", sort=False).size().to_dict()
    assert counts == {
        "SSIM of individuals": 2, "SSIM of representatives": 2, "clean, before": 2, "clean, set to 0": 2,
        "clean, set to 1": 2, "attacked, before": 1, "attacked, set to 0": 1, "attacked, set to 1": 1,
    }  # fmt: skip
    assert set(pairs.dataset) == {"mnist"}
    one = pairs[(pairs.quantity == "clean, set to 1") & (pairs.source == "0")].iloc[0]
    assert (one.ours, one.theirs) == pytest.approx((0.82, 0.6))  # means over both θ
    two = pairs[pairs.quantity == "attacked, set to 0"].iloc[0]
    assert (two.source, two.ours, two.theirs) == ("1", pytest.approx(0.34), 0.25)  # the θ that the file has
    assert len(agreement.correlations(pairs)) == 0
    text = words.difference(pairs)
    numbers = [float(number) for number in re.findall(r"by ([\d.]+) with pixels set to [01] \(2 pairs\)", text)]
    assert numbers == pytest.approx([(0.28 + 0.17) / 2, (0.22 + 0.67) / 2], abs=0.0051)


def test_intervals_of_the_correlation_are_told_for_each_blob():
    rows = [
        ("MNIST", "clean, set to 0", -0.4, -0.1), ("MNIST", "clean, set to 1", -0.2, 0.3),
        ("CIFAR-10", "clean, set to 0", 0.0, 0.3), ("CIFAR-10", "clean, pictures’ blob set to 1", 0.2, 0.6),
        ("MNIST", "clean, before", 0.5, 0.9), ("MNIST", "attacked, set to 1", 0.5, 0.9),
        (agreement.TOGETHER, "clean, set to 1", 0.5, 0.9),
    ]  # fmt: skip
    text = words.related(pd.DataFrame(rows, columns=["data set", "quantity", "low", "high"]))
    assert "\n- blob of the text: below 0 for MNIST, set to 0; holds 0 for the other 2\n" in text
    assert "\n- pictures’ blob: above 0 for CIFAR-10, set to 1\n\n" in text


def test_the_blob_of_the_pictures_is_compared_beside_that_of_the_text(root, ours):
    own, found = matrices.collected(ours), reference.load(root)
    rows = [("0", "1", "mod", 1.0, 0.1, 0.5), ("0", "1", "mod", 1.0, 0.14, 0.9), ("1", "0", "mod_adv", 0.0, 0.1, 0.3)]
    signed = pd.DataFrame(rows, columns=["source", "target", "score", "value", "theta", "mean"]).assign(dataset="mnist")
    pairs = agreement.matched(own, (found.similarity, found.scores), signed=signed)
    plain = agreement.matched(own, (found.similarity, found.scores))
    added = pairs[pairs.quantity.str.contains("pictures’ blob")]
    assert len(pairs) == len(plain) + len(added) and set(added.quantity) <= {
        "clean, pictures’ blob set to 1", "attacked, pictures’ blob set to 0"
    }  # fmt: skip
    one = added[added.quantity == "clean, pictures’ blob set to 1"].iloc[0]
    assert (one.ours, one.theirs) == pytest.approx((0.7, 0.6))
    assert "with entries of the pictures’ blob set to 1 (1 pairs)" in words.difference(pairs)


def ordered_pairs(count, seed):
    rng = np.random.default_rng(seed)
    names = [(a, b) for a in range(count) for b in range(count) if a != b]
    table = pd.DataFrame({"dataset": "mnist", "quantity": "clean, before", "source": [str(a) for a, _ in names],
                          "target": [str(b) for _, b in names], "theirs": rng.normal(size=len(names))})  # fmt: skip
    return table.assign(ours=table.theirs + rng.normal(size=len(names)))


def test_agreement_is_spearmans_rank_correlation():
    pairs = ordered_pairs(5, 0)
    (row,) = agreement.correlations(pairs, resamples=300).to_dict("records")
    assert row["ρ"] == pytest.approx(stats.spearmanr(pairs.ours, pairs.theirs).statistic) and row["n"] == 20
    assert (row["ours"], row["theirs"]) == pytest.approx((pairs.ours.mean(), pairs.theirs.mean()))
    assert -1 <= row["low"] < row["ρ"] < row["high"] <= 1
    (equal,) = agreement.correlations(pairs.assign(ours=pairs.theirs**3), resamples=50).to_dict("records")
    assert (equal["ρ"], equal["low"], equal["high"]) == pytest.approx((1, 1, 1))
    (flat,) = agreement.correlations(pairs.assign(ours=0.5), resamples=50).to_dict("records")
    assert np.isnan([flat["ρ"], flat["low"], flat["high"]]).all()


def test_rank_correlations_of_many_samples_are_those_of_each():
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 5, (2, 40, 9))
    a[7], b[11] = 2, 4
    slow = [stats.spearmanr(*two).statistic if min(map(np.ptp, two)) else np.nan for two in zip(a, b, strict=True)]
    assert agreement.spearman(a, b) == pytest.approx(slow, nan_ok=True)
    assert agreement.spearman(a[0], b[0]) == pytest.approx(slow[0])

    pairs = ordered_pairs(5, 4)[:-1]  # one pair has one direction: samples differ in size
    (row,) = agreement.correlations(pairs, resamples=200).to_dict("records")
    sides = list(map(frozenset, zip(pairs.source, pairs.target, strict=True)))
    groups = [[i for i, one in enumerate(sides) if one == side] for side in dict.fromkeys(sides)]
    drawn, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = [i for place in drawn.integers(0, len(groups), len(groups)) for i in groups[place]]
        found.append(stats.spearmanr(pairs.ours.iloc[rows], pairs.theirs.iloc[rows]).statistic)
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(found, [0.025, 0.975])))


def test_pairs_of_several_data_sets_are_also_correlated_together():
    few, many = ordered_pairs(3, 1).assign(dataset="cifar10"), ordered_pairs(4, 2)
    found = agreement.correlations(pd.concat([few, many]), resamples=20).set_index("data set")
    assert list(found.index) == ["MNIST", agreement.TOGETHER] and list(found.n) == [12, 18]
    both = pd.concat([few, many])
    assert found["ρ"].iloc[1] == pytest.approx(stats.spearmanr(both.ours, both.theirs).statistic)
    assert list(agreement.correlations(few.assign(ours=1.0), resamples=5)) == []


def test_both_directions_of_a_pair_are_drawn_together(monkeypatch):
    pairs = ordered_pairs(4, 1)
    drawn = []
    monkeypatch.setattr(
        agreement, "spearman", lambda a, b: drawn.extend(np.atleast_2d(b).tolist()) or np.zeros(np.shape(a)[:-1])
    )
    agreement.correlations(pairs, resamples=5)
    mate = {row.theirs: pairs[(pairs.source == row.target) & (pairs.target == row.source)].theirs.item()
            for row in pairs.itertuples()}  # fmt: skip
    for values in drawn:
        assert len(values) == len(pairs)
        assert all(values.count(value) == values.count(mate[value]) for value in values)


def test_sentences_and_choices_come_from_the_units(ours):
    scores = matrices.collected(ours)[1]
    text = words.answer(scores, "mnist")
    assert "**MNIST**, 4 ordered pairs" in text and "is 0.90 before neutralisation" in text
    assert "0.29 with pixels set to 0 (0 pairs keep 90 % of it), 0.79 with pixels set to 1 (2 pairs keep 90 %" in text
    assert "empty" not in text
    empty = scores.assign(blob=scores.blob.where(scores.source != "1", 0))
    assert "In 2 pairs the blob is empty" in words.answer(empty, "mnist")
    assert "0.50 before neutralisation, 0.29 with pixels set to 0 (it rises by more than 0.01 in 0 pairs), 0.79" in text
    assert "MNIST, 3 networks of 2 pairs, 95 to 95 %" in words.sample(ours) and "mean" in words.sample(ours)
    assert "MNIST, 2 networks, 95 to 95 %" in words.sample(ours[1:]) and "mean" not in words.sample(ours[1:])
    table = tables.open_choices(ours, choices.REASONS).set_index("choice")
    assert table.value["eps"] == "0.1, 0.3" and table.value["delta1"] == "0.3"
    assert table.value["value"] == "0, 1" and table.why.str.len().min() > 10


def test_charts_draw_every_pair(root, ours):
    found = reference.load(root)
    figure, data = matrices.kept_plot(found.scores)
    assert len(data) == 2 and len(figure.axes) == 1
    pairs = pd.concat([ordered_pairs(4, 2), ordered_pairs(4, 3).assign(quantity="clean, set to 1")])
    figure, data = agreement.plot(pairs)
    assert [axis.get_title().replace("\n", " ") for axis in figure.axes if axis.get_visible()] == [
        "clean, before",
        "clean, set to 1",
    ]
    assert data is pairs and Path(found.files.file[0]).name == "some.csv"


def test_the_box_sets_our_own_trainings_beside_the_agreement_with_the_authors(root, ours, tmp_path):
    authors = reference.load(root)
    assert "trained again" not in answers.pairs(ours, authors).why  # one pair: too few directions
    runs = [(pair, seed, 0.1 * place + 0.2 * seed) for place, pair in enumerate(("34", "56", "78")) for seed in (0, 1)]
    more = [unit_of(tmp_path / "units", "mnist", tuple(pair), seed=seed, shift=shift) for pair, seed, shift in runs]
    told = answers.pairs([*ours, *more], authors).why
    rho = spread.shares(spread.by_network([*ours, *more])).set_index("quantity")["ρ"]["clean, set to 0"]
    assert rho > 0.9 and f"one training of ours goes with another by {rho:.2f}." in told


def test_the_box_counts_pairs_in_which_something_is_neutralised(ours):
    told = answers.pairs(ours, None).ours
    assert "each at its best θ: MNIST, of 4, 0 with pixels set to 0 and 2 with pixels set to 1. Run here" in told


def test_pairs_in_which_nothing_is_neutralised_keep_nothing(ours):
    def emptied(empty):
        for unit in ours:
            table = unit.table("scores").assign(blob=lambda t: t.blob.where(~empty(t), 0))
            yield store.Unit(unit.path, files=unit.files | {"scores.csv": table.to_csv(index=False).encode()})

    told = answers.pairs(list(emptied(lambda table: table.source == 1)), None).ours
    assert "MNIST, of 2, 0 with pixels set to 0 and 1 with pixels set to 1." in told
    assert "best θ: none was run." in answers.pairs(list(emptied(lambda table: table.source >= 0)), None).ours
