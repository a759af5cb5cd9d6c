"""What the units of this study say, in sentences: Markdown made of their numbers. Needs no torch."""

import numpy as np

from ...page import claims, words
from ...records import seeds
from .claims import where
from .evaluation import OUTCOMES, SUCCEEDED
from .published import EXAMPLES, EXPLAINED, EXPLANATIONS, MEAN_RANKS, NETWORK, PHOTOS, TARGET
from .recovery import AVERAGED, EXPLAINERS, PAPER, TITLES
from .results import NETWORKS, named, run_of, shape_of

#: The choices as a reader calls them, where that is more than their name.
LABELS = {
    "dataset": "photos from", "photos": "number of photos", "region_count": "regions a photo",
    "networks": "networks, of which the first at hand is attacked",
    "low": "smallest region", "high": "largest region", "scale": "scale of the segmentation",
    "sigma": "σ of the segmentation", "min_size": "smallest segment", "eps": "ε", "step": "step of the attack",
    "steps": "steps of the attack", "samples": "images a LIME explanation", "unions": "superpixels of an explanation",
    "path_steps": "steps of integrated gradients", "noise_samples": "images of SmoothGrad",
    "noise_sd": "noise of SmoothGrad",
}  # fmt: skip


def reached(units):
    """How far the runs shown come toward the paper's scale, in words."""
    best = max(units, key=lambda unit: unit.result["attack"]["success"]["k"])
    attack = best.result["attack"]
    return (
        f"The paper explains {EXAMPLES} adversarial examples from {PHOTOS} photos, {EXPLANATIONS:,} explanations of "
        f"each explainer. The largest run shown here ({named(best)}) has {attack['success']['k']} from "
        f"{attack['photos_with_examples']} photos, {attack['explanations']:,} explanations of each explainer."
    )


def network(units):
    """Which networks were attacked, and towards what, in words."""
    found = {}
    for unit in units:
        found.setdefault((run_of(unit), unit.result["network"]["name"]), unit.result["network"])
    lines = []
    for (run, name), told in found.items():
        own = "as in the paper" if name == NETWORK else f"in place of the paper’s {NETWORKS[NETWORK]}"
        lines.append(
            f"Profile {run}: {NETWORKS.get(name, name)} with ImageNet’s weights, {own}; photos of "
            f"{told['size']}×{told['size']} pixels; target *{told['target']}*"
            + (", as in the paper" if told["target"] == TARGET else "")
        )
    return "What is attacked. " + ". ".join(lines) + "."


def answer_same_ranks(units):
    """When both metrics rank alike, and what that says of Table 1, in words."""

    def apart(ranks, of):
        return max(abs(of(ranks["jaccard"][name]) - of(ranks["hamming"][name])) for name in PAPER)

    each = max(apart(unit.result["ranks"]["paper"], lambda found: found["rank"]) for unit in units)
    means = max(apart(unit.result["ranks_of_means"], lambda found: found["mean"]) for unit in units)
    printed = apart(MEAN_RANKS, float)
    return (
        "When all explanations of a comparison have the same number of pixels, both scores rise with the number of "
        "pixels that explanation and region share and with nothing else, so they must rank alike: our ranks by Jaccard "
        f"and by Hamming {_differ(each)}. The paper’s differ by up to {printed:.2f}, so it did something else. It may "
        f"have ranked each example once, by its mean score over n: then ours {_differ(means)}. Or its explanations "
        "were not all of equal size, or equal scores were ranked apart."
    )


def _differ(distance):
    return f"differ by up to {distance:.2f}" if distance >= 0.005 else "are the same to two decimals"


def answer(units, table):
    """R1 and R2 in words, for the units whose regions are segments, as in the paper, from their table of verdicts."""
    lines = []
    for unit in [unit for unit in units if shape_of(unit) == "segments"]:
        own = table[(table["where"] == where(unit)) & (table.profile == unit.result["profile"])]
        ranks = unit.result["ranks"]["paper"]["jaccard"]
        order = sorted(ranks, key=lambda name: ranks[name]["rank"])
        said = " ".join(f"{which}: {_counted(own[own.statement == which])}." for which in ("R1", "R2", "Table 1"))
        lines.append(
            f"**{named(unit)}.** {said} In order of mean rank: "
            + ", ".join(f"{TITLES[name]} {ranks[name]['rank']:.2f}" for name in order)
            + "."
        )
    return "\n\n".join(lines)


