"""What the two pages of this study come to. Needs no torch."""

from ... import studies
from ...page import answers, claims, listed
from . import words
from .claims import STATEMENTS


def _stands(units, statements):
    """How the claims of some statements stand over networks and cases, and what few networks leave open."""
    rows = claims.judged(studies.verdicts(units))
    told = []
    for one in statements:
        own = rows[rows.statement == one]
        decided = own[own.verdict.isin((claims.REPRODUCED, claims.CONTRADICTED))]["where"].unique()
        on = f", decided on {listed(list(decided))}" if len(decided) else ""
        told.append(f"“{STATEMENTS[one]}”: {answers.standing(own, noun='case')}{on}")
    return "; ".join(told), answers.networks(rows[rows.statement.isin(statements)])


def lines(units):
    """Directions that carry a class: Algorithm 1, Figs 1 and 2."""
    paper = (
        "Where the boundary of a class is most curved there are directions along which its score is a near-symmetric, "
        "monotone function, much the same for all images. Moving any image along one classifies it, or fools the "
        "network."
    )
    own, _ = studies.apart(units)
    if not own:
        return answers.nothing(paper)
    told, few = _stands(own, ("lines",))
    return answers.Answer(
        paper,
        f"{told}.",
        "The statements say “near”; here an error of a quarter is the bound. A random direction is the opponent that "
        "the paper lacks. Curved directions are clearly more symmetric than random ones, a network and sign each, in "
        f"{words.more_symmetric(own)}.",
        tuple(filter(None, (
            few,
            "A network of rectifiers has no curvature but at its kinks: what is found depends on the step of the "
            "differences, on how many boundary points are averaged, and on whether logits or softmax are "
            "differentiated.",
        ))),
    )  # fmt: skip


def subspaces(units):
    """Accuracy and attacks in the same subspaces, and compression as a defence: Figs 3 to 5, Table 1."""
    paper = (
        "A few directions of high curvature hold the accuracy, and the attacks live in the same ones. Compressing "
        "images lowers the fooling rate of an attack made without it (from 100 % to between 33 and 42 %), and scaling "
        "the perturbation brings it back (to 88 % and more at ten times the norm; Table 1)."
    )
    own, _ = studies.apart(units)
    if not own:
        return answers.nothing(paper)
    told, few = _stands(own, ("coupling", "compression"))
    return answers.Answer(
        paper,
        f"{told}. How few directions is not judged; the fewest tried, most curved first, that keep nine tenths of the "
        f"accuracy: {'; '.join(words.held(own))}.",
        "Nested subspaces hold more of everything as they grow, so dimension alone makes accuracy and norms go "
        "together; here subspaces are held against random ones of the same dimension. Our images are small, and ten "
        "times a perturbation can outweigh them, which says nothing of compression.",
        tuple(filter(None, (few, "The paper’s network, AlexNet on ImageNet at 227 pixels, is not among these results."
                            if not _has_alexnet(own) else ""))),
    )  # fmt: skip


def _has_alexnet(units):
    return any(unit.result["model"]["network"] == "imagenet-alexnet" for unit in units)
