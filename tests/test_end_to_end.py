"""The quick profile through the command line: killed and resumed, twice at once, found again, read back."""

import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import reproduce

from roa_helpers import data, studies
from roa_helpers.page import claims
from roa_helpers.records import store

pytestmark = pytest.mark.end_to_end
PATIENCE = 600  # seconds

PAIRED = [name for name, study in studies.by_name().items() if study.pair]


def start(results, *arguments):
    command = [sys.executable, "-m", "roa_helpers", *arguments, "--profile", "quick"]
    environment = os.environ | {"ROA_RESULTS": str(results)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finish(process):
    """What the process printed; it must have succeeded."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out


def kill_in_training(results, dataset):
    """Start a unit and SIGKILL it once a first checkpoint stands; whatever it left is returned."""
    process = start(results, "study", "roi_roa", "--dataset", dataset)
    deadline = time.monotonic() + PATIENCE
    while not list(results.glob("quick/models/*.safetensors")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.communicate()
    return list(results.glob("quick/roi_roa/[!.]*"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two results folders: one whose faces were killed and resumed, and whose digits were asked for twice at once."""
    results, undisturbed = tmp_path_factory.mktemp("results"), tmp_path_factory.mktemp("undisturbed")
    assert kill_in_training(results, "faces") == [], "a killed run left something half-written"
    digits = [start(results, "study", "roi_roa", "--dataset", "digits") for _ in range(2)]
    faces = [start(folder, "study", "roi_roa", "--dataset", "faces") for folder in (results, undisturbed)]
    said = {"digits": [finish(process) for process in digits], "faces": [finish(process) for process in faces]}
    return results, undisturbed, said


def units(results):
    return [store.read(results / "quick" / "roi_roa" / plan.name) for plan in studies.planned("quick", "roi_roa")]


def test_two_runs_at_once_compute_a_unit_once(run):
    _, _, said = run
    assert sorted(line.split()[1] for line in said["digits"]) == ["computed", "reused"]
    assert [line.split()[1] for line in said["faces"]] == ["computed", "computed"]


def test_a_resumed_run_gives_the_numbers_of_an_undisturbed_one(run):
    results, undisturbed, _ = run
    resumed, whole = units(results)[1], units(undisturbed)[1]
    for part in ("directions", "parameters", "model", "fingerprint"):
        assert resumed.result[part] == whole.result[part]
    assert resumed.arrays.keys() == whole.arrays.keys()
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(resumed.arrays[name], array)
    for table in whole.path.glob("*.csv"):
        assert (resumed.path / table.name).read_bytes() == table.read_bytes()


def test_a_unit_holds_what_a_reader_needs(run):
    results, _, _ = run
    for unit in units(results):
        result = unit.result
        first, second = result["classes"]
        assert {(d["source"], d["target"]) for d in result["directions"].values()} == {(first, second), (second, first)}
        for direction in result["directions"].values():
            for score in ("clean", "adv", "mod", "mod_adv"):
                assert 0 <= direction["scores"][score]["k"] <= direction["scores"][score]["n"] > 0
            individual = direction["ssim"]["individual"]
            assert set(individual) == {"min", "max", "mean", "median", "sd", "n"}
            assert -1 <= individual["min"] <= individual["median"] <= individual["max"] <= 1
            assert -1 <= direction["ssim"]["representative"] <= 1
        assert len(result["parameters"]["eps"]) == 2 and min(result["parameters"]["eps"]) > 0
        provenance = result["provenance"]
        assert {"package", "commit", "python", "libraries", "device", "data", "finished", "seconds"} <= set(provenance)
        assert {"torch", "torchvision", "numpy"} <= set(provenance["libraries"])
        assert unit.arrays and list(unit.path.glob("*.csv"))


def test_a_second_run_reuses_everything_and_leaves_no_trace(run):
    results, _, _ = run
    before = {path: path.stat().st_mtime_ns for path in results.glob("quick/roi_roa/*/*")}
    said = finish(start(results, "study", "roi_roa"))
    assert [line.split()[1] for line in said.splitlines()] == ["reused", "reused"]
    assert {path: path.stat().st_mtime_ns for path in results.glob("quick/roi_roa/*/*")} == before


@pytest.mark.parametrize("study", PAIRED[1:])
def test_a_unit_of_every_other_study_of_pairs_is_computed_found_again_and_compared(study, tmp_path):
    plan = studies.planned("quick", study)[0]
    command = ("study", study, "--unit", plan.name)
    said = [finish(start(tmp_path, *command)).split()[:2] for _ in range(2)]
    assert said == [[plan.name, "computed"], [plan.name, "reused"]]
    unit = store.read(tmp_path / "quick" / study / plan.name, studies.expected(plan))
    assert unit.result["dataset"] == plan.choices.dataset and unit.result["classes"] == list(plan.choices.classes)
    quantities = reproduce.numbers([unit]).quantity
    assert quantities.is_unique and quantities.str.contains("0 to 1").any() and quantities.str.contains("1 to 0").any()


def test_a_number_that_moved_is_listed(run, tmp_path, capsys):
    results, _, _ = run
    recorded = units(results)
    assert reproduce.compare(recorded, recorded) == 0
    shutil.copytree(recorded[0].path, tmp_path / recorded[0].path.name)
    moved = store.read(tmp_path / recorded[0].path.name)
    scores = next(iter(moved.result["directions"].values()))["scores"]
    scores["clean"]["k"] = 0
    assert reproduce.compare(recorded[:1], [moved]) == 1
    assert "moved beyond the recorded interval: 1" in capsys.readouterr().out


def test_verdicts_are_read_back_as_text_and_as_json(run):
    results, _, _ = run
    rows = json.loads(finish(start(results, "verdicts", "--json")))
    assert {row["where"] for row in rows} >= {data.title_of("digits"), data.title_of("faces")}
    assert {row["verdict"] for row in rows} <= {*claims.VERDICTS, claims.NOT_JUDGED}
    assert "neutralisation weakens the attack" in finish(start(results, "verdicts"))
