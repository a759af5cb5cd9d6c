"""The page on somebody's own photos."""

import shutil
from dataclasses import replace

from roa_helpers import studies


def test_the_page_holds_the_sheets_the_scores_and_the_answer(unit, tmp_path):
    shutil.copytree(unit.path, tmp_path / unit.path.name)
    path = studies.report([replace(unit, path=tmp_path / unit.path.name)])
    assert path == tmp_path / f"{unit.path.name}.html"
    page = path.read_text()
    assert page.count('<figure class="roa"') == 4 and page.count('<div class="roa-table"') == 3
    assert page.count("<h2>") == len(studies.find("localized").report)
    assert "pictures of your own (6 photos; 1 picture could not be read" in page
    assert "In order of mean rank: " in page and "<strong>" in page
    assert "scikit-image" not in page, "why the book takes its photos is nothing about somebody's own"
