import io
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from filelock import FileLock, SoftFileLock, Timeout

from roa_helpers import scratch, studies
from roa_helpers.errors import UserError
from roa_helpers.records import store

ARRAYS = {"map": np.arange(6.0).reshape(2, 3), "inside": np.array([True, False])}
TABLES = {"images": pd.DataFrame({"image": [0, 1], "ssim": [0.5, 0.25]})}


def result(value=1, **fingerprint):
    head = {"study": "roi_roa", "unit": "unit", "profile": "desk", "seed": 0}
    return head | {"value": value, "fingerprint": fingerprint or {"code": "c", "data": "d"}}


def write(path, content=None, **changed):
    given = {"arrays": ARRAYS, "tables": TABLES} | changed
    return store.write(path, result() if content is None else content, **given)


def everything(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# Write and read


def content(unit):
    """What was given to be written."""
    return {key: value for key, value in unit.result.items() if key not in ("files", "sum")}


@pytest.mark.parametrize("damage", (lambda file: file.unlink(), lambda file: file.write_bytes(b"cut")))
@pytest.mark.parametrize("name", ("arrays.npz", "table.csv"))
def test_a_unit_with_a_damaged_file_does_not_stand(tmp_path, name, damage):
    store.write(tmp_path / "unit", result(), arrays={"a": np.eye(2)}, tables={"table": pd.DataFrame({"x": [1]})})
    assert store.read(tmp_path / "unit")
    damage(tmp_path / "unit" / name)
    assert store.read(tmp_path / "unit") is None


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "desk" / "study" / "unit"
    written, unit = write(path), store.read(path)
    assert written == unit and content(unit) == result()
    assert np.array_equal(unit.arrays["map"], ARRAYS["map"]) and unit.arrays["inside"].dtype == bool
    assert unit.table("images").equals(TABLES["images"])
    assert sorted(p.name for p in path.iterdir()) == ["arrays.npz", "images.csv", "result.json"]
    assert [p.name for p in path.parent.iterdir()] == ["unit"]


def test_a_unit_can_be_read_by_others(tmp_path):
    write(tmp_path / "unit")
    assert (tmp_path / "unit").stat().st_mode & 0o777 == 0o755


def test_numbers_of_every_kind_become_plain_json(tmp_path):
    @dataclass
    class Choice:
        eps: float
        name: str

    values = {
        "numpy": [np.float32(0.5), np.int64(3), np.bool_(True)],
        "array": np.array([[1, 2], [3, 4]]),
        "path": tmp_path,
        "choice": Choice(0.25, "δ1"),
        "pair": (1, 2),
    }
    stored = write(tmp_path / "unit", values).result
    assert stored["numpy"] == [0.5, 3, True] and stored["array"] == [[1, 2], [3, 4]]
    assert (
        stored["path"] == str(tmp_path) and stored["choice"] == {"eps": 0.25, "name": "δ1"} and stored["pair"] == [1, 2]
    )


def test_what_json_has_no_number_for_becomes_null(tmp_path):
    @dataclass
    class Choice:
        eps: float

    nan, inf = float("nan"), float("inf")
    values = {
        "a": nan,
        "b": [inf, {"c": -inf}],
        "d": (np.float32("nan"), 1.0),
        "e": np.array([nan, 2]),
        "f": Choice(nan),
    }
    unit = write(tmp_path / "unit", values)
    expected = {"a": None, "b": [None, {"c": None}], "d": [None, 1.0], "e": [None, 2.0], "f": {"eps": None}}
    assert content(unit) == expected
    assert "NaN" not in (unit.path / "result.json").read_text()


def test_an_older_unit_is_replaced_whole(tmp_path):
    write(tmp_path / "unit", tables=TABLES | {"curves": TABLES["images"]})
    unit = write(tmp_path / "unit", result(2))
    assert unit.result["value"] == 2
    assert sorted(p.name for p in unit.path.iterdir()) == ["arrays.npz", "images.csv", "result.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["unit"]


# Failures


class Broken:
    """Neither JSON nor an array."""


def fails(*args, **kwargs):
    raise RuntimeError("in the middle")


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("where", ["savez_compressed", "to_csv", "dumps", "replace"])
def test_an_exception_leaves_the_old_unit_and_nothing_else(tmp_path, monkeypatch, where, older):
    if older:
        write(tmp_path / "unit")
    before = everything(tmp_path)
    owner = {"savez_compressed": np, "to_csv": pd.DataFrame, "dumps": store.json, "replace": os}[where]
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="in the middle"):
        patch.setattr(owner, where, fails)
        write(tmp_path / "unit", result(2))
    assert everything(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == older


def test_what_cannot_be_stored_leaves_the_old_unit(tmp_path):
    write(tmp_path / "unit")
    before = everything(tmp_path)
    with pytest.raises(TypeError, match="cannot store a Broken"):
        write(tmp_path / "unit", {"value": Broken()})
    assert everything(tmp_path) == before


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failing_move_leaves_the_old_unit_and_nothing_else(tmp_path, monkeypatch, failing):
    write(tmp_path / "unit")
    before, replace, calls = everything(tmp_path), os.replace, []

    def replace_or_fail(*args):
        calls.append(args)
        if len(calls) == failing:
            fails()
        replace(*args)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="in the middle"):
        patch.setattr(os, "replace", replace_or_fail)
        write(tmp_path / "unit", result(2))
    assert everything(tmp_path) == before and [p.name for p in tmp_path.iterdir()] == ["unit"]


def python(code, *args, **options):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, args)], text=True, **options)


