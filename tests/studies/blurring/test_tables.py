"""The thesis's numbers beside ours, and what an attacker leaves."""

import numpy as np
import pytest

from roa_helpers import evidence, metrics, page, studies
from roa_helpers.page import beside
from roa_helpers.records import seeds
from roa_helpers.studies.blurring import choices, results, tables
from roa_helpers.studies.blurring.published import MODELS, ROWS, TABLES, TESTS, N, count


def test_repetitions_are_one_group(units):
    assert [[seeds.of(unit) for unit in group] for group in seeds.groups(units)] == [[0], [0, 1]]
    assert results.named(units[1]) == "CIFAR-10, 3 classes, pre-trained"
    assert results.network(units[0]) == "bottlenecks 1-1-1-1, 0.0625 of the channels"


def test_the_table_of_150(units):
    table = tables.compare(units[1:])
    assert len(table) == 150 and not table.duplicated(["model", "row", "test"]).any()
    assert (table.seeds == "0, 1").all() and (table.n == 15).all()
    cells = [unit.table("cells") for unit in units[1:]]
    for k, row in table.sample(12, random_state=0).iterrows():
        place = list(MODELS).index(row.model), list(ROWS).index(row.row), list(TESTS).index(row.test)
        assert row.paper == pytest.approx(TABLES[row.model][place[1]][place[2]] / 100, abs=1e-4)
        assert (row.paper_low, row.paper_high) == metrics.wilson(count(row.model, row.row, row.test), N)
        counts = [one.k.iloc[k] for one in cells]
        shares, intervals = [k / 15 for k in counts], [metrics.wilson(k, 15) for k in counts]
        ours = evidence.over_networks(shares, intervals, limits=(0, 1))
        _, apart = evidence.combined([(1, *ours), (-1, row.paper, (row.paper_low, row.paper_high))])
        assert (row.difference_low, row.difference_high) == pytest.approx(tuple(apart), abs=1e-5)  # six digits are kept
        assert row.toward == ("agrees" if apart.low <= 0 <= apart.high else "differs")
    assert len(counts) == 2 and (table.verdict == "two networks").all()
    assert tables.compare(units[:1]).verdict.unique().tolist() == ["no published value"]


def test_the_table_of_a_model_is_set_as_in_the_thesis(units):
    wide = beside.layout(tables.as_printed(tables.compare(units[1:]), "original"))
    assert wide.shape == (5, 7) and list(wide.columns[1:]) == [f"{name} (%)" for name in TESTS.values()]
    assert wide.iloc[0, 1].startswith("paper 89.67\nours ") and wide.iloc[3, 1].startswith("paper 27.33\nours ")


def test_what_an_attacker_leaves(units):
    table = tables.knowing(units[:1]).set_index(["model", "attacker"])
    assert len(table) == 4 * 7
    keys = list(units[0].table("knowing")[["model", "attacker"]].itertuples(index=False, name=None))
    hits = dict(zip(keys, units[0].arrays["knowing"], strict=True))
    worst = np.logical_and.reduce([one for (model, _), one in hits.items() if model == "gradient"])
    bare = np.logical_and.reduce([one for (model, _), one in hits.items() if model == "original"])
    row = table.loc["gradient", "worst"]
    assert row.accuracy == pytest.approx(worst.mean()) and row.left == pytest.approx(worst.mean() - bare.mean())
    row = table.loc["pgd", "recomputed"]
    assert row.undefended == pytest.approx(hits["original", "unaware_many"].mean())
    assert (row.left_low, row.left_high) == pytest.approx(
        metrics.paired_difference(hits["original", "unaware_many"].astype(int), hits["pgd", "recomputed"].astype(int))
    )
    assert table.loc[("pgd", "fixed"), "undefended"] == pytest.approx(hits["original", "unaware_one"].mean())


def test_the_other_tables(units):
    table = tables.accuracies(units)
    assert table.paper.iloc[1] == pytest.approx(269 / 300) and np.isnan(table.paper.iloc[0])
    conclusions = tables.overview(studies.verdicts(units))
    assert len(conclusions) == 4 * 3
    seen = tables.glance(conclusions)
    assert len(seen) == 4 and list(seen)[:2] == ["claim", "the thesis"] and len(seen.columns) == 4
    assert all(row.points in seen.set_index("claim").loc[row.claim, row.whose] for row in conclusions.itertuples())
    assert len(tables.overlaps(units)) == 12
    told = page.open_choices(units, choices.REASONS).set_index("choice").value
    assert told["aims"] == "clean 0.8967, fgsm 0.82, newtonfool 0.2733" and told["keep"] == "0.15"
