"""What `make reproduce` compares: every count and mean of a unit of any study, by exact values of tiny units."""

import shutil

import numpy as np
import pandas as pd
import pytest
import reproduce

from roa_helpers import metrics, studies
from roa_helpers.errors import UserError
from roa_helpers.page import claims
from roa_helpers.records import store

RESULT = {
    "study": "supplement",
    "directions": {
        "a to b": {
            "ssim": {
                "individual": {"min": 0.0, "mean": 0.5, "sd": 0.2, "n": 16}, "whole": 0.3, "whole_interval": [0.2, 0.6]
            },
            "hits": {"k": 3, "n": 4},
        }
    },
    "parameters": {"eps": 0.1},
    "provenance": {"counts": {"k": 7, "n": 9}},  # classes of letters
    "fingerprint": {"data": "d"},
}  # fmt: skip
SCORES = pd.DataFrame(
    {"score": ["clean", "mod"], "theta": [np.nan, 0.1], "blob": [np.nan, 0.25], "mean": [0.9, 0.8], "sd": [0.1, 0.1],
     "low": [0.7, 0.6], "high": [0.95, 0.85], "k": [4, 2], "n": [4, 4]}
)  # fmt: skip
OTHER = pd.DataFrame({"image": [0, 1], "ssim": [0.5, 0.25]})


@pytest.fixture
def unit(tmp_path):
    """Write a unit below a folder of its own, its result or its tables changed."""

    def write(folder, result=RESULT, scores=SCORES, name="u-seed0"):
        tables = {"scores": scores, "images": OTHER}
        return store.write(tmp_path / folder / name, result, arrays={}, tables=tables)

    return write


def changed(**direction):
    """RESULT with other blocks in its one direction."""
    return RESULT | {"directions": {"a to b": RESULT["directions"]["a to b"] | direction}}


def test_numbers_are_the_counts_the_means_and_what_has_an_interval_and_nothing_else(unit):
    found = reproduce.numbers([unit("old")]).set_index("quantity")
    reach = 1.96 * 0.2 / 4
    expected = {
        "directions, a to b, hits, share": (0.75, *metrics.wilson(3, 4), 4),
        "directions, a to b, ssim, individual, mean": (0.5, 0.5 - reach, 0.5 + reach, 16),
        "directions, a to b, ssim, whole": (0.3, 0.2, 0.6, 0),
        "scores, score clean, share": (1.0, *metrics.wilson(4, 4), 4),
        "scores, score clean, mean": (0.9, 0.7, 0.95, 4),
        "scores, score mod, theta 0.1, share": (0.5, *metrics.wilson(2, 4), 4),
        "scores, score mod, theta 0.1, mean": (0.8, 0.6, 0.85, 4),
    }
    assert set(found.index) == set(expected)
    for quantity, values in expected.items():
        np.testing.assert_allclose(found.loc[quantity, ["ours", "low", "high"]].astype(float), values[:3])
        assert found.n.fillna(0)[quantity] == values[3]
    assert set(found.study) == {"supplement"} and set(found.unit) == {"u-seed0"} and set(found.verdict) == {""}


UNDEFINED = {"individual": {"mean": None, "sd": None, "n": 16}, "whole": None, "whole_interval": [None, None]}


@pytest.mark.parametrize(
    ("new", "moved"),
    [
        ({}, 0),
        ({"hits": {"k": 2, "n": 4}}, 0),  # within Wilson's interval of 3 of 4
        ({"hits": {"k": 0, "n": 4}}, 1),
        ({"hits": {"k": 6, "n": 8}}, 1),  # another sample
        ({"hits": {}}, 1),  # gone
        ({"more": {"k": 1, "n": 2}}, 1),  # not recorded
        ({"ssim": {"individual": {"mean": 0.59, "sd": 0.2, "n": 16}, "whole": 0.6, "whole_interval": [0, 1]}}, 0),
        ({"ssim": {"individual": {"mean": 0.61, "sd": 0.2, "n": 16}, "whole": 0.61, "whole_interval": [0, 1]}}, 2),
        ({"ssim": UNDEFINED}, 2),
    ],
)
def test_what_lies_beyond_the_recorded_interval_has_moved(unit, capsys, new, moved):
    recorded, anew = unit("old"), unit("new", changed(**new))
    assert reproduce.compare([recorded], [anew]) == moved
    said = capsys.readouterr().out
    assert f"moved beyond the recorded interval: {moved or 'none'}" in said
    assert "another verdict: none" in said


