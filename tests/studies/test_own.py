"""Somebody's own pictures, from a folder to a page of pictures."""

import re
from dataclasses import replace

import numpy as np
import pytest
import samples
from PIL import Image

from roa_helpers import __main__, studies
from roa_helpers.errors import UserError
from roa_helpers.studies import own
from roa_helpers.studies.roi_roa import choices

CLASSES = ("<script>alert(1)<", "b|`c` $x$ **y**")


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """A folder of two classes whose names are markup; the quick profile has small choices."""
    monkeypatch.setitem(choices.UNITS, "quick", (replace(samples.CHOICES, epochs=1),))
    for k, label in enumerate(CLASSES):
        (tmp_path / "<b>zoo" / label).mkdir(parents=True)
        for i, picture in enumerate(samples.pictures(40, 3).images[40 * k : 40 * k + 40]):
            pixels = np.round(255 * picture[0].numpy().clip(0, 1)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "<b>zoo" / label / f"{i}.png")
    return tmp_path / "<b>zoo"


def test_a_folder_ends_in_one_page_with_the_figures_of_the_book(zoo, results, capsys):
    assert __main__.main(["study", "roi_roa", "--images", str(zoo)]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    (unit,) = (results / "own/quick/roi_roa").glob("[!.]*/")
    path = unit.with_name(f"{unit.name}.html")
    assert last == f"one page with all pictures, nothing of yours left this machine: {path.as_uri()}"
    page = path.read_text()
    assert "<script" not in page and "<b>zoo" not in page and "http:" not in page and "https:" not in page
    assert page.count('<figure class="roa"') == 9 and page.count('<div class="roa-table"') == 4
    assert page.count("<h2>") == len(studies.find("roi_roa").report)
    assert str(zoo.parent) not in page, "a page that is passed on names no place on somebody's machine"
    assert "Outdated" not in page and "no evidence about the papers" in page
    assert f'href="{unit.name}/result.json"' in page
    alts = re.findall(r"<img[^>]* alt=\"([^\"]*)\"", page)
    assert len(alts) == page.count("<img ") and all(alts)

    path.unlink()
    assert __main__.main(["study", "roi_roa", "--images", str(zoo)]) == 0
    assert "reused" in capsys.readouterr().out and path.exists()
    assert studies.finished("quick", "roi_roa") == []
    (shown,) = studies.of_images("roi_roa", str(zoo), progress=False)
    assert shown.path == unit and shown.standing == "current"


def test_without_a_folder_the_last_data_set_of_the_profile_stands_in(units, two_seeds, monkeypatch):
    monkeypatch.setattr(own, "units", lambda *_, **__: [*units, *two_seeds])
    assert studies.of_images("roi_roa", None, profile="quick") == units[:1]
    assert studies.of_images("roi_roa", None, profile="desk") == [units[1], *two_seeds]


def test_a_study_without_a_page_says_nothing_of_one(units, monkeypatch):
    monkeypatch.setattr(studies.Study, "report", ())
    assert studies.report(units[:1]) is None


def test_several_units_share_a_page(two_seeds):
    first, second = two_seeds
    path = studies.report([first, second])
    assert path == first.path.with_name("mnist-0-1.html")
    page = path.read_text()
    assert page.count('id="own-plate-') == 2 and f"{second.path.name}/result.json" in page


def test_every_report_is_a_list_of_sections():
    having = [name for name, study in studies.by_name().items() if study.report]
    assert having == ["roi_roa", "localized"]


def test_a_folder_that_is_not_there_is_one_message(tmp_path):
    with pytest.raises(UserError, match="nothing lies at"):
        studies.of_images("roi_roa", str(tmp_path / "nowhere"))
