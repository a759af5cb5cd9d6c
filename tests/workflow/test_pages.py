"""The pages that are written from results say what the results say."""

from dataclasses import replace

import archive
import downloads
import pages
import pdf
import pytest
import readme
import samples

from roa_helpers import studies
from roa_helpers.page import claims
from roa_helpers.records import store
from roa_helpers.studies import roi_roa


@pytest.fixture
def pairs(tmp_path):
    """Units of another study, without what verdicts are made of; the second took longer."""
    data = samples.splits().provenance

    def unit(name, seconds):
        origin = store.provenance(device="cpu", data=data, seconds=seconds) | {"finished": "2026-01-02T03:04:05+00:00"}
        head = {"study": "supplement", "profile": "desk", "seed": 0, "dataset": "digits", "classes": ["0", "1"]}
        result = head | {"directions": {}, "provenance": origin, "fingerprint": {"code": "old"}}
        return studies.presented(store.write(tmp_path / "desk" / "supplement" / name, result, arrays={}, tables={}))

    return [unit("digits-0-1-seed0", 61.0), unit("digits-0-2-seed0", 3600.0)]


def test_the_summary_has_a_sentence_a_picture_and_the_matrix_of_verdicts(units):
    text = pages.summary(units)
    own = units[1:]  # digits do not count
    grid = claims.grid(claims.judged(studies.verdicts(own)))
    for claim, mark in grid.itertuples(index=False):
        assert f"| {claim} | {mark} |" in text
    assert text.startswith(f"**What was found, on MNIST.** {roi_roa.answers.whole(own).ours}")
    assert text.count('<img class="roa-pixels"') == 8 and "gives its true class a probability of" in text
    assert f"Last recorded {own[0].result['provenance']['finished'][:10]} (cpu, 1 trained network)" in text


def test_the_summary_says_when_no_data_set_is_the_papers(units):
    text = pages.summary(units[:1])
    assert "None of the paper’s data sets" in text and "on Digits, shows that the code runs" in text
    assert "| claim |" not in text and "<img" not in text


def test_the_summary_says_what_is_not_current(units):
    assert "present code would compute (parameters changed since: 2 of 2)." in pages.summary(units)
    current = [replace(unit, standing=store.CURRENT) for unit in units]
    assert "present code" not in pages.summary(current)


def test_the_status_page_names_what_ran_and_what_has_changed_since(units):
    text = pages.status({"roi_roa": units})
    for unit in units:
        origin = unit.result["provenance"]
        assert f"| {unit.path.name} | {unit.result['profile']} |" in text and origin["finished"][:10] in text
    assert "train 48, val 16, test 24" in text and "parameters changed since" in text  # the profiles plan other choices
    assert f"torch {units[0].result['provenance']['libraries']['torch']}" in text and "(2 units)" in text


def test_the_status_page_has_a_section_for_each_study_and_says_what_is_common_once(units, pairs):
    text = pages.status({"roi_roa": units[:1], "supplement": pairs, "sensitivity": []})
    first, second, third = text.split("\n## ")[1:4]
    assert first.startswith("Study `roi_roa`\n\nRegions of importance and of attack")
    assert "1 unit, 0:00:01 (h:mm:ss).\n" in first and "| unit | profile | standing |" in first
    assert second.startswith("Study `supplement`\n\n")
    assert "2 units, 1:01:01 (h:mm:ss); the same for all: profile desk, standing not planned any more, " in second
    assert "| digits-0-1-seed0 | 61.0 |\n| digits-0-2-seed0 | 3600.0 |" in second
    assert second.count("train 48, val 16, test 24") == 1
    assert third.startswith("Study `sensitivity`\n\n") and "Nothing has been computed yet" in third


def test_the_status_page_tells_of_a_commit_that_computes_the_same(pairs):
    first = pairs[0]
    assert "the same in" not in pages.status({"supplement": pairs[:1]})
    first.result["provenance"]["restamped"] = {"from": "a1", "to": "b2", "date": "2026-01-02", "evidence": "none"}
    assert f"{first.result['provenance']['commit']}, the same in b2" in pages.status({"supplement": [first]})


def test_pages_exist_without_results(results):
    generated = pages.generated_pages("quick")
    assert set(generated) == {"book/generated/summary.md", "book/generated/downloads.md", "book/status.md"}
    assert "No results" in generated["book/generated/summary.md"]
    assert generated["book/status.md"].count("Nothing has been computed yet") == len(studies.by_name())


def test_verdicts_come_from_the_study_of_the_paper_alone(units, pairs, monkeypatch):
    shown = {"roi_roa": units, "supplement": pairs, "sensitivity": []}
    monkeypatch.setattr(studies, "finished", lambda profile, study, **_: shown.get(study, []))
    generated = pages.generated_pages("quick")
    assert generated["book/generated/summary.md"] == pages.summary(units)
    assert generated["book/status.md"] == pages.status({study: shown.get(study, []) for study in studies.by_name()})
    assert readme.recorded() == [*units[1:], *pairs]


def test_the_readme_shows_a_verdict_once_and_both_where_directions_differ(units):
    verdicts = claims.judged(studies.verdicts(units[1:]))
    verdicts["verdict"] = claims.spoken(verdicts, reasons=False)
    table = {line.split(" | ")[0].strip("| "): line for line in readme.block(units[1:]).splitlines()}
    for claim, found in verdicts.groupby("claim").verdict:
        assert table[claim].split(" | ")[1].strip(" |") == " / ".join(found.unique())
    assert "Recorded with the desk profile" in readme.block(units[1:])
    assert "No study" in readme.block(units[:1])  # digits are no evidence


def test_a_cell_of_markdown_shows_markup_as_it_is():
    table = pages.markdown_table([{"a|b": "<img src=x onerror=alert(1)>", "c": "[x](y) `$z$` *w*"}])
    assert table.splitlines() == [
        r"| a\|b | c |",
        "| --- | --- |",
        r"| &lt;img src=x onerror=alert(1)&gt; | \[x\](y) \`\$z\$\` \*w\* |",
    ]


def test_the_landing_page_links_to_what_was_made(tmp_path):
    assert "make downloads" in pages.downloads(tmp_path)
    (tmp_path / "book.pdf").write_bytes(bytes(2_340_000))
    (tmp_path / "else.txt").touch()
    text = pages.downloads(tmp_path)
    assert '<a href="../downloads/book.pdf">the whole book as one PDF</a> (2.3 MB, 20' in text
    assert text.count("<a ") == 1


def test_every_file_that_is_made_has_a_name_for_readers():
    made = {pdf.OUT, downloads.PAGES, archive.OUT}
    assert made == {pages.DOWNLOADS / name for name in pages.TAKEN_ALONG}
