"""The statements of “With Friends Like These, Who Needs Adversaries?” as claims. Needs no torch."""

from functools import partial

from ... import evidence, metrics
from ...page import claims
from ...records import seeds
from .published import FACTORS, IMAGES, NETWORK, SIDE, TABLE_ONE
from .results import named, scaled_norm

#: The three statements that the paper makes, in the order of its sections.
STATEMENTS = {
    "lines": "Along one direction class scores are near-symmetric, monotone and alike for all images, and moving along "
    "it classifies or fools",
    "coupling": "Accuracy lives in few directions of high curvature, and the attacks’ norm lies in the same",
    "compression": "Compression helps only against an attacker who ignores it",
}
#: How large the error of a “near” symmetry, monotony or separability may be.
NEAR = 0.25
#: What a random direction passes too is no test (2026-11-26).
RANDOM_PASSES = "a random direction passes too: its error is {mean:.2f}, at most {high:.2f}"
#: By how much a curved direction must move more images than a random one (2026-11-26).
BEYOND = 0.10
#: How much more norm an attacker may need who “is as effective as before”: the smallest factor above 1 in Table 1.
AS_EFFECTIVE = 2.0


def where(unit):
    """What a table of verdicts calls a unit: its data set and network."""
    return named(unit)


def networks(unit):
    """The trained network that a unit rests on; one with ImageNet's weights is the same whatever the seed."""
    return frozenset({"ImageNet"}) if unit.result["model"]["initialisation"] == "imagenet" else seeds.networks(unit)


def _shape(measure):
    def estimates(unit):
        found = unit.result["shapes"][measure]
        why = RANDOM_PASSES.format(**found["random"]) if found["random"]["high"] < NEAR else ""
        return {kind: claims.Estimate(one["mean"], (one["low"], one["high"]), one["n"], why=why)
                for kind, one in found.items() if kind in ("positive", "negative")}  # fmt: skip

    return estimates


def _beyond_random(kind, *measures):
    """What directions of a kind do less what random ones of the same length do, over classes, mean over measures."""

    def estimates(unit):
        shapes, parts = unit.result["shapes"], []
        for measure in measures:
            for sign, one in ((1, shapes[measure][kind]), (-1, shapes[measure]["random"])):
                parts.append((sign / len(measures), one["mean"], (one["low"], one["high"])))
        value, interval = evidence.combined(parts)
        return {"": (value, interval, shapes[measures[0]][kind]["n"])}

    return estimates


def _coupled(name):
    def estimates(unit):
        found = unit.result["coupling"][unit.result["parameters"]["choices"]["methods"][0]]
        return {"": (found[name], found[f"{name}_interval"], found["images"])}

    return estimates


def _plain(name, count):
    def estimates(unit):
        choices = unit.result["parameters"]["choices"]
        return {"": (unit.result[name], unit.result[f"{name}_interval"], choices[count])}

    return estimates


def _fooled(f):
    def estimates(unit):
        table = unit.table("compression")
        rows = table[(table.measured == "unaware") & (table.f == f) & (table.side < table.side.max())]
        return {f"{r.side} px": (r.k / r.n, metrics.wilson(r.k, r.n), r.n) for r in rows.itertuples()}

    return estimates


def _printed(f):
    """The paper's own fooling rates, by the side that images are compressed to."""
    return {(f"the paper: {NETWORK}", f"{row.side} px"): (row.fooled[f], row.interval(f), IMAGES)
            for row in TABLE_ONE if row.side < SIDE}  # fmt: skip


def _compressed(name, low, high, count):
    def estimates(unit):
        table = unit.table("compressed")
        rows = table[table.side < table.side.max()].to_dict("records")
        n = unit.result["parameters"]["choices"]["evaluated"]
        return {f"{r['side']} px": (r[name], (r[low], r[high]), r[count] if count else n) for r in rows}

    return estimates


def _untrained(unit):
    return claims.untrained(unit.result["model"]["test"], len(unit.result["classes"]))


def _outweighs(unit):
    """Why scaled perturbations say nothing of compression: they are longer than the images."""
    share = scaled_norm(unit)
    return f"at f = {max(FACTORS)} perturbations outweigh images: {share:.0%} of their norm" if share >= 1 else ""


def _claim(name, text, rule, estimate, *bound, limits=claims.CHANGE, **more):
    return claims.Claim(name, text, rule, claims.unless(_untrained, estimate), *bound, limits=limits, **more)


_NEAR = (
    "the error is {}; reproduced where it lies below one quarter, contradicted where it lies above (bootstrap over "
    "classes); not testable where the error along a random direction clearly lies below one quarter too"
)
_BEYOND = (
    "reproduced where {}, less what a random direction of the same length does, lies above 10 points, contradicted "
    "where it lies below (bootstrap over classes)"
)
_ZERO = "reproduced where {} lies above 0, contradicted where it lies below"