KILLED = """
import os, sys
import numpy as np
from roa_helpers.records import store
dies = iter([False] * int(sys.argv[2]) + [True])
def last(function):
    def call(*args, **kwargs):
        function(*args, **kwargs)
        if next(dies):
            os._exit(9)
    return call
np.savez_compressed, os.replace = last(np.savez_compressed), last(os.replace)
store.write(sys.argv[1], {"value": 2, "fingerprint": {}}, arrays={"a": np.zeros(3)}, tables={})
"""


@pytest.mark.parametrize("older", [False, True])
def test_a_process_killed_while_building_leaves_nothing_new_to_read(tmp_path, results, older):
    path = results / "desk" / "roi_roa" / "unit"
    if older:
        write(path)
    assert python(KILLED, path, 0).wait() == 9
    assert len(list(path.parent.iterdir())) == 1 + older  # the folder it was building
    found = store.read(path)
    assert content(found) == result() if older else found is None
    assert [unit.path.name for unit in studies.finished("quick", "roi_roa")] == ["unit"] * older
    assert write(path, result(3)).result["value"] == 3


def test_a_process_killed_between_the_two_moves_leaves_a_unit_to_compute_again(tmp_path):
    write(tmp_path / "unit")
    assert python(KILLED, tmp_path / "unit", 1).wait() == 9
    assert store.read(tmp_path / "unit") is None
    assert write(tmp_path / "unit", result(3)).result["value"] == 3


def test_a_place_that_cannot_be_written_is_a_user_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    before = everything(tmp_path)
    for place in (tmp_path / "file" / "unit", tmp_path / "file" / "study" / "unit"):
        with pytest.raises(UserError, match="ROA_RESULTS"):
            write(place)
        with pytest.raises(UserError, match="ROA_RESULTS"), store.lock(place):
            pytest.fail("locked a place that cannot be written")
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (13, "make it writable"),
        (28, "free some space"),
        (30, "read-only: set ROA_RESULTS"),
        (27, "limit on the size"),
        (24, "Too many open files"),
        (122, "quota"),
        (36, "too long"),
    ],
)
def test_what_the_disk_refuses_is_a_user_error(tmp_path, monkeypatch, number, said):
    def refused(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(np, "savez_compressed", refused)
    with pytest.raises(UserError, match=said):
        write(tmp_path / "unit")
    assert list(tmp_path.iterdir()) == []


# Fingerprints


def test_a_unit_of_another_fingerprint_is_not_read(tmp_path):
    write(tmp_path / "unit", result(code="c", data="d"))
    for expected in (None, {}, {"code": "c"}, {"code": "c", "data": "d"}):
        assert store.read(tmp_path / "unit", expected)
    for expected in ({"code": "other"}, {"code": "c", "data": "other"}, {"device": "cpu"}):
        assert store.read(tmp_path / "unit", expected) is None


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b'"text"', b"\xff\xfe", b'{"value": 1}'])
def test_a_result_that_is_none_is_not_read(tmp_path, raw):
    write(tmp_path / "unit")
    (tmp_path / "unit" / "result.json").write_bytes(raw)
    assert store.read(tmp_path / "unit") is None


