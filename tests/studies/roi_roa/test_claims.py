"""Published values, intervals, comparison, claims and verdicts."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roa_helpers import data, evidence, metrics, studies
from roa_helpers.page import claims
from roa_helpers.studies import roi_roa
from roa_helpers.studies.roi_roa import comparison, published, results, words
from roa_helpers.studies.roi_roa.claims import BOTH, CLAIMS, by_definition, registration, where


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


def images(**columns):
    """A table of 200 images of one direction, as the paper hopes for; its blob from other images does as well."""
    rows = {
        "clean": 1,
        "adv": 0,
        "mod": 1,
        "mod_adv": 1,
        "mod, held out": 1,
        "mod_adv, held out": 1,
        "moran_roi": 0.8,
        "moran_roa": 0.6,
    } | dict.fromkeys(("uv", "u_not_v", "not_u_v", "not_u_not_v"), 0.25)
    return pd.DataFrame(rows | columns, index=range(200))


#: What is observed of both regions and of the four parts, and what an untrained network's maps have.
OBSERVED = {("roi", "moran"): 0.8, ("roa", "moran"): 0.7, ("roi", "alignment"): 0.5, ("roa", "alignment"): 0.5,
            ("both", "four"): 0.8}  # fmt: skip
NULL = {place: value - 0.3 for place, value in OBSERVED.items()}


def nulls(observed=OBSERVED, **sources):
    """A table as of ``roi_roa.nulls``: the statistics of a class by M and by each null, ± .02."""
    sources = {"untrained": NULL} | sources
    rows = [
        {"maps": maps, "draw": 0, "region": region, "statistic": statistic, "value": value, "low": value - 0.02,
         "high": value + 0.02, "n": 100}
        for maps, found in {"trained": observed, **{name: one for name, one in sources.items() if one}}.items()
        for (region, statistic), value in found.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def block(pixels=40):
    return {"controls": {"held out": {"pixels": pixels}}}


@dataclass
class Pair:
    """A unit of two directions, from their images and what is recorded of them."""

    first: pd.DataFrame
    second: pd.DataFrame
    blocks: tuple = (block(), block())
    nulls: tuple | None = (nulls(), nulls())
    correct: int = 390
    aim: object = 0.0
    seed: int = 0

    @property
    def path(self):
        return Path(f"desk/roi_roa/x-a-b-seed{self.seed}")

    @property
    def result(self):
        names = ({"source": "a", "target": "b"}, {"source": "b", "target": "a"})
        first, second = (name | block for name, block in zip(names, self.blocks, strict=True))
        return {"directions": {"a to b": first, "b to a": second}, "classes": ["a", "b"],
                "model": {"test": {"k": self.correct, "n": 400}}, "dataset": "x", "profile": "desk", "seed": self.seed,
                "parameters": {"choices": {"eps_target": self.aim}}}  # fmt: skip

    @property
    def files(self):
        return {} if self.nulls is None else {"nulls.csv": b""}

    def table(self, name):
        first, second = self.nulls if name == "nulls" else (self.first, self.second)
        parts = (first.assign(direction="a to b"), second.assign(direction="b to a"))
        return pd.concat(parts).assign(definition="perturbation")


def verdict_of(claim_id, first=None, second=None, **more):
    """The row of a claim over three networks that say the same."""
    first = images() if first is None else first
    second = first if second is None else second
    units = [Pair(first, second, seed=seed, **more) for seed in range(3)]
    table = claims.verdicts([c for c in CLAIMS if c.id == claim_id], units, where=where)
    return table[table.case == BOTH].iloc[0]


JUDGED = [claim for claim in CLAIMS if not claim.id.endswith("papers-way")]


def test_every_claim_is_reproduced_by_results_as_the_paper_hopes_for():
    assert {c.id: verdict_of(c.id).verdict for c in JUDGED} == {c.id: "reproduced" for c in JUDGED}


@pytest.mark.parametrize(
    ("claim", "columns"),
    [
        ("keeps-accuracy", {"mod, held out": 0}),
        ("weakens-attack", {"adv": [1, 0] * 100, "mod_adv, held out": 0}),
    ],
)
def test_every_claim_can_be_contradicted(claim, columns):
    aim = 0.5 if claim == "weakens-attack" else 0.0
    assert verdict_of(claim, images(**columns), aim=aim).verdict == "contradicted"


@pytest.mark.parametrize("claim", [c.id for c in JUDGED])
def test_what_an_untrained_network_does_is_never_reproduced(claim):
    assert verdict_of(claim, correct=210).verdict == claims.NOT_TESTABLE
    assert "not clearly right" in verdict_of(claim, correct=210).why


REGION_CLAIMS = {"roi-colocated": ("roi", "moran"), "roa-colocated": ("roa", "moran"),
                 "roi-aligned": ("roi", "alignment"), "roa-aligned": ("roa", "alignment"),
                 "isolation": ("both", "four")}  # fmt: skip


@pytest.mark.parametrize(("claim", "place"), REGION_CLAIMS.items())
def test_regions_are_held_against_the_strongest_null(claim, place):
    row = verdict_of(claim)
    assert row.ours == pytest.approx(0.3) and row.n == 200 and row.verdict == "reproduced"
    assert row.high - row.low == pytest.approx(2 * 0.02)  # √(.02² + .02²) of each direction, halved for two
    for strong in ({"untrained": {place: OBSERVED[place]}}, {"coarse": {place: OBSERVED[place] + 0.1}}):
        weak = nulls(**strong)
        assert verdict_of(claim, nulls=(weak, weak)).verdict == "contradicted"
    weak = nulls(untrained={place: OBSERVED[place] - 0.06})  # beyond the null, and beyond what is worth the name
    assert verdict_of(claim, nulls=(weak, weak)).toward == "undecided"


@pytest.mark.parametrize(("highest", "tested"), [((0.94, 0.95), True), ((0.94, 0.96), False), ((1.0, 1.0), False)])
def test_a_null_that_leaves_no_room_is_no_test(highest, tested):
    row = verdict_of("isolation", nulls=tuple(nulls(coarse={("both", "four"): one}) for one in highest))
    assert (row.verdict == "contradicted") == tested
    assert row.why == ("" if tested else f"no room beyond the nulls: the strongest has {np.mean(highest):.3f} of 1")


def test_what_one_class_loses_is_told():
    pair = Pair(images(**{"mod, held out": [0] * 40 + [1] * 160}), images())
    found = roi_roa.claims.by_class(pair, "clean", "mod, held out")
    assert found["a to b"].value == pytest.approx(-0.2) and found["b to a"].value == 0 and found["a to b"].n == 200
    assert roi_roa.answers.costly([pair]) == (
        " By itself the clean accuracy of these classes clearly falls: x, a to b (−20.0 points)."
    )
    both = [pair, Pair(images(), images())]
    assert roi_roa.answers.costly(both).endswith(": x, a to b (−20.0 points in 1 of 2 networks).")
    assert roi_roa.answers.costly(both[1:]) == ""
    assert roi_roa.claims.by_class(pair, "clean", "not recorded") == {}


@pytest.mark.parametrize("claim", REGION_CLAIMS)
def test_without_the_null_of_an_untrained_network_nothing_is_said_of_regions(claim):
    for found in (None, (nulls(), nulls(untrained=None, coarse=NULL))):
        row = verdict_of(claim, nulls=found)
        assert (row.verdict, row.why) == (claims.NOT_TESTABLE, "no null of an untrained network is recorded")


def test_regions_that_are_empty_or_everything_leave_nothing_to_measure():
    empty = nulls(OBSERVED | {("roa", "alignment"): np.nan})
    assert verdict_of("roa-aligned", nulls=(empty, empty)).why == "there is nothing to measure it on"


def test_a_defence_is_judged_on_both_classes_with_the_blob_of_other_images():
    tilted = images(adv=[1, 0] * 100, **{"mod_adv, held out": 1}), images(adv=[1, 0] * 100, **{"mod_adv, held out": 0})
    row = verdict_of("weakens-attack", *tilted, aim=0.5)
    assert (row.ours, row.verdict, row.n) == (pytest.approx(0), "undecided", 400)
    row = verdict_of("weakens-attack", images(mod_adv=0, **{"mod_adv, held out": 1}))
    assert (row.ours, row.verdict) == (1, "reproduced")  # the blob that was made from scored images does not count
    changes = [(1.0, metrics.paired_difference([0] * 200, [1] * 200))] * 2
    _, interval = evidence.combined([(0.5, *change) for change in changes])
    assert (row.low, row.high) == pytest.approx(interval)


def test_the_papers_own_way_stands_beside_without_a_verdict():
    units = [Pair(images(), images(mod_adv=0), seed=seed) for seed in range(3)]
    table = claims.verdicts([c for c in CLAIMS if c.id == "weakens-attack-papers-way"], units, where=where)
    assert table[["case", "ours", "verdict", "toward"]].to_numpy().tolist() == [
        ["a to b", 1.0, claims.NOT_JUDGED, "reproduced"], ["b to a", 0.0, claims.NOT_JUDGED, "undecided"],
    ]  # fmt: skip


def test_where_there_is_no_attack_or_another_nothing_is_said_of_the_defence():
    weak = images(adv=[0] * 8 + [1] * 192, **{"mod_adv, held out": 1})
    row = verdict_of("weakens-attack", weak, aim=0.96)
    assert row.verdict == claims.NOT_TESTABLE and "no attack to weaken" in row.why
    row = verdict_of("weakens-attack", images(adv=[1, 0] * 100), aim=0.1)
    assert (row.verdict, row.why) == (claims.NOT_TESTABLE, "aim missed: score_adv is 50.0 %, to be 10.0 %")
    row = verdict_of("weakens-attack", images(adv=[1, 0] * 100), aim=(0.45, 0.7))
    assert (row.verdict, row.why) == (claims.NOT_TESTABLE, "aim missed: score_adv is 50.0 %, to be 70.0 %")
    assert verdict_of("weakens-attack", images(adv=[1, 0] * 100), aim=0.45).verdict == "reproduced"
    assert verdict_of("keeps-accuracy", weak, aim=0.1).verdict == "reproduced"  # that says nothing of the attack


def test_an_empty_blob_is_no_defence():
    row = verdict_of("keeps-accuracy", blocks=(block(), block(pixels=0)))
    assert (row.verdict, row.why) == (claims.NOT_TESTABLE, "the blob is empty: b to a")


def test_no_change_at_all_is_undecided_not_reproduced():
    half = [1, 0] * 100
    same = images(adv=half, **{"mod_adv, held out": half})
    assert verdict_of("weakens-attack", same, aim=0.5).verdict == "undecided"


def test_comparison_of_scores(units):
    unit = units[1]
    table = comparison.compare("A11", [unit]).set_index(["case", "quantity"])
    row = table.loc[("0 to 1", "score_mod-adv")]
    count = unit.result["directions"]["0 to 1"]["scores"]["mod_adv"]
    assert (row.paper, row.ours, row.n) == (1.0, count["k"] / count["n"], count["n"])
    assert (row.low, row.high) == metrics.wilson(count["k"], count["n"])
    assert (row.paper_low, row.paper_high) == metrics.wilson(32, 32)
    low, high = metrics.newcombe(32, 32, count["k"], count["n"])
    assert (row.difference_low, row.difference_high) == pytest.approx((low, high))
    assert row.toward == (claims.AGREES if low <= 0 <= high else claims.DIFFERS) and row.verdict == claims.ONE_NETWORK


def test_data_sets_without_published_values_are_said_to_have_none(units):
    for row in ("A9", "A10", "A11"):
        table = comparison.compare(row, units[:1])
        assert len(table) == 4 and (table.verdict == claims.NO_VALUE).all()
        assert "nothing is compared" in words.answer(row, table)
    with pytest.raises(ValueError, match="A9, A10 and A11"):
        comparison.compare("A1", units)


def test_the_answer_counts_what_the_table_shows(units):
    table = comparison.compare("A10", units[1:])
    agree = (table.toward == claims.AGREES).sum()
    text = words.answer("A10", table)
    assert f"Of 4 numbers that the paper prints for MNIST, ours agree with {agree} and differ from {4 - agree}" in text
    assert "All of these rest on fewer than three networks and decide nothing." in text
    assert "fewer than three" not in words.answer("A10", table.assign(verdict=table.toward))


def test_the_answer_names_the_two_ends_of_a_change_or_that_there_is_one():
    rows = [(d, q, 0.5 + 0.1 * (d == "y" and q == "score_mod")) for d in "xy" for q in ("score_clean", "score_mod")]
    table = pd.DataFrame(rows, columns=["case", "quantity", "ours"])
    table = table.assign(**{"where": "A", "profile": "quick", "seeds": "0", "verdict": claims.NO_VALUE, "toward": ""})
    assert "by +0.0 points for A, x, and by +10.0 points for A, y, the two ends" in words.answer("A10", table)
    assert "by +0.0 points in every direction shown." in words.answer("A10", table.assign(ours=0.5))


def test_verdicts_have_a_row_a_claim_and_data_set(units):
    table = studies.verdicts(units)
    assert len(claims.judged(table)) == len(JUDGED) * 2 and set(claims.judged(table).case) == {BOTH}
    assert claims.summary(table).drop(columns="claim").to_numpy().sum() == len(JUDGED) * 2
    assert table.groupby("where").of_paper.first().to_dict() == {"Digits": False, "MNIST": True}
    other = claims.verdicts(by_definition("gradient"), units, where=where)
    assert set(other[other.id == "weakens-attack"].why) == {"no blob of images that are not scored is recorded"}
    gain = other[other.id == "weakens-attack-papers-way"].ours.to_numpy()
    blocks = [b["definitions"]["gradient"]["scores"] for _, _, b in results.directions(units)]
    assert gain == pytest.approx([(b["mod_adv"]["k"] - b["adv"]["k"]) / b["adv"]["n"] for b in blocks])


def test_what_the_papers_own_numbers_point_to_stands_beside(units):
    table = studies.verdicts(units[1:])
    row = table[(table.id == "weakens-attack-papers-way") & (table.case == "0 to 1")].iloc[0]
    interval = metrics.newcombe(29, 32, 32, 32)
    assert (row.paper_low, row.paper_high) == interval and row["paper toward"] == claims.judge(interval, 0.0)
    row = table[(table.id == "weakens-attack") & (table.case == BOTH)].iloc[0]
    changes = [(0.0938, interval), (0.0315, metrics.newcombe(31, 32, 32, 32))]
    value, whole = evidence.combined([(0.5, *change) for change in changes])
    assert (row.paper, row.paper_low, row.paper_high) == pytest.approx((value, *whole))


def test_excess_is_alignment_beyond_the_strongest_null_or_the_middle_of_what_chance_gives(units):
    table = registration(units[1:])
    assert set(table["null"]) == {"strongest"}
    found = units[1].table("nulls")
    found = found[(found.definition == "perturbation") & (found.statistic == "alignment")]
    for row in table.itertuples():
        rows = found[(found.direction == row.direction) & (found.region == row.region)].set_index("maps").value
        assert row.excess == pytest.approx(rows["trained"] - rows.drop("trained").max())
    old = replace(units[1], files={name: text for name, text in units[1].files.items() if name != "nulls.csv"})
    table = registration([old])
    assert set(table["null"]) == {"rolled"}
    table = table.set_index(["region", "direction"]).excess
    for _, name, block in results.directions([old]):
        for region, found in block["colocation"].items():
            assert table[region, name] == pytest.approx(found["alignment"] - np.mean(found["alignment_null"]))


def test_accuracy_is_that_of_both_classes_beside_the_papers(units):
    table = comparison.accuracy(units)
    count = units[1].result["model"]["test"]
    row = table.iloc[1]
    assert (row.ours, row.n) == (count["k"] / count["n"], 24) and (row.low, row.high) == metrics.wilson(count["k"], 24)
    assert (row.paper, row.paper_low) == (1.0, metrics.wilson(64, 64).low)
    low, high = metrics.newcombe(64, 64, count["k"], 24)
    assert table.verdict.tolist() == [claims.NO_VALUE, claims.ONE_NETWORK]
    assert table.toward.tolist() == ["", claims.AGREES if low <= 0 <= high else claims.DIFFERS]
    assert (row["training images"], row["initialisation"], row["mixed precision"]) == (48, "scratch", "no")


def test_the_answer_about_accuracy_says_how_near_it_is_and_from_where_training_started():
    rows = {"where": ["A", "B", "C"], "ours": [0.9, 0.955, 1.0], "paper": [0.99, 0.95, np.nan],
            "toward": [claims.DIFFERS, claims.AGREES, ""],
            "verdict": [claims.DIFFERS, claims.ONE_NETWORK, claims.NO_VALUE],
            "initialisation": ["scratch", "imagenet", "scratch"]}  # fmt: skip
    assert words.answer_accuracy(pd.DataFrame(rows)) == (
        "M classifies 90.0 % to 100.0 % of the test images correctly, depending on the data set. "
        "Beside the mean of the paper’s two score_clean it agrees for B (+0.5) and differs for A (−9.0) "
        "(ours − theirs, in points). One of these rests on fewer than three networks and decides nothing. "
        "Training started from ImageNet weights for B. Training started from random weights for A, C."
    )
    assert "correctly." in words.answer_accuracy(pd.DataFrame(rows)[2:])


def test_what_rules_have_in_common_is_told_once():
    told = words.rules()
    assert told.count("\n- ") == 2 and f"by more than {roi_roa.EXCESS}, contradicted" in told
    assert not any("untrained networks" in claim.rule for claim in CLAIMS)


def test_findings_name_each_direction_once():
    claim = CLAIMS[0]
    rows = [("A", "x", claims.REPRODUCED), ("A", "y", claims.REPRODUCED), ("B", "x", claims.UNDECIDED),
            ("B", "y", claims.REPRODUCED)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["where", "case", "verdict"]).assign(id=claim.id, toward="")
    assert words.findings(claim, table).endswith("Verdict: reproduced for A, B (y); undecided for B (x).")
    assert words.findings(claim, table).startswith(
        "**Pixels of an image’s RoI are co-located.** Rule: Moran’s I of an RoI, mean over images, against the"
    )
    assert "reproduced in all 2 cases" in words.findings(claim, table[:2])