def test_what_was_and_is_undefined_has_not_moved(unit):
    assert reproduce.compare([unit("old", changed(ssim=UNDEFINED))], [unit("new", changed(ssim=UNDEFINED))]) == 0


def test_a_row_of_a_table_that_moved_is_listed_by_what_says_which_it_is(unit, capsys):
    assert reproduce.compare([unit("old")], [unit("new", scores=SCORES.assign(low=0, blob=0.5, k=[0, 2]))]) == 1
    assert "scores, score clean, share" in capsys.readouterr().out


def test_units_that_are_not_recorded_are_left_aside(unit, capsys):
    assert reproduce.compare([unit("old")], [unit("new"), unit("new", name="v-seed0")]) == 0
    said = capsys.readouterr().out
    assert "compared with the recorded ones: 1\n" in said and "numbers: 7" in said


def test_units_computed_from_other_data_are_named(unit, capsys):
    reproduce.compare([unit("old")], [unit("same")])
    assert "other data than the recorded ones: none" in capsys.readouterr().out
    reproduce.compare([unit("old")], [unit("new", RESULT | {"fingerprint": {"data": "e"}})])
    assert "other data than the recorded ones: u-seed0" in capsys.readouterr().out


def test_verdicts_that_turned_are_listed(units, capsys, monkeypatch):
    recorded = units[:1]
    found = studies.verdicts(recorded)
    assert reproduce.compare(recorded, recorded) == 0
    answers = iter([found, found.assign(verdict=[claims.UNDECIDED, *found.verdict[1:]])])
    monkeypatch.setattr(studies, "verdicts", lambda units: next(answers))
    capsys.readouterr()
    assert reproduce.compare(recorded, recorded) == 0
    turned = 1 if found.verdict[0] != claims.UNDECIDED else "none"
    assert f"another verdict: {turned}" in capsys.readouterr().out and turned == 1


def elsewhere(**provenance):
    """RESULT of another machine."""
    return changed(hits={"k": 0, "n": 4}) | {"provenance": RESULT["provenance"] | provenance}


@pytest.mark.parametrize("where", [{"cpu": {"model": "x"}}, {"device": "a GPU"}, {"libraries": {"torch": "3"}}])
def test_single_networks_of_two_machines_are_not_compared(unit, capsys, where):
    assert reproduce.compare([unit("old")], [unit("new", elsewhere())]) == 1
    assert "another machine" not in capsys.readouterr().out
    assert reproduce.compare([unit("old")], [unit("new", elsewhere(**where))]) == 0
    said = capsys.readouterr().out
    assert "recorded on another machine: 1" in said and "numbers: 7" not in said
    there = [unit("old"), unit("old", name="v-seed0")]
    anew = [unit("new", elsewhere(**where)), unit("new", elsewhere(), name="v-seed0")]
    assert reproduce.compare(there, anew) == 1  # of the one that was not computed elsewhere


def test_a_network_trained_in_another_precision_is_of_another_machine(unit, capsys):
    recorded = unit("old", RESULT | {"model": {"mixed": True}})
    anew = unit("new", changed(hits={"k": 0, "n": 4}) | {"model": {"mixed": False}})
    assert reproduce.compare([recorded], [anew]) == 0
    assert "recorded on another machine: 1" in capsys.readouterr().out


def test_networks_of_two_machines_are_judged_with_those_of_one(unit, monkeypatch):
    """A claim over three networks, one of which was computed elsewhere, is compared over all three."""
    names = [f"u-seed{k}" for k in range(3)]
    recorded = [unit("old", name=name) for name in names]
    anew = [unit("new", elsewhere(device="a GPU") if name == names[0] else RESULT, name=name) for name in names]
    seen = []
    monkeypatch.setattr(reproduce, "of_two_machines", lambda *both: seen.append(both) or 0)
    assert reproduce.compare(recorded, anew) == 0
    assert seen == [(recorded, anew)]


