"""What the pictures say, as claims: each with the rule that judges it, and whether it is read off or inferred.

None of it is in the paper's text. Needs no torch.
"""

from functools import partial

from ... import metrics
from ...data import title_of
from ...page import claims

#: What a reader of the verdicts must know.
NOTE = (
    "These are statements of this book, not the paper’s, made after a first look at the same pictures, with bounds set "
    "after it. The networks are the authors’."
)
READ, INFERRED = "read off", "inferred"
#: Where the RoI's core is taken from, as a reader would write it.
CORES = {"representative": "heat map of the representative RoI", "one": "heat map of one image"}
#: Agreement above which two sets of entries are called the same, and by how much it must exceed every control's.
SAME, MARGIN = 0.95, 0.05
#: A share that nearly all of a set's pictures must exceed.
NEARLY_ALL = 0.9


def where(unit):
    """What a table of verdicts calls a unit: its data set."""
    return title_of(unit.result["dataset"])


def networks(unit):
    """The authors' networks that a unit's pictures come from: one for each unordered pair of classes."""
    return frozenset(range(unit.result["ssim"]["pairs"] // 2))


def _share(*place):
    """A count with Wilson's interval, from where it stands in a result; no test where there is nothing to count."""

    def estimates(unit):
        found = unit.result
        for name in place:
            found = found[name]
        if not found:
            return {"": claims.Estimate(float("nan"), claims.UNKNOWN, 0, why="there are none to count")}
        return {"": (found["k"] / found["n"], metrics.wilson(found["k"], found["n"]), found["n"])}

    return estimates


def _value(block, name):
    """(value, interval, n) of a median of a block of results."""
    low, high = (float("nan") if end is None else end for end in block[f"{name}_interval"])
    return float("nan") if block[name] is None else block[name], metrics.Interval(low, high), block["pairs"]


def _median(block, name):
    return lambda unit: {"": _value(unit.result[block], name)}


def _cores(name):
    return lambda unit: {title: _value(unit.result["cores"][core], name) for core, title in CORES.items()}


_PICTURES = "reproduced where the share of {} lies above {} (Wilson), contradicted where below"
_PAIRS = (
    "reproduced where the median over ordered pairs of {} lies {} (bootstrap over unordered pairs of classes, each a "
    "network of the authors), contradicted where {}"
)

_read, _inferred = (partial(claims.Claim, statement=kind) for kind in (READ, INFERRED))
CLAIMS = (
    _read(
        "signs", "a published RoA of one image holds 0 and 1 alone, channel by channel",
        _PICTURES.format("pictures whose every entry lies within a level of 0 or 1", NEARLY_ALL),
        _share("signs", "binary"), NEARLY_ALL,
    ),
    _read(
        "coloured", "its channels differ, so it is not a norm over channels",
        _PICTURES.format("pictures, black ones apart, whose channels differ", NEARLY_ALL),
        _share("signs", "coloured"), NEARLY_ALL,
    ),
    _inferred(
        "mean-of-signs", "a representative RoA is the mean of signs −1 and +1, what is negative shown as black",
        _PAIRS.format("how much nearer the share of ones in the RoA of one image, where the representative is shown "
                      "above 0 with mean v, is to (1 + v) / 2, as with −1 and +1, than to v, as with 0 and 1,",
                      "above 0", "below"),
        _median("mean", "nearer"), 0.0,
    ),
    _read(
        "thresholded", "a blob is the representative RoA above a threshold, channel by channel",
        _PAIRS.format("the share of entries on which blob and rebuilt blob agree", f"above {SAME}", "below"),
        _median("rebuild", "agreement"), SAME,
    ),
    _read(
        "beyond-controls", "none of three controls gives it as well",
        _PAIRS.format("the agreement minus that of the pair’s strongest control (the representative RoA of the best "
                      "other pair or of the reversed pair, its own with any channel for all three, each with its own "
                      "threshold)", f"above {MARGIN}", "below"),
        _median("rebuild", "margin"), MARGIN,
    ),
    _read(
        "keeps-core", "a blob does not avoid the RoI",
        _PAIRS.format("the share of entries above the threshold that are in the blob, inside the RoI’s core minus "
                      "outside it,", f"above −{MARGIN}", "below")
        + "; pairs with entries above the threshold on both sides",
        _cores("difference"), -MARGIN,
    ),
    _inferred(
        "not-cut", "so it is V+, not U−V+",
        _PAIRS.format("the agreement with V+ minus that with U−V+, where U+ is the RoI’s core and each has its own "
                      "threshold,", "above 0", "below")
        + "; the same pairs",
        _cores("gain"), 0.0,
    ),
    _read(
        "jet", "heat maps of one image have the colours of OpenCV’s jet with red and blue exchanged",
        _PICTURES.format("classes whose heat map holds no other colour", "one half"),
        _share("colours", "one", "known"), 0.5,
    ),
    _inferred(
        "two-scales", "the individual SSIM compares colours from 0 to 255 with an RoA from 0 to 1",
        _PAIRS.format("how much nearer the authors’ mean is to the SSIM of the pictures on two scales than to that on "
                      "one scale", "above 0", "below"),
        _median("ssim", "nearer"), 0.0,
    ),
    _inferred(
        "in-range", "and lies where theirs does",
        _PICTURES.format("ordered pairs whose SSIM on two scales lies between the authors’ smallest and largest",
                         "one half"),
        _share("ssim", "within", "two_scales"), 0.5,
    ),
    _read(
        "empty-roa", "on two scales an RoA without any entry has the same SSIM",
        _PAIRS.format("the absolute difference", f"below {MARGIN}", "above"),
        _median("ssim", "change"), MARGIN, above=False,
    ),
)  # fmt: skip
