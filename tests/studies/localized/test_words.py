"""Sentences about a finished unit."""

from roa_helpers import studies
from roa_helpers.studies.localized import recovery, tables, words


def test_the_words_hold_the_numbers(unit):
    attack = unit.result["attack"]
    assert f"has {attack['success']['k']} from {attack['photos_with_examples']} photos" in words.reached([unit])
    assert "75.0% [" in words.network([unit]) and "on 40 test images" in words.network([unit])
    same, means = words.answer_same_ranks([unit]), unit.result["ranks_of_means"]
    apart = max(abs(means["jaccard"][n]["mean"] - means["hamming"][n]["mean"]) for n in recovery.PAPER)
    assert "differ by at most 0.000. The paper’s differ by up to 0.03" in same and f"up to {apart:.2f}. Or" in same
    ranks = unit.result["ranks"]["paper"]["jaccard"]
    assert all(
        f"{ranks[name]['rank']:.2f}" in words.answer([unit], studies.verdicts([unit])) for name in recovery.PAPER
    )
    five = unit.result["ranks"]["superpixels"]["jaccard"]
    best = min(five, key=lambda name: five[name]["rank"])
    assert f"{recovery.TITLES[best]} ranks best ({five[best]['rank']:.2f}" in words.answer_superpixels(
        [unit], tables.questions([unit])
    )
    assert f"of {len(unit.table('examples'))} explanations" in words.sizes([unit])
