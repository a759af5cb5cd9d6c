"""The paper's statements, judged for our networks and for its own numbers."""

import pytest

from roa_helpers import studies
from roa_helpers.page import claims
from roa_helpers.studies.curvature import words
from roa_helpers.studies.curvature.claims import CLAIMS, STATEMENTS, networks


def judged(claim, low, high):
    holds, fails = (low > claim.bound, high < claim.bound) if claim.above else (high < claim.bound, low > claim.bound)
    return claims.REPRODUCED if holds else claims.CONTRADICTED if fails else claims.UNDECIDED


def test_each_claim_is_judged_by_its_own_interval(unit):
    table, by_id = studies.verdicts([unit]), {claim.id: claim for claim in CLAIMS}
    own, paper = table[table.profile != ""], table[table.profile == ""]
    assert set(own.id) == set(by_id)
    for row in own.to_dict("records"):
        claim = by_id[row["id"]]
        assert row["toward"] == ("" if row["why"] else judged(claim, row["low"], row["high"]))
        few = claims.ONE_NETWORK if claim.judged(row["case"]) else claims.NOT_JUDGED
        assert row["verdict"] == (claims.NOT_TESTABLE if row["why"] else few)
        assert row["paper toward"] == ""
    for row in paper.to_dict("records"):
        assert row["paper toward"] == judged(by_id[row["id"]], row["paper_low"], row["paper_high"])
        assert row["verdict"] == ""
    assert len(paper) == 8 and (paper["paper toward"] == claims.REPRODUCED).all() and (paper.n == 2000).all()


def test_a_network_that_was_not_trained_here_is_one_whatever_the_seed(unit, changed):
    def seeded(seed, start):
        model = unit.result["model"] | {"initialisation": start}
        return changed(path=unit.path.with_name(f"digits-lenet-seed{seed}"), seed=seed, model=model)

    assert len({networks(seeded(seed, "scratch")) for seed in range(3)}) == 3
    assert len({networks(seeded(seed, "imagenet")) for seed in range(3)}) == 1
    for start, count in (("scratch", 3), ("imagenet", 1)):
        table = studies.verdicts([seeded(seed, start) for seed in range(3)])
        own = table[table.profile != ""]
        assert len(own) and (own.networks == count).all()
        tested = own[(own.why == "") & (own.id != "inverse")]
        assert ((tested.verdict == claims.ONE_NETWORK) == (start == "imagenet")).all()


def test_a_claim_that_holds_below_its_bound():
    claim = next(claim for claim in CLAIMS if claim.id == "symmetric")
    assert claims.judge((0.0, 0.1), claim.bound, above=claim.above) == claims.REPRODUCED
    assert claims.judge((0.3, 0.4), claim.bound, above=claim.above) == claims.CONTRADICTED
    assert claims.judge((0.2, 0.4), claim.bound, above=claim.above) == claims.UNDECIDED


def shaped(unit, changed, **found):
    """The verdicts on a unit with other means (half a point to either side) of shapes, by claim."""
    shapes = {measure: unit.result["shapes"][measure]
              | {kind: {"mean": mean, "low": mean - 0.005, "high": mean + 0.005, "n": 10} for kind, mean in own.items()}
              for measure, own in found.items()}  # fmt: skip
    table = studies.verdicts([changed(shapes=unit.result["shapes"] | shapes)])
    return table[table.profile != ""].set_index("id")


@pytest.mark.parametrize(("random", "tested"), [(0.244, False), (0.246, True), (0.5, True)])
def test_a_shape_that_random_directions_have_too_is_no_test(unit, changed, random, tested):
    own = shaped(unit, changed, odd={"random": random}).loc["symmetric"]
    assert set(own["case"]) == {"positive", "negative"}
    assert ((own.why == "") == tested).all()


def test_a_flat_direction_is_held_against_a_random_one(unit, changed):
    found = {"moved": {"flat": 0.1, "random": 0.2}, "left": {"flat": 0.3, "random": 0.6}}
    own = shaped(unit, changed, **found).loc["flat-moves-little"]
    assert own.ours == pytest.approx((0.1 - 0.2 + 0.3 - 0.6) / 2) and own.toward == claims.REPRODUCED
    own = shaped(unit, changed, **{name: {"flat": one["random"], "random": one["flat"]} for name, one in found.items()})
    assert own.loc["flat-moves-little"].toward == claims.CONTRADICTED


def test_every_claim_belongs_to_a_statement_and_is_told(unit):
    table = studies.verdicts([unit])
    told = "\n".join(words.findings(statement, table) for statement in STATEMENTS)
    for claim in CLAIMS:
        assert claim.rule in told
    counts = claims.summary(table, by="statement")
    assert list(counts.statement) == list(STATEMENTS)
    assert counts.iloc[:, 1:].to_numpy().sum() == (table.profile != "").sum() - 1  # “inverse” gets no verdict
    grid = claims.grid(table)
    assert "Digits, LeNet" in grid and len(grid) == len(CLAIMS)
