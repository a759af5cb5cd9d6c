"""The command line as a user meets it: exit codes, one clear message, no traceback, quick to start."""

import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from roa_helpers import __main__, studies
from roa_helpers.errors import UserError
from roa_helpers.studies import runs
from roa_helpers.studies.roi_roa import choices, published
from roa_helpers.studies.supplement import reference

PAIRED = [name for name, study in studies.by_name().items() if study.pair]


def run(*arguments, **environment):
    command = [sys.executable, "-m", "roa_helpers", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=120)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def pictures(tmp_path):
    """A folder of three classes with two pictures each."""
    for label in ("ant", "bee", "cat"):
        (tmp_path / "zoo" / label).mkdir(parents=True)
        for i in range(2):
            pixels = np.random.default_rng(i).integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "zoo" / label / f"{i}.png")
    return tmp_path / "zoo"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["dance"], "invalid choice: 'dance'"),
        (["study", "nothing"], "unknown study 'nothing'"),
        (["study", "roi_roa", "--profile", "huge"], "unknown profile 'huge'"),
        (["study", "roi_roa", "--dataset", "stars"], "unknown data set 'stars'"),
        (["study", "roi_roa", "--dataset", "mnist"], "data set 'mnist' not found"),
        (["study", "roi_roa", "--dataset", "digits", "--pair", "0", "0"], "a pair is two different classes"),
        (["study", "roi_roa", "--dataset", "digits", "--pair", "0", "ten"], "has no class 'ten'"),
        (["study", "roi_roa", "--pair", "0", "1"], "--pair needs the data set"),
        (["study", "roi_roa", "--dataset", "digits", "--images", "x"], "exclude each other"),
        (["study", "roi_roa", "--images", "nowhere"], "nowhere"),
        (["study", "supplement", "--dataset", "mnist", "--pair", "1", "2"], "data set 'mnist' not found"),
        (
            ["study", "roi_roa", "--unit", "digits-0-1"],
            "plans no unit 'digits-0-1' of roi_roa\n  name one like 'digits",
        ),
        (["study", "roi_roa", "--unit", "digits-0-1-seed0", "--pair", "0", "1"], "--unit names a unit whole"),
        (
            ["study", "roi_roa", "--seed", str(2**31)],
            "a seed is a whole number from 0 to 2,147,483,647, not 2147483648",
        ),
        (["study", "roi_roa", "--seed", "1.5"], "not '1.5'"),
        (["study", "roi_roa", "--seed", "-1"], "a seed is a whole number from 0 to 2,147,483,647, not '-1'"),
        (["study", "roi_roa", "--epochs", "3"], "unrecognized arguments: --epochs 3"),
        (["study", "roi_roa", "--prof", "quick"], "unrecognized arguments: --prof quick"),
        (["data", "check", "stars"], "unknown data set 'stars'"),
        (["data", "fetch", "stars"], "unknown data set 'stars'"),
        (["verdicts", "--profile", "huge"], "unknown profile 'huge'"),
        (["verdicts"], "no results of profile 'quick' yet"),
    ],
)
def test_what_a_user_gets_wrong_is_one_message_and_exit_code_2(arguments, message, tmp_path):
    done = run(*arguments, ROA_DATA=str(tmp_path), ROA_RESULTS=str(tmp_path / "results"))
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) <= 5
    assert not (tmp_path / "results" / "quick" / "roi_roa" / "digits-0-1-seed0").exists()


def test_results_that_cannot_be_written_are_one_message(tmp_path):
    (tmp_path / "file").touch()
    done = run("study", "roi_roa", "--dataset", "digits", ROA_RESULTS=str(tmp_path / "file" / "results"))
    assert done.returncode == 2
    assert "cannot write results" in done.stderr


def test_a_harmful_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../x/1.png", b"")
    done = run("study", "roi_roa", "--images", tmp_path / "evil.zip")
    assert done.returncode == 2
    assert "leads out of the archive" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["evil.zip"]


def test_pictures_that_cannot_be_read_are_named_and_exit_code_1(pictures):
    assert run("data", "check", pictures).returncode == 0
    broken = pictures / "bee" / "0.png"
    broken.write_bytes(broken.read_bytes()[:60])
    done = run("data", "check", pictures)
    assert done.returncode == 1
    assert "unreadable: 1\n    bee/0.png" in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["study", "--help"], ["data", "list"], ["verdicts"]])