def test_nothing_is_read_where_nothing_or_a_file_lies(tmp_path):
    (tmp_path / "file").write_text("{}")
    assert store.read(tmp_path / "absent") is None and store.read(tmp_path / "file") is None


# Locks


def test_a_locked_unit_is_locked_for_others(tmp_path):
    with store.lock(tmp_path / "study" / "unit"):
        with pytest.raises(Timeout):
            FileLock(tmp_path / "study" / ".unit.lock", timeout=0).acquire()
        with store.lock(tmp_path / "study" / "another"):
            pass
    FileLock(tmp_path / "study" / ".unit.lock", timeout=0).acquire()


@pytest.mark.parametrize("error", [PermissionError("data"), FileExistsError("data"), KeyboardInterrupt()])
def test_an_exception_unlocks_and_is_not_taken_for_one_of_the_store(tmp_path, error):
    with pytest.raises(type(error)), store.lock(tmp_path / "unit"):
        raise error
    FileLock(tmp_path / ".unit.lock", timeout=0).acquire()


COUNTS = """
import sys
from roa_helpers.records import store
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    with store.lock(sys.argv[1]):
        unit = store.read(sys.argv[1])
        count = unit.result["count"] if unit else 0
        store.write(sys.argv[1], {"count": count + 1, "fingerprint": {}}, arrays={}, tables={})
"""


def test_two_processes_on_one_unit_do_not_interleave(tmp_path):
    """Each reads a number and writes the next: an update is lost if both read the same one."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    both = [python(COUNTS, tmp_path / "unit", 40, **pipes) for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        process.communicate()
        assert process.returncode == 0
    assert store.read(tmp_path / "unit").result["count"] == 80
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".lock") == ["unit"]


@pytest.mark.parametrize("number", store.NO_LOCKS)
def test_without_locks_of_the_file_system_a_file_takes_their_place(tmp_path, monkeypatch, number):
    def none(self, *args, **kwargs):
        raise NotImplementedError if number == store.errno.ENOSYS else OSError(number, os.strerror(number))

    monkeypatch.setattr(store.FileLock, "acquire", none)
    with store.lock(tmp_path / "unit"):
        (held,) = tmp_path.glob("*.held")
        with pytest.raises(Timeout):
            SoftFileLock(held, timeout=0).acquire()
    assert not list(tmp_path.glob("*.held"))


# What is read is what was written


def altered(path, change):
    found = store.json.loads((path / "result.json").read_text())
    change(found)
    (path / "result.json").write_text(store.json.dumps(found))


@pytest.mark.parametrize(
    "change",
    [
        lambda result: result.update(value=2), lambda result: result.pop("files"), lambda result: result.pop("sum"),
        lambda result: result["files"].pop("images.csv"), lambda result: result.update(files=[]),
        lambda result: result.update(fingerprint=None), lambda result: result["files"].update({"../other": "0"}),
        lambda result: result["files"].update({"absent.csv": "0"}),
    ],
)  # fmt: skip
def test_an_altered_result_does_not_stand(tmp_path, change):
    write(tmp_path / "unit")
    altered(tmp_path / "unit", change)
    assert store.read(tmp_path / "unit") is None


@pytest.mark.parametrize("name", ["result.json", "arrays.npz", "images.csv"])
def test_one_flipped_bit_is_noticed_wherever_it_is(tmp_path, name):
    write(tmp_path / "unit")
    path = tmp_path / "unit" / name
    raw = path.read_bytes()
    for place in range(0, len(raw), 7):
        flipped = bytearray(raw)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        assert store.read(tmp_path / "unit") is None
    path.write_bytes(raw)
    assert store.read(tmp_path / "unit")


def test_a_unit_stays_what_it_was_when_it_was_read(tmp_path):
    unit = write(tmp_path / "unit")
    write(tmp_path / "unit", result(2), arrays={"map": np.zeros(1)}, tables={})
    assert unit.result["value"] == 1 and np.array_equal(unit.arrays["map"], ARRAYS["map"])
    assert unit.table("images").equals(TABLES["images"])


WRITES = """
import sys
import numpy as np
from roa_helpers.records import store
print("ready", flush=True)
for n in range(int(sys.argv[2])):
    store.write(sys.argv[1], {"n": n, "fingerprint": {}}, arrays={"n": np.array(n)}, tables={})