_lines, _coupling, _compression = (partial(_claim, statement=name) for name in STATEMENTS)
#: A case is a kind of directions, a side in pixels, or "" where there is one.
CLAIMS = (
    _lines(
        "symmetric", "a class score is nearly symmetric about some point of the line",
        _NEAR.format("the share of a curve’s variation that is odd about its best centre, median over images"),
        _shape("odd"), NEAR, above=False, limits=claims.SHARE,
    ),
    _lines(
        "monotone", "it is monotone on both half-lines",
        _NEAR.format("the share of a curve’s movement that goes against the direction the sign of the curvature "
                     "predicts, median over images"),
        _shape("backward"), NEAR, above=False, limits=claims.SHARE,
    ),
    _lines(
        "separable", "the curves of different images differ by a shift only",
        _NEAR.format("the share of the variation along the line that is not common to all images"),
        _shape("interaction"), NEAR, above=False, limits=claims.SHARE,
    ),
    _lines(
        "sends-to", "the most positive direction sends images of other classes into its class",
        _BEYOND.format("the share of images of other classes that are taken for the class at the two ends of the line"),
        _beyond_random("positive", "moved"), BEYOND, percent=True,
    ),
    _lines(
        "sends-from", "the most negative direction sends images of its class out of it",
        _BEYOND.format("the share of images of the class that are no longer taken for it at the two ends of the line"),
        _beyond_random("negative", "left"), BEYOND, percent=True,
    ),
    _lines(
        "flat-moves-little", "a flat direction changes fewer answers than a random one",
        "reproduced where the share of images that are moved into the class or out of it at the two ends of the line "
        "(mean of both shares), less what a random direction of the same length does, lies below 0, contradicted where "
        "it lies above (bootstrap over classes)",
        _beyond_random("flat", "moved", "left"), 0.0, above=False, percent=True,
    ),
    _coupling(
        "curved-over-flat", "the most curved directions hold more accuracy than the flattest",
        _ZERO.format("the area between the accuracies on S_neg∪pos and S_flat (mean difference over the dimension; "
                     "bootstrap over test images)"),
        _coupled("curved_flat"), 0.0,
    ),
    _coupling(
        "curved-over-random", "they hold more accuracy than as many random directions",
        _ZERO.format("the area between the accuracies on S_neg∪pos and on a random subspace"),
        _coupled("curved_random"), 0.0,
    ),
    _coupling(
        "same-subspaces", "the subspaces that hold the accuracy hold the norm of DeepFool",
        _ZERO.format("Spearman’s ρ of what subspaces have more than random ones of their dimension: accuracy, and "
                     "share of the norm (bootstrap over test images)"),
        _coupled("beyond_dimension"), 0.0,
    ),
    _coupling(
        "singular", "the leading singular vectors of DeepFool hold more accuracy than the last",
        _ZERO.format("the area between the accuracies on S_hi and S_lo (bootstrap over test images)"),
        _plain("singular_area", "evaluated"), 0.0,
    ),
    _coupling(
        "inverse", "over nested subspaces, confined DeepFool needs more where images keep less",
        "no verdict: Spearman’s ρ of the median norm of confined DeepFool and the mean norm of the projected images, "
        "over subspaces, should lie below 0 (bootstrap over test images), but dimension alone gives a negative ρ",
        _plain("confined", "confined"), 0.0, above=False, judged=lambda case: False,
    ),
    _compression(
        "weakens", "compression weakens an attack that was made without it",
        "reproduced where the fooling rate at f = 1 lies below one half, contradicted where it lies above (Wilson)",
        _fooled(1), 0.5, above=False, alone=_printed(1), limits=claims.SHARE,
    ),
    _compression(
        "rescaled", "more norm restores it",
        "reproduced where the fooling rate at f = 10 lies above one half, contradicted where it lies below (Wilson); "
        "not testable where perturbations are then as long as images",
        claims.unless(_outweighs, _fooled(10)), 0.5, alone=_printed(10), limits=claims.SHARE,
    ),
    _compression(
        "aware", "an attacker who knows of it needs less than twice the norm",
        "reproduced where the ratio of this attacker’s norm to that of DeepFool on the bare network (geometric mean; "
        "bootstrap over test images) lies below 2, the smallest factor above 1 in Table 1, contradicted where it lies "
        "above",
        _compressed("ratio", "ratio_low", "ratio_high", "fooled"), AS_EFFECTIVE, above=False,
        limits=(0.0, float("inf")),
    ),
    _compression(
        "costs", "it costs accuracy",
        "reproduced where the loss of accuracy (Bonett and Price’s interval, for the same images scored twice) lies "
        "above 0, contradicted where it lies below",
        _compressed("loss", "loss_low", "loss_high", None), 0.0,
    ),
)  # fmt: skip
