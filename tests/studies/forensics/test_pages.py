"""What a page shows of a finished unit, and what it says where there is none."""

import numpy as np
import pytest
import reproduce

from roa_helpers import page, studies
from roa_helpers.studies.forensics import charts, choices, claims, pictures, sources, tables, words
from roa_helpers.studies.supplement import reference


def test_charts_hold_what_they_draw(unit):
    _, drawn = charts.agreement([unit])
    assert len(drawn) == 6 and list(charts.READINGS) == [name for name in drawn if name in charts.READINGS]
    _, drawn = charts.calibration([unit])
    assert (drawn.share == drawn.k / drawn.n).all() and drawn.n.sum() == 6 * 16 * 16 * 3
    figure, drawn = charts.similarity([unit])
    assert len(drawn) == 6 and len(figure.axes) == 2


def test_plates_show_both_pairs_and_where_the_blobs_differ(unit):
    sheet = pictures.plates([unit])
    assert [strip.title.rpartition(", ")[2] for strip in sheet.strips] == ["0 entries wrong"] * 2
    assert [cell.label for cell in sheet.strips[0].cells] == list(pictures.PARTS.values())
    assert not sheet.strips[0].cells[-1].image.any() and "MNIST: " in sheet.strips[0].title
    assert sheet.markup(name="plates", alt="plates")
    assert {array.shape for array in pictures.data([unit]).values()} == {(16, 16, 3)}


def test_tables_follow_from_the_results(unit):
    found = tables.readings([unit])
    assert len(found) == len(charts.READINGS) + 2 and found.value[0] == 1
    assert (found.low <= found.value).all() and (found.value <= found.high).all()
    assert "agreement" in tables.readings_view([unit])
    counts = tables.counts([unit])
    assert counts.what.is_unique and (counts.share == counts.k / counts.n).all()
    assert tables.counts_view([unit]).columns.tolist() == ["what", "MNIST"]
    assert tables.directions([unit]).empty  # its classes are not those of the paper
    assert len(page.open_choices([unit], choices.REASONS)) == len(choices.REASONS)


def test_sentences_count(unit):
    assert "6 of 6 pictures hold 0 and 1 alone" in words.on_signs([unit])
    assert "6 of 6 blobs are rebuilt to the last entry, and no entry differs" in words.on_blobs([unit])
    assert "0.11 (in 6 of 6 pairs)" in words.on_blobs([unit])
    assert words.on_cores([unit]).count("\n") == 1
    assert "3 of 3 heat maps of one image" in words.on_colours([unit])
    assert "of 6" in words.on_similarity([unit]) and "(1 + v) / 2 by at most" in words.on_means([unit])
    assert "5 pictures" in words.read([unit])
    verdicts = studies.verdicts([unit])
    said = [words.findings(kind, verdicts) for kind in (claims.READ, claims.INFERRED)]
    assert sum(text.count("Rule:") for text in said) == len(claims.CLAIMS)


def test_every_claim_says_whether_it_is_read_or_inferred_and_follows_its_rule(unit):
    assert {claim.statement for claim in claims.CLAIMS} == {claims.READ, claims.INFERRED}
    found = studies.verdicts([unit])
    assert set(found.id) == {claim.id for claim in claims.CLAIMS}
    bounds = {claim.id: claim for claim in claims.CLAIMS}
    for row in found.itertuples():
        claim = bounds[row.id]
        assert row.toward == page.claims.judge((row.low, row.high), claim.bound, above=claim.above)
        assert row.verdict == (row.toward if row.p_holm < 0.05 else "undecided") and row.networks == 3
        assert row.low <= row.ours <= row.high


def test_two_runs_can_be_compared(unit):
    found = reproduce.numbers([unit])
    numbers = found[found.verdict == ""]
    assert numbers.quantity.is_unique and numbers.quantity.str.contains("rebuild, agreement").any()
    assert reproduce.compare([unit], [unit]) == 0


@pytest.mark.parametrize("there", (False, True))
def test_without_results_a_page_says_what_to_do(unit, tmp_path, monkeypatch, there):
    place = tmp_path if there else None
    for files in (sources.authors(), reference.AUTHORS):
        monkeypatch.setattr(type(files), "find", lambda self, root=None: place)
    said = words.notice([])
    assert ("data fetch roi-roa-pictures" in said) == ("downloads the 870 pictures (" in said) == (not there)
    assert "study forensics --profile desk" in said and words.notice([unit]) == ""


def test_numbers_that_are_missing_are_no_verdict(unit):
    block = {"agreement": None, "agreement_interval": [None, None], "pairs": 0}
    unit.__dict__["result"] = unit.result | {"rebuild": unit.result["rebuild"] | block}
    value, interval, n = claims._value(unit.result["rebuild"], "agreement")
    assert np.isnan(value) and np.isnan(interval.low) and n == 0
    del unit.__dict__["result"]
