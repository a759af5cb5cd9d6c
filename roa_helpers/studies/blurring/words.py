"""What the units of this study say, in sentences: Markdown made of their numbers. Needs no torch."""

from scipy import stats

from ... import metrics
from ...page import capitalised, claims, minus
from ...records import seeds
from .claims import CLAIMS
from .published import AIMS, CLASSES, TRAIN, N, count
from .results import ATTACKERS, has_printed, named
from .tables import compare

#: The choices as a reader calls them, where that is more than their name.
LABELS = {
    "train": "training images a class", "test": "test images a class", "val": "validation images a class",
    "pretrain": "images to learn from first", "weights": "initial weights", "mixed": "mixed precision",
    "augment": "augmentation", "sigma": "σ of the blur", "keep": "share of pixels kept", "lrp_epsilon": "ε of LRP",
    "pgd_radius": "radius of PGD", "pgd_steps": "steps of PGD", "aims": "accuracies that strengths aim at",
    "trials": "strengths tried", "knowing": "images for attackers who know the blur",
    "knowing_aim": "accuracy that attackers who know are to leave", "knowing_steps": "steps of attackers who know",
}  # fmt: skip


def answer_accuracy(table):
    """How near A comes to the thesis's accuracy, a sentence in Markdown, from :func:`.blurring.tables.accuracies`."""
    told = [f"{row.group}: {100 * row.ours:.1f} % [{100 * row.low:.1f}, {100 * row.high:.1f}]"
            for row in table.itertuples()]  # fmt: skip
    aim = count("original", "clean", "original")
    low, high = metrics.wilson(aim, N)
    return (
        f"The thesis’s A classifies {100 * aim / N:.2f} % [{100 * low:.1f}, {100 * high:.1f}] of its {N} clean test "
        f"images correctly. Ours: {'; '.join(told)}."
    )


def blurred(unit):
    """What the blur of a unit leaves and what it does to the rest, in words."""
    choices = unit.result["parameters"]["choices"]
    return (
        f"The blur is SciPy’s Gaussian filter, σ = {choices['sigma']:g} pixels of images of "
        f"{choices['size']}×{choices['size']}. At least the {kept(unit)} of the "
        "pixels that a heatmap ranks highest stay."
    )


def kept(unit):
    """The share of the pixels that are not blurred."""
    return f"{100 * unit.result['parameters']['choices']['keep']:.0f} %"


def aims():
    """What the thesis's A keeps under both attacks, in words."""
    aim = {name: f"{100 * value:.0f} %" for name, value in AIMS}
    return f"The thesis’s A keeps {aim['fgsm']} under FGSM and {aim['newtonfool']} under NewtonFool."


def learnt():
    """What the thesis trains on, in words."""
    return (
        f"The thesis trains “the provided Keras ResNet50” on {TRAIN} images of each of {CLASSES} classes and does not "
        "say whether from ImageNet weights."
    )


def answer_cells(group):
    """How many of the 150 accuracies agree, and whether they rise and fall together, in Markdown."""
    table = compare(group)
    if not has_printed(group[0]):
        return f"{named(group[0])}: the thesis has no numbers for these classes."
    agree, few = int((table.toward == claims.AGREES).sum()), claims.FEW.get(len(group))
    off = 100 * (table.ours - table.paper)
    rho = stats.spearmanr(table.ours, table.paper).statistic
    return (
        f"{named(group[0])}: of {len(table)} accuracies {agree} agree with the thesis’s and {len(table) - agree} "
        f"differ; ours are {minus(off.mean(), '+.1f')} points off on average, {off.abs().mean():.1f} in absolute "
        f"value, and their rank correlation over the {len(table)} cells is {minus(rho, '.2f')}. To agree means that "
        "the 95 % interval of the difference (Newcombe’s) holds 0. "
        + (f"Ours is of {few}: too few to decide." if few else f"Ours holds the spread over {len(group)} networks.")
    )


def rules():
    """What makes each conclusion of the thesis reproduced or contradicted, as a Markdown list."""
    return "\n".join(f"- **{capitalised(claim.text)}.** {capitalised(claim.rule)}." for claim in CLAIMS)


def answer_knowing(table):
    """What is left of the defence, group by group, as a Markdown list, from :func:`.blurring.tables.knowing`."""
    lines = []
    for name, part in table.groupby("group", sort=False):
        told = []
        for attacker in ("unaware_one", "fixed", "unaware_many", "recomputed", "explainer", "worst"):
            own = part[part.attacker == attacker]
            above = int((own.left_low > 0).sum())
            told.append(f"{ATTACKERS[attacker]}: {minus(100 * own.left.mean(), '+.1f')} points over the undefended A "
                        f"(mean of {len(own)} networks; interval above 0 for {above})")  # fmt: skip
        lines.append(f"- {name}, n = {part.n.iloc[0]}: {'; '.join(told)}.")
    return "\n".join(lines)


def _plain(ratio):
    """A ratio with three digits, or whole where it has more."""
    return f"{ratio:,.0f}" if ratio >= 1000 else f"{ratio:.3g}"


def answer_newton(units):
    """What squaring the norms makes of NewtonFool's first step, as a Markdown list."""
    lines = []
    for group in seeds.groups(units):
        unit = group[0]
        steps, eta = unit.result["newton_step"], unit.result["parameters"]["strengths"]["newtonfool"]
        lines.append(
            f"- {named(unit)}, seed {seeds.of(unit)}, η = {eta:.3g}: by the definition the first step has a median ℓ₂ "
            f"length of {steps['definition']['median']:.3g}, with squared norms {steps['squared']['median']:.3g}; the "
            f"median of their ratio over {steps['ratio']['n']} test images is {_plain(steps['ratio']['median'])}."
        )
    return "\n".join(lines)
