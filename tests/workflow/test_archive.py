"""The archive of the recorded results reads back, names every file with its sum, and says who computed what."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
import yaml

from roa_helpers.errors import UserError

rocrate = pytest.importorskip("rocrate.rocrate")

import archive  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())


@pytest.fixture
def written(units, tmp_path):
    return archive.write(tmp_path / "results.zip", units, citation=CITATION)


def unpacked(path, folder):
    with zipfile.ZipFile(path) as file:
        file.extractall(folder)
    return folder


def test_the_description_reads_back_and_names_each_unit_with_its_sums(written, units, tmp_path):
    folder = unpacked(written, tmp_path / "read")
    crate = rocrate.ROCrate(folder)
    assert crate.name == f"{CITATION['title']}: recorded results"
    assert crate.license.id.endswith(CITATION["license"])
    assert crate.root_dataset["author"]["name"] == CITATION["authors"][0]["name"]
    assert crate.root_dataset["citation"]["name"] == "Spatially Correlated Patterns in Adversarial Images"
    for unit in units:
        place = f"{unit.result['profile']}/roi_roa/{unit.path.name}/"
        named = crate.dereference(place)
        assert {part.id for part in named["hasPart"]} == {place + name for name in unit.files}
        for name, content in unit.files.items():
            file = crate.dereference(place + name)
            assert (
                file["sha256"] == hashlib.sha256(content).hexdigest()
                and (folder / place / name).read_bytes() == content
            )
        (made,) = [one for one in crate.get_by_type("CreateAction") if one["result"] == named]
        origin = unit.result["provenance"]
        assert made["endTime"] == origin["finished"] and made["instrument"]["softwareVersion"] == CITATION["version"]
        assert f"commit {origin['commit'] or 'unknown'}" in made["description"] and "device cpu" in made["description"]


def test_nothing_is_in_the_archive_that_its_description_leaves_out(written, tmp_path):
    folder = unpacked(written, tmp_path / "read")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    described = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    assert files - {"ro-crate-metadata.json"} == {one["@id"] for one in described if one["@type"] == "File"}


def test_equal_results_give_equal_bytes(written, units, tmp_path):
    again = archive.write(tmp_path / "again.zip", units, citation=CITATION)
    assert again.read_bytes() == written.read_bytes()
    fewer = archive.write(tmp_path / "fewer.zip", units[:1], citation=CITATION)
    assert fewer.read_bytes() != written.read_bytes()


def test_people_are_people():
    crate = rocrate.ROCrate()
    someone = {"family-names": "Doe", "given-names": "Jo", "orcid": "https://orcid.org/0000-0002-1825-0097"}
    found = archive.author(crate, someone)
    assert (found.type, found["name"], found.id) == ("Person", "Jo Doe", someone["orcid"])


def test_units_that_are_not_whole_are_left_out(units, results):
    for unit in units:
        target = results / "desk" / "roi_roa" / f"{unit.path.name}-{unit.result['profile']}"
        target.mkdir(parents=True)
        for name, content in unit.files.items():
            (target / name).write_bytes(content)
    (results / "desk" / "roi_roa" / f"{units[0].path.name}-quick" / "images.csv").write_text("changed")
    assert [unit.path.name for unit in archive.recorded()] == [f"{units[1].path.name}-desk"]


def test_without_results_there_is_one_message(results, capsys):
    with pytest.raises(UserError, match="no recorded results at"):
        archive.recorded()
    assert archive.main([]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
