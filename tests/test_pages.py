"""The pages that are written from results say what the results say."""

import sys
from pathlib import Path

from roa_helpers import papers

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
import pages


def test_the_summary_counts_the_verdicts(units):
    text = pages.summary(units)
    counts = papers.summary(papers.verdicts(units))
    for claim, *numbers in counts.itertuples(index=False):
        assert f"| {claim} | {' | '.join(map(str, numbers))} |" in text
    assert "4 directions" in text and "Digits and MNIST" in text
    assert "On the paper’s own data sets" in text


def test_the_summary_says_when_no_data_set_is_the_papers(units):
    assert "none of them the paper’s" in pages.summary(units[:1])


def test_the_status_page_names_what_ran_and_what_has_changed_since(units):
    text = pages.status(units)
    for unit in units:
        origin = unit.result["provenance"]
        assert unit.path.name in text and origin["finished"][:10] in text and "24 / 8 / 12" not in text
    assert "48 / 16 / 24" in text and "parameters changed since" in text  # the profiles plan other choices


def test_pages_exist_without_results(results):
    generated = pages.generated_pages("quick")
    assert set(generated) == {"book/generated/summary.md", "book/status.md"}
    assert "No results" in generated["book/generated/summary.md"]
