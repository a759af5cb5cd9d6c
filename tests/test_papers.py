"""Published values, intervals, comparison, claims and verdicts."""

import numpy as np
import pandas as pd
import pytest

from roa_helpers import metrics, papers


def test_percentages_of_mnist_and_fashion_are_counts_of_32():
    cells = [p for p in papers.PUBLISHED if p.n == 32]
    assert len(cells) == 16
    for cell in cells:
        assert abs(cell.k / 32 - cell.value) < 5e-4  # the paper prints 96.85 for 31/32 in one table, 96.88 in the other


def test_every_table_of_the_paper_is_there():
    counts = pd.Series([p.row for p in papers.PUBLISHED]).value_counts()
    assert counts.to_dict() == {"A9": 14, "A10": 16, "A11": 16}
    assert papers.published("A11", "malaria", "Parasitized", "Uninfected", "mod_adv").value == 0.4611
    assert papers.published("A11", "malaria", "Uninfected", "Uninfected", "mod_adv") is None


def test_the_papers_interval_is_wilsons_where_n_is_known():
    paper = papers.published("A10", "mnist", "0", "1", "mod")
    assert paper.k == 30 and paper.interval == metrics.wilson(30, 32)
    assert papers.published("A10", "cats-vs-dogs", "Cat", "Dog", "mod").interval is None


def test_eps_is_matched_to_the_papers_mean_attacked_accuracy():
    assert papers.attacked_accuracy("mnist", default=0.5) == pytest.approx((0.9062 + 0.9685) / 2)
    assert papers.attacked_accuracy("digits", default=0.25) == 0.25


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.2, papers.REPRODUCED),
        (-0.2, -0.01, papers.CONTRADICTED),
        (-0.1, 0.1, papers.UNDECIDED),
        (0.0, 0.0, papers.UNDECIDED),
        (float("nan"), float("nan"), papers.UNDECIDED),
    ],
)
def test_a_verdict_reads_the_interval(low, high, verdict):
    assert papers.judge((low, high), 0.0) == verdict


def images(**columns):
    rows = {"clean": 1, "adv": 0, "mod": 1, "mod_adv": 1, "p_roi": 0.01, "p_roa": 0.01,
            "uv": 0.25, "u_not_v": 0.25, "not_u_v": 0.25, "not_u_not_v": 0.25} | columns  # fmt: skip
    return pd.DataFrame(rows, index=range(200))


BLOCK = {"colocation": {r: {"alignment": 0.5, "alignment_null": [0.0, 0.1]} for r in ("roi", "roa")}}


def verdict_of(claim_id, table, block=BLOCK):
    claim = next(c for c in papers.CLAIMS if c.id == claim_id)
    _, interval, n = claim.estimate(block, table)
    assert n == len(table)
    return papers.judge(interval, claim.bound)


def test_every_claim_is_reproduced_by_results_as_the_paper_hopes_for():
    assert {c.id: verdict_of(c.id, images()) for c in papers.CLAIMS} == {c.id: "reproduced" for c in papers.CLAIMS}


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
    table = papers.compare("A11", [unit]).set_index(["direction", "quantity"])
    row = table.loc[("0 to 1", "score_mod-adv")]
    count = unit.result["directions"]["0 to 1"]["scores"]["mod_adv"]
    assert (row.paper, row.ours, row.n) == (1.0, count["k"] / count["n"], count["n"])
    assert (row.low, row.high) == metrics.wilson(count["k"], count["n"])
    assert (row.paper_low, row.paper_high) == metrics.wilson(32, 32)
    overlap = row.paper_low <= row.high and row.low <= row.paper_high
    assert row.verdict == (papers.AGREES if overlap else papers.DIFFERS)


def test_data_sets_without_published_values_are_said_to_have_none(units):
    for row in ("A9", "A10", "A11"):
        table = papers.compare(row, units[:1])
        assert len(table) == 4 and (table.verdict == papers.NO_VALUE).all()
        assert "nothing is compared" in papers.answer(row, table)
    with pytest.raises(ValueError, match="A9, A10 and A11"):
        papers.compare("A1", units)


def test_the_answer_counts_what_the_table_shows(units):
    table = papers.compare("A10", units[1:])
    agree = (table.verdict == papers.AGREES).sum()
    text = papers.answer("A10", table)
    assert f"Of 4 numbers that the paper prints for MNIST, ours agree with {agree} and differ from {4 - agree}" in text


def test_verdicts_have_a_row_a_claim_and_direction(units):
    table = papers.verdicts(units)
    assert len(table) == len(papers.CLAIMS) * 4
    assert papers.summary(table).drop(columns="claim").to_numpy().sum() == len(table)
    other = papers.verdicts(units, definition="gradient")
    gain = other[other.id == "weakens-attack"].ours.to_numpy()
    blocks = [b["definitions"]["gradient"]["scores"] for _, _, b in papers.directions(units)]
    assert gain == pytest.approx([(b["mod_adv"]["k"] - b["adv"]["k"]) / b["adv"]["n"] for b in blocks])


def test_the_papers_own_numbers_are_judged_by_the_same_rule(units):
    table = papers.verdicts(units[1:])
    row = table[(table.id == "weakens-attack") & (table.direction == "0 to 1")].iloc[0]
    interval = metrics.newcombe(29, 32, 32, 32)
    assert (row.paper_low, row.paper_high) == interval
    assert row["paper's verdict"] == papers.judge(interval, 0.0)