def _counted(table):
    spoken = claims.spoken(table)
    if len(table) == 1:
        return spoken.iloc[0]
    counts = spoken.value_counts()
    return ", ".join(f"{word} {counts[word]} of {len(table)} times" for word in counts.index)


def answer_superpixels(units, table):
    """Is LIME’s lead that of superpixels, and does any explainer do better? In words.

    Args:
        table: of :func:`.localized.tables.questions` for these units.
    """
    lines = []
    for unit in units:
        five, ten = (unit.result["ranks"][which]["jaccard"] for which in ("superpixels", "all"))
        own = table[(table["where"] == where(unit)) & (table.profile == unit.result["profile"])]
        answers = own.set_index("id")["answer"]
        said = [f"{TITLES[name]}: {answers[f'lime-over-{name}']}" for name in (*AVERAGED, "grad_cam")]
        lines.append(
            f"- {named(unit)}: of these five {_first(five)}, of all ten {_first(ten)}. Does LIME rank better than "
            f"{'; '.join(said)}."
        )
    return "\n".join(lines)


def _first(ranks):
    """Who has the lowest mean rank, with LIME’s beside it where that is another."""
    best = min(ranks, key=lambda name: ranks[name]["rank"])
    beside = "" if best == "lime" else f", LIME {ranks['lime']['rank']:.2f}"
    return f"{TITLES[best]} ranks best ({ranks[best]['rank']:.2f}{beside})"


def reseeded(units):
    """What another seed of LIME changes in the examples that all seeds have; empty where no group has two."""
    lines = []
    for group in (group for group in seeds.groups(units) if len(group) > 1):
        lime, some = _of_all([unit.arrays["jaccard"][:, EXPLAINERS.index("lime")] for unit in group], group)
        among = {which: [unit.result["ranks"][which]["jaccard"]["lime"]["rank"] for unit in group]
                 for which in ("paper", "all")}  # fmt: skip
        told = {which: words.listed([f"{rank:.3f}" for rank in found]) for which, found in among.items()}
        processors = sorted({unit.result["provenance"]["device"] for unit in group})
        mixed = (
            f" The seeds ran on different processors ({words.listed(processors)}), which moves the attack’s pixels a "
            "little, too: the range holds both."
            if len(processors) > 1
            else ""
        )
        lines.append(
            f"With seeds {seeds.columns(group)['seeds']} for all examples ({named(group[0])}), LIME’s mean rank is "
            f"{told['paper']} among the paper’s three explainers and {told['all']} among all ten. Over n and {some}, "
            f"the Jaccard index of one example has a mean range of {np.ptp(lime, axis=0).mean():.3f} between seeds; "
            f"between examples its standard deviation is {lime.std(axis=1, ddof=1).mean():.3f}.{mixed}"
        )
    return "\n\n".join(lines)


def _of_all(values, units):
    """Rows (K, E, …) of the examples that each of K units has, and what they are called.

    An attack may end in another way on another processor: then a unit has an example that another lacks.

    Args:
        values: of each unit, a row an example.
    """
    succeeded = np.array([unit.table("attempts").outcome == OUTCOMES[SUCCEEDED] for unit in units])
    kept = succeeded.all(0)
    rows = np.stack([own[kept[one]].astype(float) for own, one in zip(values, succeeded, strict=True)])
    lacking = succeeded.any(0).sum() - kept.sum()
    beside = f" ({lacking} more succeeded with some seeds alone)" if lacking else ""
    return rows, f"the {kept.sum()} examples that all seeds have{beside}"


def sizes(units):
    """How many superpixels speak for the target at all, in words."""
    lines = []
    for unit in units:
        table = unit.table("examples")
        few = (table.positive < EXPLAINED).sum()
        stops = "; their unions stop growing there" if few else ""
        lines.append(
            f"- {named(unit)}: {few} of {len(table)} explanations have fewer than {EXPLAINED} superpixels with "
            f"positive weight (median {table.positive.median():.0f}){stops}."
        )
    return "\n".join(lines)
