"""Sentences about a finished unit."""

from roa_helpers import studies
from roa_helpers.records import store
from roa_helpers.studies.localized import recovery, tables, words


def test_the_network_is_told_and_whether_it_is_the_papers(unit, tmp_path):
    inception = {"name": "inception_v3", "initialisation": "imagenet", "target": "tench", "size": 299}
    other = unit.result | {"network": inception, "profile": "paper"}
    assert words.network([unit, store.write(tmp_path / "x", other, arrays={}, tables={})]) == (
        "What is attacked. Profile quick, seed 0: EfficientNet-Lite0 with ImageNet’s weights, in place of the paper’s "
        "Inception v3; photos of 48×48 pixels; target *wolf spider*, as in the paper. Profile paper, seed 0: Inception "
        "v3 with ImageNet’s weights, as in the paper; photos of 299×299 pixels; target *tench*."
    )


def test_the_words_hold_the_numbers(unit):
    attack = unit.result["attack"]
    assert f"has {attack['success']['k']} from {attack['photos_with_examples']} photos" in words.reached([unit])
    same, means = words.answer_same_ranks([unit]), unit.result["ranks_of_means"]
    apart = max(abs(means["jaccard"][n]["mean"] - means["hamming"][n]["mean"]) for n in recovery.PAPER)
    assert "by Hamming are the same to two decimals. The paper’s differ by up to 0.03" in same
    assert (f"up to {apart:.2f}. Or" in same) == (apart >= 0.005)
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


def _seeds(path, unit, *own, devices=("cpu", "cpu")):
    """Two units that differ in their seed, with these scores and attempts each."""
    return [
        store.write(
            path / f"x-seed{seed}", unit.result | {"seed": seed, "provenance": {"device": device}},
            arrays={"jaccard": jaccard}, tables={"attempts": attempts},
        )
        for seed, ((jaccard, attempts), device) in enumerate(zip(own, devices, strict=True))
    ]  # fmt: skip


def test_another_seed_of_lime_is_told_by_how_far_it_moves_each_example(unit, tmp_path):
    jaccard = unit.arrays["jaccard"].astype(float)
    lime = recovery.EXPLAINERS.index("lime")
    moved = jaccard.copy()
    moved[:, lime] += 0.125
    attempts = unit.table("attempts")
    group = _seeds(tmp_path, unit, (jaccard, attempts), (moved, attempts))
    text, rank = words.reseeded(group), unit.result["ranks"]["paper"]["jaccard"]["lime"]["rank"]
    assert (
        f"Over n and the {len(jaccard)} examples that all seeds have, the" in text
        and f"is {rank:.3f} and {rank:.3f} among" in text
    )
    assert "has a mean range of 0.125 between seeds" in text
    assert f"deviation is {jaccard[:, lime].std(axis=0, ddof=1).mean():.3f}." in text
    assert words.reseeded([unit]) == ""


def test_seeds_that_ran_on_different_processors_are_told_apart(unit, tmp_path):
    own = (unit.arrays["jaccard"], unit.table("attempts"))
    assert "processors" not in words.reseeded(_seeds(tmp_path / "one", unit, own, own))
    text = words.reseeded(_seeds(tmp_path / "two", unit, own, own, devices=("cpu", "a GPU")))
    assert "ran on different processors (a GPU and cpu)" in text


def test_an_example_that_one_seed_lacks_is_no_change_by_the_seed(unit, tmp_path):
    jaccard, attempts = unit.arrays["jaccard"], unit.table("attempts")
    first = attempts.index[attempts.outcome == "succeeded"][0]
    fewer = attempts.assign(outcome=attempts.outcome.mask(attempts.index == first, "out of steps"))
    group = _seeds(tmp_path, unit, (jaccard, attempts), (jaccard[1:], fewer))
    assert (
        f"the {len(jaccard) - 1} examples that all seeds have (1 more succeeded with some seeds alone), the Jaccard "
        "index of one example has a mean range of 0.000" in words.reseeded(group)
    )