@pytest.mark.parametrize(
    ("now", "networks", "moved"),
    [
        ((0.5, 0.4, 0.6), 3, 0),
        ((0.7, 0.6, 0.8), 3, 1),  # the difference of .2 reaches ± .14
        ((0.62, 0.52, 0.72), 3, 0),
        ((0.9, 0.8, 1.0), 2, 0),
        ((np.nan, np.nan, np.nan), 3, 0),
        ((0.5, 0.5, 0.5), 3, 0),
    ],
)
def test_claims_of_two_machines_move_where_their_difference_is_clear_of_0(monkeypatch, capsys, now, networks, moved):
    row = {"study": "s", "where": "MNIST", "case": "", "id": "c", "claim": "it does", "verdict": claims.REPRODUCED}
    tables = [pd.DataFrame([row | dict(zip(("ours", "low", "high"), numbers, strict=True)) | {"networks": count}])
              for numbers, count in (((0.5, 0.4, 0.6), 3), (now, networks))]  # fmt: skip
    monkeypatch.setattr(studies, "verdicts", lambda units: tables[units])
    assert reproduce.of_two_machines(0, 1) == moved
    told = int(networks == 3 and now[0] == now[0])
    assert f"claims over three networks or more: {told}" in capsys.readouterr().out


def test_a_run_that_was_killed_while_it_cleared_the_last_one_begins_anew(unit, tmp_path, monkeypatch):
    found = [unit("old")]
    compared = tmp_path / "_build" / "reproduce" / ".desk.compared"
    compared.parent.mkdir(parents=True)
    compared.touch()
    seen = []
    monkeypatch.setattr(reproduce, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reproduce, "standing", lambda *_, **__: found)
    monkeypatch.setattr(reproduce, "compute", lambda **_: seen.append(compared.exists()) or 0)
    assert reproduce.main(["--profile", "desk"]) == 0
    assert seen == [False] and compared.exists()


@pytest.mark.parametrize(
    "damage", [lambda path: shutil.rmtree(path), lambda path: (path / "scores.csv").write_text("")]
)
def test_a_new_unit_that_is_not_whole_is_not_recorded_nor_are_the_others(unit, tmp_path, damage):
    plans = [("study", "u-seed0"), ("study", "v-seed0")]
    for place, result in (("old", RESULT), ("new", changed(hits={"k": 1, "n": 4}))):
        for _, name in plans:
            unit(f"{place}/desk/study", result, name=name)
    damage(tmp_path / "new/desk/study/v-seed0")
    with pytest.raises(UserError, match="1 of 2 new units are absent or not whole\n  study/v-seed0"):
        reproduce.accept(plans, profile="desk", source=tmp_path / "new", place=tmp_path / "old")
    found = reproduce.standing(plans, profile="desk", root=tmp_path / "old")
    assert [one.result["directions"]["a to b"]["hits"]["k"] for one in found] == [3, 3]


def test_what_was_computed_anew_takes_the_place_of_what_was_recorded(unit, tmp_path, capsys):
    plans = [("study", "u-seed0"), ("study", "v-seed0")]
    for place, result in (("old", RESULT), ("new", changed(hits={"k": 1, "n": 4}))):
        for _, name in plans:
            unit(f"{place}/desk/study", result, name=name)
    reproduce.accept(plans, profile="desk", source=tmp_path / "new", place=tmp_path / "old")
    for found in reproduce.standing(plans, profile="desk", root=tmp_path / "old"):
        assert found.result["directions"]["a to b"]["hits"]["k"] == 1
    assert capsys.readouterr().out.count("recorded ") == 2


def test_wrong_options_remove_nothing_that_was_computed(tmp_path, monkeypatch, capsys):
    """What a finished run computed lies there for hours of work, until the next run or until it is accepted."""
    monkeypatch.setattr(reproduce, "ROOT", tmp_path)
    done, kept = tmp_path / "_build/reproduce/.desk.compared", tmp_path / "_build/reproduce/desk/kept"
    kept.mkdir(parents=True), done.touch()
    with pytest.raises(SystemExit) as refused:
        reproduce.main(["--profile", "desk", "--cores", "many"])
    assert refused.value.code == 2 and "a whole number above 0 is needed, not 'many'" in capsys.readouterr().err
    assert kept.exists() and done.exists()