"""


def test_a_pipe_in_the_place_of_a_file_is_not_read_without_end(tmp_path):
    place = write(tmp_path / "unit").path
    for name in ("images.csv", store.RESULT):
        (place / name).unlink()
        os.mkfifo(place / name)
        assert store.read(place) is None


@pytest.mark.parametrize("text", ["[]", "3", '{"files": 7}', '{"files": {}, "fingerprint": {}}', "\\xff", "{" * 9999])
def test_a_unit_of_another_shape_is_absent_and_a_line_says_so(tmp_path, caplog, text):
    (tmp_path / "unit").mkdir()
    (tmp_path / "unit" / "result.json").write_text(text)
    assert store.read(tmp_path / "unit") is store.read(tmp_path / "unit") is None
    assert [record.getMessage() for record in caplog.records] == [
        f"the unit at {tmp_path / 'unit'} is not as it was written, so it counts as absent"
    ]
    assert store.read(tmp_path / "nowhere") is None and len(caplog.records) == 1


def test_a_reader_beside_a_writer_sees_whole_units_alone(tmp_path):
    store.write(tmp_path / "unit", {"n": -1, "fingerprint": {}}, arrays={"n": np.array(-1)}, tables={})
    process = python(WRITES, tmp_path / "unit", 60, stdout=subprocess.PIPE)
    assert process.stdout.readline() == "ready\n"
    seen = []
    while process.poll() is None:
        unit = store.read(tmp_path / "unit")
        if unit:
            assert unit.result["n"] == unit.arrays["n"]
            seen.append(unit.result["n"])
    assert seen == sorted(seen) and len(seen) > 10


# What a killed process left behind


def of_a_dead_process(path):
    """A scratch path beside ``path`` with the number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return path.with_name(scratch.beside(path).name.replace(f".{os.getpid()}.", f".{ended.pid}."))


def test_what_a_dead_process_was_building_is_removed_and_what_a_live_one_builds_stays(tmp_path):
    path = tmp_path / "unit"
    dead, alive = of_a_dead_process(path), scratch.beside(path)
    dead.mkdir(), alive.mkdir()
    (dead / "arrays.npz").write_bytes(b"half")
    other = tmp_path / ".unit2.host.1.0.scratch"
    other.mkdir()
    with store.lock(path):
        assert not dead.exists() and alive.exists() and other.exists()


def test_a_unit_that_was_moved_aside_by_a_killed_process_goes_back(tmp_path):
    path = tmp_path / "unit"
    write(path)
    path.rename(of_a_dead_process(path))
    assert store.read(path) is None
    with store.lock(path):
        assert content(store.read(path)) == result()
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ".lock"] == ["unit"]


# Where results lie, and which are shown


