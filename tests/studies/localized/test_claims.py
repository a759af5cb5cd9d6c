"""The paper's statements and what it leaves open, judged for finished units."""

from dataclasses import replace

import pytest

from roa_helpers import page, studies
from roa_helpers.data import photos
from roa_helpers.page import claims
from roa_helpers.records import store
from roa_helpers.studies.localized import charts, compute, results, tables, words


def test_verdicts_follow_their_rule(unit):
    found = studies.verdicts([unit])
    assert len(found) == 6 and found.claim.is_unique
    for row in found.itertuples():
        assert row.verdict == claims.ONE_NETWORK and row.toward == claims.judge((row.low, row.high), 0.0)
        assert row.low <= row.ours <= row.high and row.n == unit.result["attack"]["success"]["k"]
    change = unit.result["differences"]["jaccard"]["saliency − lime"]["mean"]
    ranks = unit.result["ranks"]["paper"]["jaccard"]
    assert change == pytest.approx(ranks["saliency"]["rank"] - ranks["lime"]["rank"])


def test_of_shapes_that_the_paper_does_not_attack_nothing_is_claimed_but_asked(unit, tmp_path):
    parameters = {"choices": unit.result["parameters"]["choices"] | {"regions": "squares"}}
    other = store.write(tmp_path / "x-seed0", unit.result | {"parameters": parameters}, arrays={}, tables={})
    assert studies.verdicts([other]).empty
    assert len(studies.verdicts([unit, other])) == 6 and len(tables.questions([unit, other])) == 6


def test_what_the_paper_does_not_claim_is_answered_and_not_judged(unit):
    found = tables.questions([unit])
    assert "verdict" not in found and len(found) == 3
    for row in found.itertuples():
        toward = "yes" if row.low > 0 else "no" if row.high < 0 else "undecided"
        assert row.answer == f"one network, toward {toward}"
    assert not found.claim.str.startswith("R2").any()
    judged = studies.verdicts([unit])
    labels = judged.claim.str.partition(":")[0].tolist()
    assert labels == judged.statement.tolist() == ["R1"] * 3 + ["R2"] * 2 + ["Table 1"]


def test_one_photo_has_no_interval_and_no_verdict(model, pictures, unit, tiny, tmp_path):
    rows = [i for i, name in enumerate(pictures.names) if name in set(unit.table("examples").photo)][:1]
    one = photos.Photos(pictures.images[rows], (pictures.names[rows[0]],), available=1)
    result, arrays, found = compute.measurements(
        model, one, 2, replace(tiny, shown=1), seed=0, folder=tmp_path / "parts", fingerprint=""
    )
    head = {name: unit.result[name] for name in ("study", "profile", "seed", "dataset", "network", "provenance")}
    alone = store.write(tmp_path / "one-seed0", head | result | {"fingerprint": {}}, arrays=arrays, tables=found)
    judged = studies.verdicts([alone])
    assert set(judged.why) == {"it has no interval"} and set(judged.verdict) == {"not testable"}
    assert set(tables.questions([alone]).answer) == {"not testable"}
    assert judged.low.isna().all() and judged.ours.notna().all()
    assert len(page.in_brackets(judged)) == 6 and tables.mean_ranks([alone]).low.isna().all()
    assert tables.tests_table([alone]).empty
    charts.ranks([alone], "all")


def test_weights_of_imagenet_are_one_network_whatever_the_seed(unit, tmp_path):
    def stored(names, seed):
        told = unit.result | {"seed": seed, "network": unit.result["network"] | {"name": names[seed]}}
        return store.write(tmp_path / f"{names}-seed{seed}", told, arrays={}, tables={})

    for names, expected in (("aaa", 1), ("abc", 3)):
        table = studies.verdicts([stored(names, seed) for seed in range(3)])
        assert set(table.networks) == {expected} and set(table.seeds) == {"0, 1, 2"}


def test_seeds_are_told_apart(unit, tmp_path):
    other = store.write(tmp_path / "x", unit.result | {"seed": 3}, arrays={}, tables={})
    assert results.named(other) == f"{results.named(unit)}, seed 3"
    assert words.network([unit, other]).count("with ImageNet’s weights") == 2
    table = studies.verdicts([other])
    assert set(table.profile) == {"quick"} and set(table.seeds) == {"3"}
