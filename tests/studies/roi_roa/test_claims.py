"""Published values, intervals, comparison, claims and verdicts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import samples
from scipy import stats

from roa_helpers import data, metrics, studies
from roa_helpers.page import claims
from roa_helpers.studies.roi_roa import claims as roi_roa_claims
from roa_helpers.studies.roi_roa import comparison, published, results, words
from roa_helpers.studies.roi_roa.claims import CLAIMS, by_definition, registration, where

#: The claims about a direction, and the one about all data sets at once.
*EACH, ACROSS = CLAIMS


def test_percentages_of_mnist_and_fashion_are_counts_of_32():
    cells = [p for p in published.PUBLISHED if p.n == 32]
    assert len(cells) == 16
    for cell in cells:
        assert abs(cell.k / 32 - cell.value) < 5e-4  # the paper prints 96.85 for 31/32 in one table, 96.88 in the other


def test_every_table_of_the_paper_is_there():
    counts = pd.Series([p.row for p in published.PUBLISHED]).value_counts()
    assert counts.to_dict() == {"A9": 14, "A10": 16, "A11": 16}
    assert published.printed("A11", "malaria", "Parasitized", "Uninfected", "mod_adv").value == 0.4611
    assert published.printed("A11", "malaria", "Uninfected", "Uninfected", "mod_adv") is None


def test_the_papers_interval_is_wilsons_where_n_is_known():
    paper = published.printed("A10", "mnist", "0", "1", "mod")
    assert paper.k == 30 and paper.interval == metrics.wilson(30, 32)
    assert published.printed("A10", "cats-vs-dogs", "Cat", "Dog", "mod").interval is None


def test_eps_is_matched_to_the_papers_attacked_accuracy_of_each_direction():
    assert published.attacked_accuracy("mnist", ("0", "1"), default=None) == (0.9062, 0.9685)
    assert published.attacked_accuracy("mnist", ("1", "0"), default=None) == (0.9685, 0.9062)
    assert published.attacked_accuracy("mnist", ("1", "2"), default=None) == pytest.approx([(0.9062 + 0.9685) / 2] * 2)
    assert published.attacked_accuracy("digits", ("0", "1"), default=(0.25, 0.5)) == (0.25, 0.5)


def test_the_papers_clean_accuracy_is_the_mean_of_both_directions():
    paper = published.clean_accuracy("malaria", ("Parasitized", "Uninfected"))
    assert paper.value == pytest.approx((0.9979 + 0.9921) / 2) and paper.interval is None
    paper = published.clean_accuracy("mnist", ["1", "0"])
    assert (paper.value, paper.n, paper.interval) == (1.0, 64, metrics.wilson(64, 64))
    assert published.clean_accuracy("mnist", ("1", "2")) is None


def test_images_of_a_data_set_or_class_are_registered_or_not_or_it_is_not_known():
    assert data.registered("mnist", "0") is True and data.registered("cats-vs-dogs", "Cat") is False
    assert data.registered("faces", "face") is True and data.registered("faces", "non-face") is False
    assert data.registered("own", "Cat") is None


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.2, claims.REPRODUCED),
        (-0.2, -0.01, claims.CONTRADICTED),
        (-0.1, 0.1, claims.UNDECIDED),
        (0.0, 0.0, claims.UNDECIDED),
        (float("nan"), float("nan"), claims.UNDECIDED),
    ],
)
def test_a_verdict_reads_the_interval(low, high, verdict):
    assert claims.judge((low, high), 0.0) == verdict


def images(**columns):
    rows = {"clean": 1, "adv": 0, "mod": 1, "mod_adv": 1, "p_roi": 0.01, "p_roa": 0.01,
            "uv": 0.25, "u_not_v": 0.25, "not_u_v": 0.25, "not_u_not_v": 0.25} | columns  # fmt: skip
    return pd.DataFrame(rows, index=range(200))


BLOCK = {"colocation": {r: {"alignment": 0.5, "alignment_null": [0.0, 0.1]} for r in ("roi", "roa")}}


@dataclass
class OneDirection:
    """A unit of one direction, from its block and its images."""

    block: dict
    images: pd.DataFrame

    @property
    def result(self):
        return {"directions": {"0 to 1": self.block}}

    def table(self, name):
        return self.images.assign(direction="0 to 1", definition="perturbation")


def verdict_of(claim_id, table, block=BLOCK):
    claim = next(c for c in EACH if c.id == claim_id)
    ((_, interval, n),) = claim.estimate(OneDirection(block, table)).values()
    assert n == len(table)
    return claims.judge(interval, claim.bound, above=claim.above)


def test_every_claim_is_reproduced_by_results_as_the_paper_hopes_for():
    assert {c.id: verdict_of(c.id, images()) for c in EACH} == {c.id: "reproduced" for c in EACH}


@pytest.mark.parametrize(
    ("claim", "columns"),
    [
        ("roi-colocated", {"p_roi": 0.6}),
        ("roa-colocated", {"p_roa": np.nan}),
        ("isolation", {"not_u_v": 0.0}),
        ("keeps-accuracy", {"mod": 0}),
        ("weakens-attack", {"adv": 1, "mod_adv": 0}),
    ],
)
def test_every_claim_can_be_contradicted(claim, columns):
    assert verdict_of(claim, images(**columns)) == "contradicted"


@pytest.mark.parametrize("region", ("roi", "roa"))
def test_alignment_is_contradicted_below_the_null(region):
    found = {"alignment": 0.01, "alignment_null": [0.05, 0.1]}
    assert verdict_of(f"{region}-aligned", images(), {"colocation": {region: found}}) == "contradicted"


@pytest.mark.parametrize("region", ("roi", "roa"))
def test_regions_without_an_alignment_leave_the_claim_undecided(region):
    found = {"alignment": None, "alignment_null": [None, None]}
    assert verdict_of(f"{region}-aligned", images(), {"colocation": {region: found}}) == "undecided"


def test_no_change_at_all_is_undecided_not_reproduced():
    assert verdict_of("weakens-attack", images(adv=1, mod_adv=1)) == "undecided"


def test_comparison_of_scores(units):
    unit = units[1]
    table = comparison.compare("A11", [unit]).set_index(["case", "quantity"])
    row = table.loc[("0 to 1", "score_mod-adv")]
    count = unit.result["directions"]["0 to 1"]["scores"]["mod_adv"]
    assert (row.paper, row.ours, row.n) == (1.0, count["k"] / count["n"], count["n"])
    assert (row.low, row.high) == metrics.wilson(count["k"], count["n"])
    assert (row.paper_low, row.paper_high) == metrics.wilson(32, 32)
    overlap = row.paper_low <= row.high and row.low <= row.paper_high
    assert row.verdict == (claims.AGREES if overlap else claims.DIFFERS)


def test_data_sets_without_published_values_are_said_to_have_none(units):
    for row in ("A9", "A10", "A11"):
        table = comparison.compare(row, units[:1])
        assert len(table) == 4 and (table.verdict == claims.NO_VALUE).all()
        assert "nothing is compared" in words.answer(row, table)
    with pytest.raises(ValueError, match="A9, A10 and A11"):
        comparison.compare("A1", units)


def test_the_answer_counts_what_the_table_shows(units):
    table = comparison.compare("A10", units[1:])
    agree = (table.verdict == claims.AGREES).sum()
    text = words.answer("A10", table)
    assert f"Of 4 numbers that the paper prints for MNIST, ours agree with {agree} and differ from {4 - agree}" in text


def test_the_answer_names_the_two_ends_of_a_change_or_that_there_is_one():
    rows = [(d, q, 0.5 + 0.1 * (d == "y" and q == "score_mod")) for d in "xy" for q in ("score_clean", "score_mod")]
    table = pd.DataFrame(rows, columns=["case", "quantity", "ours"])
    table = table.assign(**{"where": "A", "profile": "quick", "seeds": "0", "verdict": claims.NO_VALUE})
    assert "by +0.0 points for A, x, and by +10.0 points for A, y, the two ends" in words.answer("A10", table)
    assert "by +0.0 points in every direction shown." in words.answer("A10", table.assign(ours=0.5))


def test_verdicts_have_a_row_a_claim_and_direction(units):
    table = studies.verdicts(units)
    assert len(table) == len(EACH) * 4
    assert claims.summary(table).drop(columns="claim").to_numpy().sum() == len(table)
    other = claims.verdicts(by_definition("gradient"), units, where=where)
    gain = other[other.id == "weakens-attack"].ours.to_numpy()
    blocks = [b["definitions"]["gradient"]["scores"] for _, _, b in results.directions(units)]
    assert gain == pytest.approx([(b["mod_adv"]["k"] - b["adv"]["k"]) / b["adv"]["n"] for b in blocks])


def test_the_papers_own_numbers_are_judged_by_the_same_rule(units):
    table = studies.verdicts(units[1:])
    row = table[(table.id == "weakens-attack") & (table.case == "0 to 1")].iloc[0]
    interval = metrics.newcombe(29, 32, 32, 32)
    assert (row.paper_low, row.paper_high) == interval
    assert row["paper's verdict"] == claims.judge(interval, 0.0)


def excess(**kinds):
    """A table as of ``registration``: excess of data sets a, b, … by kind, two classes each, ± .01."""
    rows = [
        {"data set": f"{kind} {i}", "direction": str(sign), "registered": kind == "registered",
         "excess": x + 0.01 * sign}
        for kind, values in kinds.items()
        for i, x in enumerate(values)
        for sign in (-1, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("registered", "loose", "verdict"),
    [
        ((0.8, 0.9, 0.7), (0.1, 0.2), claims.REPRODUCED),
        ((0.1, 0.2, 0.1), (0.8, 0.7), claims.CONTRADICTED),
        ((0.1, 0.9, 0.5), (0.2, 0.6), claims.UNDECIDED),
        ((0.9, 0.8), (0.1,), claims.UNDECIDED),
    ],
)
def test_the_claim_about_registered_images_compares_data_sets(registered, loose, verdict, monkeypatch):
    table = excess(registered=registered, loose=loose).assign(region="roi")
    monkeypatch.setattr(roi_roa_claims, "registration", lambda units, definition: table)
    ((value, interval, n),) = ACROSS.estimate([]).values()
    assert value == pytest.approx(np.mean(registered) - np.mean(loose)) and n == len(registered) + len(loose)
    assert claims.judge(interval, ACROSS.bound) == verdict
    if len(loose) > 1:
        test = stats.ttest_ind(registered, loose, equal_var=False).confidence_interval()
        assert interval == pytest.approx((test.low, test.high))


@pytest.mark.filterwarnings("ignore:Precision loss")  # the data sets are copies of one
def test_the_claim_about_registered_images_is_judged_where_both_kinds_are_shown(units, computed, tmp_path):
    assert ACROSS.id not in set(studies.verdicts(units).id)
    more = [samples.stored(tmp_path, computed, dataset=dataset) for dataset in ("cifar10", "cats-vs-dogs")]
    table = studies.verdicts([*units, *more])
    rows = table[table.id == ACROSS.id]
    assert rows.case.tolist() == ["RoI", "RoA"] and (rows["where"] == "all data sets").all()
    assert (rows.n == 4).all() and (rows.profile == "desk and quick").all()
    assert rows.ours.tolist() == pytest.approx([0, 0])  # the same results under four names


def test_excess_is_alignment_beyond_the_middle_of_its_null(units):
    table = registration(units[1:]).set_index(["region", "direction"]).excess
    for _, name, block in results.directions(units[1:]):
        for region, found in block["colocation"].items():
            assert table[region, name] == pytest.approx(found["alignment"] - np.mean(found["alignment_null"]))


def test_accuracy_is_that_of_both_classes_beside_the_papers(units):
    table = comparison.accuracy(units)
    count = units[1].result["model"]["test"]
    row = table.iloc[1]
    assert (row.ours, row.n) == (count["k"] / count["n"], 24) and (row.low, row.high) == metrics.wilson(count["k"], 24)
    assert (row.paper, row.paper_low) == (1.0, metrics.wilson(64, 64).low)
    assert table.verdict.tolist() == [claims.NO_VALUE, claims.AGREES if row.high >= row.paper_low else claims.DIFFERS]
    assert (row["training images"], row["initialisation"], row["mixed precision"]) == (48, "scratch", "no")


def test_the_answer_about_accuracy_says_how_near_it_is_and_from_where_training_started():
    rows = {"where": ["A", "B", "C"], "ours": [0.9, 0.955, 1.0], "paper": [0.99, 0.95, np.nan],
            "verdict": [claims.DIFFERS, claims.AGREES, claims.NO_VALUE],
            "initialisation": ["scratch", "imagenet", "scratch"]}  # fmt: skip
    assert words.answer_accuracy(pd.DataFrame(rows)) == (
        "M classifies 90.0 % to 100.0 % of the test images correctly, depending on the data set. "
        "Beside the mean of the paper’s two score_clean it agrees for B (+0.5) and differs for A (−9.0) "
        "(ours − theirs, in points). "
        "Training started from ImageNet weights for B. Training started from random weights for A, C."
    )
    assert "correctly." in words.answer_accuracy(pd.DataFrame(rows)[2:])


def test_findings_name_each_direction_once():
    claim = EACH[0]
    rows = [("A", "x", claims.REPRODUCED), ("A", "y", claims.REPRODUCED), ("B", "x", claims.UNDECIDED),
            ("B", "y", claims.REPRODUCED)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["where", "case", "verdict"]).assign(id=claim.id)
    assert words.findings(claim, table).endswith("Verdict: reproduced for A, B (y); undecided for B (x).")
    assert words.findings(claim, table).startswith(
        "**Pixels of an image's RoI are co-located.** Rule: reproduced where"
    )
    assert "reproduced in all 2 cases" in words.findings(claim, table[:2])
    assert "for want of data sets of both kinds" in words.findings(ACROSS, table[table.id == ACROSS.id])