def test_what_needs_no_torch_does_not_import_it(arguments, tmp_path):
    code = f"""
import contextlib, sys
from roa_helpers.__main__ import main
with contextlib.suppress(SystemExit):
    main({arguments!r})
sys.exit("torch" in sys.modules)
"""
    environment = os.environ | {"ROA_RESULTS": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True).returncode == 0


def test_importing_the_package_takes_well_under_a_second():
    code = """
import sys, time
start = time.perf_counter()
import roa_helpers
print(time.perf_counter() - start)
assert "torch" not in sys.modules and "numpy" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.5


def test_the_known_data_sets_are_listed(tmp_path):
    done = run("data", "list", ROA_DATA=str(tmp_path))
    assert done.returncode == 0
    assert str(tmp_path) in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()[1:3]] == ["digits", "faces"]
    offered = [files for study in studies.by_name().values() for files in study.files()]
    listed = done.stdout.splitlines()[-len(offered) :]
    assert [line.split()[0] for line in listed] == [files.name for files in offered]
    assert reference.AUTHORS in offered
    assert all(
        f"not found; looked in {tmp_path / files.folder}" in line for files, line in zip(offered, listed, strict=True)
    )


def test_verdicts_say_when_they_are_of_other_code_or_choices(units, monkeypatch, capsys):
    monkeypatch.setenv("ROA_RESULTS", str(units[1].path.parents[2]))
    assert __main__.main(["verdicts"]) == 0
    said = capsys.readouterr()
    assert "neutralisation weakens the attack" in said.out
    assert said.err == "not all units are what the present code would compute (parameters changed since: 1 of 1)\n"
    monkeypatch.setattr(runs, "standing", lambda unit: "current")
    assert __main__.main(["verdicts", "--json"]) == 0
    assert capsys.readouterr().err == ""


def test_an_interrupt_is_one_line_and_exit_code_130(monkeypatch, capsys):
    def interrupted(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "run_list", interrupted)
    assert __main__.main(["data", "list"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted; what was finished is kept"


def test_without_a_data_set_all_units_of_the_profile_are_planned():
    assert __main__.asked(name="roi_roa", profile="quick") == studies.planned("quick", "roi_roa")


@pytest.mark.parametrize("profile", studies.PROFILES)
@pytest.mark.parametrize("study", studies.by_name())
def test_every_profile_plans_units_of_every_study_each_with_a_name_of_its_own(study, profile):
    names = [plan.name for plan in studies.planned(profile, study)]
    assert len(set(names)) == len(names)
    assert names or (profile == "quick" and studies.find(study).files())  # a fresh machine lacks its files
    assert all(re.fullmatch(r"[\w.-]+-seed\d+", name) for name in names)


@pytest.mark.parametrize("study", studies.by_name())
def test_a_unit_is_planned_by_its_name_alone(study):
    for plan in studies.planned("quick", study, seed=7):
        assert __main__.asked(name=study, profile="quick", unit=[plan.name], seed=7) == [plan]


@pytest.mark.parametrize("study", PAIRED)
@pytest.mark.parametrize("pair", [["0", "1"], ["1", "0"], None])
def test_a_data_set_of_the_profile_takes_its_units_whatever_the_order_of_the_pair(study, pair):
    plans = __main__.asked(name=study, profile="quick", dataset="digits", pair=pair, seed=7)
    every = [plan for plan in studies.planned("quick", study, seed=7) if plan.choices.dataset == "digits"]
    assert plans == [plan for plan in every if pair is None or plan.choices.classes == ("0", "1")]
    assert plans[0].name.startswith("digits-0-1-") and plans[0].name.endswith("-seed7")


CLOTHED = [name for name in PAIRED if "fashion-mnist" in {one.dataset for one in studies.find(name).units("desk")}]


@pytest.mark.parametrize("study", CLOTHED)
@pytest.mark.parametrize("pair", [["1", "2"], ["2", "1"], ["Pullover", "1"], ["Trouser", "Pullover"]])
def test_labels_name_classes_as_well(study, pair):
    plans = __main__.asked(name=study, profile="desk", dataset="fashion-mnist", pair=pair)
    assert plans and all(plan in studies.planned("desk", study) for plan in plans)
    assert {plan.choices.classes for plan in plans} == {("Trouser", "Pullover")}


def test_names_of_folders_name_classes_as_well():
    plans = studies.planned("quick", "roi_roa", dataset="imagenette", classes=["n02102040", "tench"])
    assert [plan.name for plan in plans] == ["imagenette-tench-English_springer-seed0"]


def test_one_class_by_two_names_is_no_pair():
    with pytest.raises(UserError, match="two different classes, not '1' and 'Trouser'"):
        __main__.asked(name="roi_roa", profile="desk", dataset="fashion-mnist", pair=["1", "Trouser"])


@pytest.mark.parametrize("study", PAIRED)
@pytest.mark.parametrize("pair", [["8", "9"], ["9", "8"]])
def test_another_pair_borrows_the_choices_of_its_data_set(study, pair):
    plans = __main__.asked(name=study, profile="quick", dataset="digits", pair=pair)
    known = __main__.asked(name=study, profile="quick", dataset="digits", pair=["0", "1"])
    assert [plan.name for plan in plans] == [plan.name.replace("0-1", "8-9") for plan in known]
    assert [replace(plan.choices, classes=("0", "1")) for plan in plans] == [plan.choices for plan in known]


def test_another_data_set_borrows_all_choices_but_the_accuracy_under_attack_to_match():
    (plan,) = studies.planned("quick", "roi_roa", dataset="mnist", classes=["0", "1"])
    lender = studies.planned("quick", "roi_roa")[0].choices
    target = published.attacked_accuracy("mnist", ("0", "1"), default=None)
    assert target == (0.9062, 0.9685) != lender.eps_target
    assert plan.choices == replace(lender, dataset="mnist", eps_target=target)
    (plan,) = studies.planned("desk", "roi_roa", dataset="digits", classes=["0", "1"], seed=0)
    assert (
        plan.choices.eps_target == choices.Pair.eps_target != studies.planned("desk", "roi_roa")[0].choices.eps_target
    )


def test_own_images_that_cannot_make_a_pair_are_refused(pictures, tmp_path):
    with pytest.raises(UserError, match="nothing lies at"):
        __main__.asked(name="roi_roa", profile="quick", images=str(tmp_path / "nowhere"))
    for name in ("bee", "cat"):
        for picture in (pictures / name).iterdir():
            picture.unlink()
        (pictures / name).rmdir()
    with pytest.raises(UserError, match="a single class, ant"):
        __main__.asked(name="roi_roa", profile="quick", images=str(pictures))


@pytest.mark.parametrize("study", ["roi_roa", "curvature", "localized"])
def test_every_study_says_what_it_understood_before_it_computes(study, pictures, tmp_path, monkeypatch, capsys):
    def computed(*_, **__):
        raise UserError("this far")

    for label in ("ant", "bee", "cat"):
        for i in range(14):
            pixels = np.random.default_rng((i, ord(label[0]))).integers(0, 255, (230, 230, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(pictures / label / f"{i}.png")
    (pictures / "cat" / "broken.png").write_bytes(b"no")
    (pictures / "cat" / "1.heic").write_bytes(b"")
    monkeypatch.setenv("ROA_RESULTS", str(tmp_path / "results"))
    monkeypatch.setattr(studies.find(study).part("compute"), "compute", computed)
    pair = ["--pair", "ant", "cat"] if study == "roi_roa" else []
    assert __main__.main(["study", study, "--images", str(pictures), *pair]) == 2
    *said, last = capsys.readouterr().err.splitlines()
    assert last == "this far"
    expected = ["zoo: class folders; ant 14, bee 14, cat 15", "zoo: left aside: 1 files ending in .heic"]
    broken = r"zoo: 1 of \d+ pictures cannot be read: 1 no picture by content \(first cat/broken.png\)"
    if study == "localized":  # which takes the first by name
        count = studies.find(study).units("quick")[0].photos
        expected[0], broken = f"zoo: 43 pictures, of which {count} are taken", expected[1]
    assert [line for line in said if line.startswith("zoo: ")][:2] == expected and re.fullmatch(broken, said[-1])


def test_a_check_says_what_it_understood_and_where_it_guessed(tmp_path, capsys):
    for path in ("train/a/1", "train/b/2", "test/a/3", "sample/a/4", "train/b/5"):
        place = tmp_path / "zoo" / f"{path}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), 9 * min(int(path[-1]), 4)).save(place)
    (tmp_path / "zoo/train/b/6.png").write_bytes((tmp_path / "zoo/train/b/2.png").read_bytes())
    assert __main__.main(["data", "check", str(tmp_path / "zoo")]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "zoo: class folders; train: a 1, b 3; test: a 1, b 0",
        "zoo: left aside: 1 pictures in sample/",
        "zoo: a guess: test, train taken for parts of the data, sample left aside",
        "zoo: a guess: test and the training part do not have the same classes: b",
    ]
    assert "  duplicates: 1, the first train/b/6.png\n" in said.out


def test_names_are_not_obeyed_by_the_terminal(tmp_path, capsys):
    place = tmp_path / "\x1b[31mred\n"
    for label in ("a\x1b]0;title\x07", "b"):
        (place / label).mkdir(parents=True)
        (place / label / "1\r.png").write_bytes(b"broken")
    asked = (["data", "check", str(place)], ["study", "roi_roa", "--images", f"{place}x"],
             ["study", "roi_roa", "--images", str(place), "--pair", "\x1b[2J", "b"])  # fmt: skip
    for arguments in asked:
        assert __main__.main(arguments) in (1, 2)
        said = capsys.readouterr()
        assert (said.out + said.err).replace("\n", "").isprintable()
    assert "a\\x1b]0;title\\x07" in said.err


def test_a_path_that_is_no_utf_8_is_refused_before_anything_is_read(tmp_path):
    place = os.fsdecode(bytes(tmp_path) + b"/zoo\xff")
    os.mkdir(place)
    for study in ("roi_roa", "curvature", "localized"):
        with pytest.raises(UserError, match="is no UTF-8: results cannot say so\n  rename it"):
            __main__.asked(name=study, profile="quick", images=place)


@pytest.mark.parametrize("study", studies.by_name())
def test_what_is_neither_folder_nor_file_is_one_message_of_every_study(study, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for images, message in (
        (tmp_path / "pipe", "a named pipe"),
        ("/dev/zero", "a device"),
        ("x" * 400, "too long"),
        (tmp_path / "loop", "in a circle"),
        ("", "an empty path"),
        ("nowhere", "nothing lies at"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            __main__.asked(name=study, profile="quick", images=str(images))
        assert len(str(caught.value).splitlines()) == 2


def test_an_existing_folder_is_not_said_to_be_absent(pictures):
    with pytest.raises(UserError, match="by --images; a folder lies at"):
        __main__.asked(name="roi_roa", profile="quick", dataset=str(pictures), pair=["ant", "bee"])


def test_two_classes_are_too_few_for_curvature_and_that_is_said_before_anything_is_computed(pictures, tmp_path, capsys):
    for picture in (pictures / "bee").iterdir():
        picture.unlink()
    (pictures / "bee").rmdir()
    assert __main__.main(["study", "curvature", "--images", str(pictures)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "zoo: class folders; ant 2, cat 2",
        "zoo: 2 of 4 pictures are duplicates, used once: cat/0.png is ant/0.png",
        "class 'cat' has no picture of its own in zoo: all 2 are duplicates, cat/0.png of ant/0.png",
        "  leave the class out, or mend its pictures",
    ]
    for i in range(2):
        Image.new("L", (4, 4), 9 * i).save(pictures / "cat" / f"{i}.png")
    assert __main__.main(["study", "curvature", "--images", str(pictures)]) == 2
    assert capsys.readouterr().err.splitlines()[1] == "zoo has too few classes, 2 where 3 are needed: ant, cat"


def test_own_images_with_two_classes_need_no_pair(pictures):
    with pytest.raises(UserError, match="has 3 classes: ant, bee, cat\n  choose two"):
        __main__.asked(name="roi_roa", profile="quick", images=str(pictures))
    (plan,) = __main__.asked(name="roi_roa", profile="quick", images=str(pictures), pair=["cat", "ant"])
    assert re.fullmatch(r"own-zoo-[0-9a-f]{6}-ant-cat-seed0", plan.name)
    for picture in (pictures / "bee").iterdir():
        picture.unlink()
    (pictures / "bee").rmdir()
    (plan,) = __main__.asked(name="roi_roa", profile="quick", images=str(pictures))
    assert plan.choices.classes == ("ant", "cat")
    assert "/" not in plan.name


def test_a_reader_that_has_had_enough_ends_the_output_in_silence(tmp_path):
    command = [sys.executable, "-u", "-m", "roa_helpers", "data", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 0)


def test_a_terminal_of_few_characters_shows_what_it_can(tmp_path):
    done = run("data", "list", PYTHONIOENCODING="ascii", ROA_DATA=str(tmp_path / "Ä"))
    assert done.returncode == 0 and "\\xc4" in done.stdout


@pytest.mark.parametrize("seed", ["abc", 1.5, -1, True, 2**31, "7"])
def test_a_notebook_is_told_what_a_seed_is_before_anything_is_trained(seed):
    with pytest.raises(UserError, match="a seed is a whole number from 0"):
        studies.units("roi_roa", "quick", seed=seed)
