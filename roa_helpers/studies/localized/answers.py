"""What the page of this study comes to. Needs no torch."""

from ... import studies
from ...page import answers, claims, words
from .published import EXAMPLES, MEAN_RANKS, NETWORK, PHOTOS
from .recovery import AVERAGED, PAPER, TITLES
from .results import NETWORKS
from .tables import questions


def recovered(units, every):
    """Whether explainers find the attacked region, and which does best.

    Args:
        units: those whose regions are segments, as in the paper.
        every: of all shapes of regions.
    """
    printed = MEAN_RANKS["jaccard"]
    paper = (
        "All three explainers find the attacked region better than chance (R1), guided backpropagation and LIME "
        "distinctly better than saliency (R2): "
        f"{words.listed([f'{TITLES[name]} has the mean rank {printed[name]:.2f}' for name in PAPER])} by the Jaccard "
        "index, 1 the best (Table 1)."
    )
    own, _ = studies.apart(units)
    if not own:
        return answers.nothing(paper)
    best = max(own, key=lambda unit: unit.result["attack"]["success"]["k"])
    attack, ranks = best.result["attack"], best.result["ranks"]["paper"]["jaccard"]
    order = [f"{TITLES[name]} {ranks[name]['rank']:.2f}" for name in sorted(PAPER, key=lambda one: ranks[one]["rank"])]
    rows = claims.judged(studies.verdicts([best]))
    asked = questions(studies.apart(every)[0])
    averaged = asked[asked.id.isin([f"lime-over-{name}" for name in AVERAGED])]
    coarse = asked[asked.id == "lime-over-grad_cam"]
    shapes = words.counted(averaged["where"].nunique(), "shape") + " of regions"
    return answers.Answer(
        paper,
        f"In order of mean rank: {', '.join(order)}, over "
        f"{attack['success']['k']} examples from {attack['photos_with_examples']} photos. R1, R2 and Table 1: "
        f"{answers.standing(rows, noun='claim')}.",
        "The attacked regions are segments, and LIME answers in superpixels, where gradients answer pixel by pixel. "
        f"Does LIME also rank better than gradients averaged over the same superpixels? {_answered(averaged)}. Than "
        f"Grad-CAM, which the paper does not try? {_answered(coarse)} ({shapes})."
        if len(averaged)
        else "No control is among these results.",
        (
            answers.networks(rows),
            f"The paper explains {EXAMPLES} examples from {PHOTOS} photos and attacks {NETWORKS[NETWORK]}."
            if best.result["network"]["name"] != NETWORK
            else "",
        ),
    )


def _answered(asked):
    """How a question is answered: “One network, toward yes in 2 of 2 cases”."""
    counts = asked.answer.value_counts()
    told = "; ".join(f"{answer} in {count} of {words.counted(len(asked), 'case')}" for answer, count in counts.items())
    return words.capitalised(told)
