"""A study is a folder: one made here is planned, computed, shown and judged without a change to the package."""

import sys
from dataclasses import replace

import pytest

from roa_helpers import __main__ as cli
from roa_helpers import studies
from roa_helpers.errors import UserError
from roa_helpers.records import store
from roa_helpers.studies import study as registry

FACE = '''
"""A study of nothing."""
from roa_helpers.studies import Study

STUDY = Study(
    room=__name__, title="How many ones there are", paper="Made here", sample=lambda result: (result["ones"]["n"],)
)
'''
CHOICES = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Ones:
    dataset: str
    count: int = 8

    @property
    def name(self):
        return f"{self.dataset}-{self.count}"

UNITS = {"quick": (Ones("digits"), Ones("digits", 12))}
"""
COMPUTE = """
from types import SimpleNamespace

import numpy as np
import pandas as pd

from roa_helpers import metrics

HALF = 0.5

def load(choices, *, root=None, progress=True):
    return SimpleNamespace(fingerprint="made here", provenance={"counts": {}})

def compute(plan, data, *, checkpoints, progress=True):
    hits = np.random.default_rng(plan.seed).random(plan.choices.count) < HALF
    result = {"dataset": plan.choices.dataset, "ones": metrics.count(hits)}
    return result, {"hits": hits}, {"hits": pd.DataFrame({"hit": hits})}
"""
CLAIMS = """
from roa_helpers import metrics
from roa_helpers.page import claims

def where(unit):
    return unit.path.name

def ones(unit):
    found = unit.result["ones"]
    return {"": (found["k"] / found["n"], metrics.wilson(found["k"], found["n"]), found["n"])}

CLAIMS = (claims.Claim("some", "there are ones", "reproduced above 0", ones),)
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch, results):
    """The name of a study in a folder of its own, registered for one test."""
    folder = tmp_path / "tiny_study"
    folder.mkdir()
    for name, text in {"__init__": FACE, "choices": CHOICES, "compute": COMPUTE, "claims": CLAIMS}.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "_added", {})
    yield studies.register("tiny_study").name
    for name in [name for name in sys.modules if name.split(".")[0] == "tiny_study"]:
        del sys.modules[name]


def test_a_study_in_a_folder_of_its_own_is_planned_run_shown_and_judged(tiny, results):
    assert list(studies.by_name()) == [*registry.ROOMS, tiny]
    plans = studies.planned("quick", tiny, seed=3)
    assert [plan.name for plan in plans] == ["digits-8-seed3", "digits-12-seed3"]
    units = studies.units(tiny, "quick", seed=3, progress=False)
    assert [unit.path for unit in units] == [results / "quick" / tiny / plan.name for plan in plans]
    assert all(unit.standing == store.CURRENT for unit in units) and [unit.sample for unit in units] == [(8,), (12,)]
    assert studies.run(plans[0], profile="quick", progress=False)[1]  # it stood already
    table = studies.verdicts(units)
    assert table["where"].tolist() == ["digits-8-seed3", "digits-12-seed3"] and set(table.study) == {tiny}
    for unit, row in zip(units, table.itertuples(), strict=True):
        found = unit.result["ones"]
        assert (row.ours, row.n, row.verdict) == (found["k"] / found["n"], found["n"], "one network")
        assert row.toward == "reproduced" and not row.of_paper


def test_the_command_line_knows_it(tiny, results, capsys):
    assert cli.main(["study", tiny, "--unit", "digits-12-seed0"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["digits-12-seed0"]
    assert cli.main(["study", tiny, "--unit", "digits-12-seed0", "digits-8-seed0"]) == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["digits-8-seed0", "computed"], ["digits-12-seed0", "reused"],
    ]  # fmt: skip
    assert cli.main(["study", tiny, "--dataset", "faces", "--seed", "1"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["faces-8-seed1", "faces-12-seed1"]
    assert cli.main(["verdicts"]) == 0
    assert "there are ones" in capsys.readouterr().out


def test_its_results_grow_old_with_its_code(tiny, tmp_path):
    unit, *_ = studies.units(tiny, "quick", progress=False)
    assert studies.standing(unit) == store.CURRENT
    path = tmp_path / "tiny_study" / "compute.py"
    path.write_text(path.read_text().replace("HALF = 0.5", "HALF = 0.6"))
    from roa_helpers.records import fingerprints

    fingerprints._module.cache_clear(), fingerprints._code.cache_clear()
    assert studies.standing(unit) == "code changed since"
    fingerprints._module.cache_clear(), fingerprints._code.cache_clear()


def test_a_data_set_of_its_own_that_a_profile_plans_is_no_picture_of_ones_own(tiny, results, monkeypatch):
    plan = studies.planned("quick", tiny)[0]
    named = replace(plan, choices=replace(plan.choices, dataset="theirs"))
    assert studies.place_of(named, "quick") == results / "own" / "quick" / tiny / named.name
    monkeypatch.setattr(sys.modules["tiny_study.choices"], "UNITS", {"quick": (named.choices,)})
    assert studies.place_of(named, "quick") == results / "quick" / tiny / named.name


def test_two_studies_of_one_name_are_refused(tiny, tmp_path):
    twin = tmp_path / "elsewhere"
    (twin / "tiny_study").mkdir(parents=True)
    (twin / "__init__.py").write_text("")
    (twin / "tiny_study" / "__init__.py").write_text(FACE)
    with pytest.raises(UserError, match="a study 'tiny_study' already: tiny_study, not elsewhere.tiny_study"):
        studies.register("elsewhere.tiny_study")


def test_an_unknown_study_names_those_there_are():
    with pytest.raises(UserError, match="unknown study 'dance'\n  choose one of: roi_roa, supplement"):
        studies.find("dance")


@pytest.mark.parametrize("name", studies.by_name())
def test_every_study_says_what_it_is_about(name):
    study = studies.find(name)
    assert study.title and study.paper and study.units("desk") and study.units("paper")
    assert study.units("quick") or study.files()  # what a fresh machine cannot compute needs files to be fetched
    assert study.name == name