def test_the_results_folder_is_the_variable_then_the_nearest_upwards_then_here(tmp_path, monkeypatch):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    monkeypatch.delenv("ROA_RESULTS", raising=False)
    assert store.root() == deep / "results"
    (tmp_path / "results").mkdir()
    assert store.root() == tmp_path / "results"
    (tmp_path / "a" / "results").mkdir()
    assert store.root() == tmp_path / "a" / "results"
    monkeypatch.setenv("ROA_RESULTS", str(tmp_path / "elsewhere"))
    assert store.root() == tmp_path / "elsewhere"
    assert store.unit_path("desk", "roi_roa", "u") == tmp_path / "elsewhere" / "desk" / "roi_roa" / "u"
    monkeypatch.setenv("ROA_RESULTS", "~/results")
    assert store.root() == store.Path.home() / "results"
    monkeypatch.setenv("ROA_RESULTS", "")
    assert store.root() == tmp_path / "a" / "results"


def test_a_results_folder_that_cannot_be_named_is_a_user_error(tmp_path, monkeypatch):
    monkeypatch.setenv("ROA_RESULTS", "~nobody-of-this-name/results")
    with pytest.raises(UserError, match="no results folder: .*no such home folder(.|\n)*ROA_RESULTS="):
        store.root()
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.delenv("ROA_RESULTS")
    with pytest.raises(UserError, match="no results folder: .*the working folder is gone(.|\n)*ROA_RESULTS="):
        store.root()


def test_provenance_is_complete_and_can_be_stored(tmp_path):
    found = store.provenance(device="cpu", data={"n": 3}, seconds=1.26)
    assert found["seconds"] == 1.3 and found["libraries"]["torch"] and found["python"]
    assert content(write(tmp_path / "unit", found)) == found


def test_without_git_there_is_no_commit(monkeypatch):
    def absent(*args, **kwargs):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", absent)
    assert store.provenance(device="cpu", data=None, seconds=0)["commit"] is None


def commit_told_in(folder):
    """What a result says of its commit where the package lies in ``folder``."""
    code = (
        "from roa_helpers.records import store; print(store.provenance(device='cpu', data=None, seconds=0)['commit'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_copy_inside_somebody_elses_repository_names_no_commit(tmp_path):
    shutil.copytree(Path(store.__file__).parents[1], tmp_path / "roa_helpers")
    git = ["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "theirs").write_text("")
    subprocess.run([*git, "add", "theirs"], check=True)
    subprocess.run([*git, "commit", "-qm", "theirs"], check=True)
    assert commit_told_in(tmp_path) == "None"
    subprocess.run([*git, "add", "roa_helpers"], check=True)
    subprocess.run([*git, "commit", "-qm", "now it is tracked"], check=True)
    told = commit_told_in(tmp_path)
    assert len(told) == 12
    (tmp_path / "theirs").write_text("a result that was computed anew")
    assert commit_told_in(tmp_path) == told
    with (tmp_path / "roa_helpers" / "errors.py").open("a") as file:
        file.write("# changed\n")
    assert commit_told_in(tmp_path) == f"{told}-dirty"


def test_an_archive_tells_its_commit_and_a_copy_of_its_files_does_not(tmp_path):
    checkout, theirs = Path(store.__file__).parents[2], tmp_path / "repository"
    shutil.copytree(checkout / "roa_helpers", theirs / "roa_helpers", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".git_archival.txt", ".gitattributes"):
        shutil.copy(checkout / name, theirs)
    git = ["git", "-C", theirs, "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    packed = subprocess.run([*git, "archive", "HEAD"], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    assert commit_told_in(tmp_path / "unpacked") == head[:12]
    shutil.copy(checkout / ".git_archival.txt", tmp_path / "unpacked")
    assert commit_told_in(tmp_path / "unpacked") == "None"


def test_the_processor_is_named_and_what_torch_takes_of_it():
    cpu = store.provenance(device="cpu", data=None, seconds=0)["cpu"]
    taken, *more = cpu["instructions"].split(", ")
    assert set(cpu) == {"model", "instructions"} and taken == torch.backends.cpu.get_cpu_capability()
    assert more == ["AMX"] * bool(getattr(torch.cpu, "get_capabilities", dict)().get("amx_bf16"))
