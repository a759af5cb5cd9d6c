"""What the page of this study comes to. Needs no torch."""

from ... import studies
from ...page import answers, words
from ...records import seeds
from .claims import ALL
from .results import has_printed, named
from .tables import compare, knowing


def defence(units):
    """Whether blurring what a heatmap holds unimportant defends."""
    paper = (
        "Networks trained on images that are blurred where a heatmap is low are more accurate under attack. Blurring "
        "after an attack keeps accuracy about the same; blurring before it does not help (Tables 4.1 to 4.5)."
    )
    own, _ = studies.apart(units)
    if not own:
        return answers.nothing(paper)
    rows = studies.verdicts(own)
    rows = rows[rows.case == ALL]
    stands = [f"“{claim}”: {answers.standing(part, noun='group')}" for claim, part in rows.groupby("claim", sort=False)]
    groups = [group for group in seeds.groups(own) if has_printed(group[0])]
    cells = [f"{answers.agreeing(compare(group))} ({named(group[0])})" for group in groups]
    agree = words.listed(cells) if cells else "none: it prints none for these"
    known = knowing(own)
    left = known[known.attacker == "worst"]
    above = int((left.left_low > 0).sum())
    return answers.Answer(
        paper,
        f"{'; '.join(stands)}.",
        f"Of the thesis’s accuracies ours agree with {agree}. The blur undoes a small change that was made without it. "
        "Against attackers who know of it, the worst of those tried, "
        f"{above} of {len(left)} networks behind their blur are clearly more accurate than the undefended A.",
        tuple(filter(None, (
            answers.networks(rows),
            "The thesis does not say whether its network started from ImageNet weights, nor what its “PGD” heatmap is.",
            "No attack tried here differentiates the choice of the pixels that stay sharp.",
        ))),
    )  # fmt: skip
