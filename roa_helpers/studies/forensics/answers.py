"""What the page of this study comes to. Needs no torch."""

from ... import studies
from ...page import answers, claims
from .claims import INFERRED, READ


def pictures(units):
    """What the published pictures show, beside what the text says."""
    paper = (
        "An RoA is where the norm of the perturbation over channels exceeds δ₂, and a blob is U−V+, what is vulnerable "
        "and not useful (text, Section II)."
    )
    if not units:
        return answers.Answer(paper, "Nothing yet: the pictures have not been read.", "See below for how to get them.",
                              ("The question itself.",))  # fmt: skip
    rows = claims.judged(studies.verdicts(units))
    read, inferred = (answers.standing(rows[rows.statement == kind], noun="statement") for kind in (READ, INFERRED))
    blocks = [unit.result["rebuild"] for unit in units]
    exact, known = (sum(block["exact"][which] for block in blocks) for which in "kn")
    change = max(unit.result["ssim"]["change"] for unit in units)
    return answers.Answer(
        paper,
        "The pictures follow another procedure. Read off: an RoA is decided channel by channel, and a blob is the "
        f"representative RoA above a threshold (rebuilt to the last entry for {exact} of {known} ordered pairs): "
        f"{read}. Inferred: a representative is the mean of signs, and a blob is V+: {inferred}.",
        "Text and pictures describe different things, and the paper’s numbers may rest on either. The entries of the "
        f"RoA change the individual SSIM of the pictures by {change:.4f} at most (median of a data set): it hardly "
        "depends on the RoA.",
        (
            "No file says how the pictures were made: what is inferred here is the simplest procedure that gives them.",
            "The pictures of Malaria are screenshots and cannot be read cell by cell.",
        ),
    )
