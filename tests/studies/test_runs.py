"""Which units a page shows, and what it says of them."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from roa_helpers import studies
from roa_helpers.errors import UserError
from roa_helpers.records import seeds, store
from roa_helpers.studies import runs


def planned(index=0, profile="quick"):
    return studies.planned(profile, "roi_roa")[index]


@pytest.mark.parametrize("name", studies.by_name())
def test_what_is_made_of_ones_own_pictures_lies_apart(results, name):
    known = studies.planned("desk", name)[0]
    own = studies.Planned(name, replace(known.choices, dataset=str(results / "zoo")), 0)
    assert studies.place_of(known, "desk") == results / "desk" / name / known.name
    assert studies.place_of(own, "desk") == results / "own" / "desk" / name / own.name
    assert "results/own" in (Path(__file__).parents[2] / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("profile", studies.PROFILES)
@pytest.mark.parametrize("study", studies.by_name())
def test_every_planned_unit_is_computed_by_one_job_which_bears_the_name_of_its_first(profile, study):
    planned, most = studies.planned(profile, study, seed=7), studies.profile(profile).at_once
    jobs = studies.jobs(planned, profile)
    assert [plan for plans in jobs.values() for plan in plans] == planned
    for name, plans in jobs.items():
        assert name == (plans[0].name if len(plans) == 1 else f"{plans[0].name}+{len(plans) - 1}")
    sizes = [*map(len, jobs.values())]
    assert all(size == most for size in sizes[:-1]) and all(0 < size <= most for size in sizes)


def put(profile, name, expected=None, /, **content):
    head = {"study": "roi_roa", "profile": profile, "unit": name, "seed": 0, "fingerprint": expected or {}}
    content = head | content
    return store.write(store.unit_path(profile, "roi_roa", name), content, arrays={}, tables={})


def test_recorded_units_are_shown_and_paper_goes_before_desk(results):
    put("desk", "b"), put("paper", "b"), put("desk", "a"), put("paper", "c"), put("quick", "d")
    shown = studies.finished("quick", "roi_roa")
    assert [(unit.path.name, unit.result["profile"]) for unit in shown] == [
        ("a", "desk"),
        ("b", "paper"),
        ("c", "paper"),
    ]


def test_where_nothing_is_recorded_one_line_says_so(results, caplog):
    for name in ("roi_roa", "supplement", "roi_roa"):
        assert studies.finished("quick", name) == []
    (said,) = caplog.messages
    assert said == f"no recorded results found at {results}; set ROA_RESULTS to the folder that holds them"


def test_what_is_recorded_in_the_checkout_is_shown_in_whatever_folder_a_notebook_runs(tmp_path, monkeypatch):
    checkout = Path(store.__file__).parents[2] / "results"
    monkeypatch.delenv("ROA_RESULTS", raising=False)
    monkeypatch.chdir(checkout.parent / "notebooks")
    assert store.recorded_roots() == (checkout,)
    monkeypatch.chdir(tmp_path)
    assert store.recorded_roots() == (checkout, tmp_path / "results")
    recorded = {path.parent.name for path in checkout.glob("desk/roi_roa/[!.]*/result.json")}
    assert {unit.path.name for unit in studies.finished("quick", "roi_roa")} == recorded != set()
    put("desk", "a"), put("quick", "b")
    assert {unit.path.name for unit in studies.finished("quick", "roi_roa")} == recorded | {"a"}
    monkeypatch.setenv("ROA_RESULTS", str(tmp_path / "elsewhere"))
    assert store.recorded_roots() == (tmp_path / "elsewhere",)


def test_what_lies_where_one_works_goes_before_what_the_checkout_has(tmp_path, monkeypatch):
    for place in ("checkout", "here"):
        monkeypatch.setenv("ROA_RESULTS", str(tmp_path / place))
        put("desk", "a", place=place), put("desk", place)
    monkeypatch.setattr(store, "recorded_roots", lambda: (tmp_path / "checkout", tmp_path / "here"))
    shown = {unit.path.name: unit.result.get("place") for unit in studies.finished("quick", "roi_roa")}
    assert shown == {"a": "here", "checkout": None, "here": None}


def test_what_is_made_of_ones_own_pictures_is_shown_to_those_who_ask(results):
    zoo = str(results / "zoo")
    (plan,) = studies.planned("quick", "roi_roa", dataset=zoo, classes=("a", "b"))
    place = studies.place_of(plan, "quick")
    content = {"study": "roi_roa", "profile": "quick", "seed": 0, "dataset": zoo, "classes": ["a", "b"]}
    store.write(place, content | {"fingerprint": studies.expected(plan)}, arrays={}, tables={})
    assert studies.finished("quick", "roi_roa") == [] == studies.finished("desk", "roi_roa", own=True)
    (unit,) = studies.finished("quick", "roi_roa", own=True)
    assert unit.path == place and unit.standing == store.CURRENT and not studies.of_paper(unit)
    store.write(place, content | {"fingerprint": {"code": "other"}}, arrays={}, tables={})
    (unit,) = studies.finished("quick", "roi_roa", own=True)
    assert unit.standing == "parameters and code changed since"


def test_where_something_is_recorded_nothing_is_said(results, caplog):
    put("desk", "a")
    assert len(studies.finished("quick", "roi_roa")) == 1 and studies.finished("quick", "supplement") == []
    assert caplog.messages == []


@pytest.mark.parametrize("other", [{"study": "supplement"}, {"study": []}, {"profile": "paper"}, {"unit": "a"}])
def test_a_recorded_unit_that_says_it_is_anothers_counts_as_absent_and_is_told(results, caplog, other):
    put("desk", "a"), put("desk", "b", **other)
    for _ in range(2):
        assert [unit.path.name for unit in studies.finished("quick", "roi_roa")] == ["a"]
    (said,) = caplog.messages
    place = results / "desk" / "roi_roa" / "b"
    assert said == f"the unit at {place} does not say that it is b of roi_roa in desk, so it counts as absent"


def test_a_recorded_unit_without_a_seed_counts_as_absent_and_is_told(results, caplog):
    put("desk", "a"), put("desk", "b", seed="0")
    assert [unit.path.name for unit in studies.finished("quick", "roi_roa")] == ["a"]
    place = results / "desk" / "roi_roa" / "b"
    assert caplog.messages == [f"the unit at {place} does not say which seed it is of, so it counts as absent"]


def test_a_copy_of_a_recorded_unit_is_not_counted_beside_it(results):
    put("desk", "a")
    shutil.copytree(results / "desk" / "roi_roa" / "a", results / "desk" / "roi_roa" / "a (copy)")
    assert [unit.path.name for unit in studies.finished("quick", "roi_roa")] == ["a"]


def test_a_unit_of_older_code_that_lacks_what_is_read_is_named(results):
    put("desk", "a", dataset="mnist")
    with pytest.raises(
        UserError, match=f"older code computed lack .*KeyError.*\n  one of     {results}/desk/roi_roa/a\n"
    ):
        studies.verdicts(studies.finished("quick", "roi_roa"))
    (unit,) = studies.finished("quick", "roi_roa")
    with pytest.raises(KeyError):
        studies.verdicts([replace(unit, standing=store.CURRENT)])  # that would be a fault of ours


def test_a_profile_shows_recorded_units_then_its_own_if_they_are_current(results):
    first, second = planned(0), planned(1)
    put("quick", second.name, studies.expected(second))
    put("quick", first.name, {"code": "old"})
    put("paper", second.name), put("paper", "a")
    shown = studies.finished("quick", "roi_roa")
    assert [(u.result["profile"], u.path.name) for u in shown] == [("paper", "a"), ("quick", second.name)]


def test_half_built_and_unfinished_units_are_not_shown(results):
    put("desk", "a")
    folder = results / "desk" / "roi_roa"
    (folder / "empty").mkdir()
    (folder / "a").rename(folder / ".a.1234")
    assert studies.finished("quick", "roi_roa") == []


def test_while_units_are_computed_there_is_one_bar_and_it_goes(results, monkeypatch, capsys):
    computed = []

    def run(plan, *, profile, root, progress):
        computed.append((plan, progress))
        put(profile, plan.name, studies.expected(plan))

    monkeypatch.setattr(runs, "run", run)
    plans = studies.planned("quick", "roi_roa")
    studies.units("roi_roa", "quick")
    assert computed == [(plan, False) for plan in plans] and len(plans) > 1
    said = capsys.readouterr().err
    assert "roi_roa" in said and "\n" not in said and said.rpartition("\r")[0].rpartition("\r")[2].strip() == ""
    studies.units("roi_roa", "quick")
    assert len(computed) == len(plans) and capsys.readouterr().err == ""


def test_a_unit_stands_or_says_what_changed(results):
    plan = planned()
    current = studies.expected(plan)
    assert studies.standing(put("quick", plan.name, current)) == "current"
    assert studies.standing(put("quick", plan.name, current | {"code": "old"})) == "code changed since"
    assert "parameters and code" in studies.standing(put("quick", plan.name))
    assert studies.standing(put("quick", "gone", current)) == "not planned any more"


def test_what_is_outdated_is_counted_by_what_changed(results):
    first, second = planned(0), planned(1)
    current = studies.presented(put("quick", first.name, studies.expected(first)))
    old = studies.presented(put("quick", second.name, studies.expected(second) | {"code": "old"}))
    gone = studies.presented(put("desk", "gone"))
    assert store.outdated([]) == store.outdated([current]) == ""
    assert store.outdated([current, old]) == "code changed since: 1 of 2"
    said = store.outdated([old, current, gone, old])
    assert said == "code changed since: 2 of 4, not planned any more: 1 of 4"


@pytest.mark.parametrize("study", studies.by_name())
def test_units_of_every_study_are_shown_and_stand(results, study):
    quick = studies.planned("quick", study)[:1]  # none, of a study that needs files which a fresh machine lacks
    desk = studies.planned("desk", study)[:2]
    for profile, plan in (*(("quick", plan) for plan in quick), *(("desk", plan) for plan in desk)):
        head = {"study": study, "unit": plan.name, "profile": profile, "seed": plan.seed}
        content = head | {"fingerprint": studies.expected(plan)}
        store.write(store.unit_path(profile, study, plan.name), content, arrays={}, tables={})
    shown = studies.finished("quick", study)
    assert [unit.result["profile"] for unit in shown] == ["desk", "desk", *["quick"] * len(quick)]
    assert [studies.standing(unit) for unit in shown] == ["current"] * len(shown)
    assert [unit for group in seeds.groups(shown) for unit in group] == shown


def test_what_a_unit_depends_on_differs_by_choices_and_seed():
    units = [planned(0), planned(1), *studies.planned("quick", "roi_roa", seed=1)]
    assert len({studies.expected(unit)["parameters"] for unit in units}) == 4
