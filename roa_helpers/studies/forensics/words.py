"""What the pictures say, in sentences: Markdown made of the units' numbers. Needs no torch."""

from ...page import capitalised, claims, span, words
from ..supplement import choices, reference
from . import sources
from .claims import CLAIMS, INFERRED, READ
from .results import named

#: The choices as a reader calls them, where that is more than their name.
LABELS = {
    "slack": "levels that count as equal", "highest": "highest threshold", "bluer": "levels that make a cell blue",
    "bins": "ranges of the calibration", "resamples": "resamples of the bootstrap",
}  # fmt: skip


def notice(units):
    """Where nothing is recorded: how to get the pictures and to read them. Empty where there are results."""
    if units:
        return ""
    files = sources.authors()
    size = sum(file.size for file in files.downloads) / 2**20
    if files.find() is None or reference.AUTHORS.find() is None:
        get = (
            "the authors’ pictures or their CSV files are not at hand. `python -m roa_helpers data fetch "
            f"{files.name}` downloads the {len(files.downloads)} pictures ({size:.0f} MB), `python -m roa_helpers data "
            f"fetch {reference.NAME}` the CSV files, from [their repository](https://github.com/{reference.REPOSITORY})"
        )
    else:
        get = "the authors’ pictures are at hand, but have not been read"
    return (
        f"**Nothing is recorded here yet**: {get}; then `python -m roa_helpers study forensics --profile desk` reads "
        "them, and the next build of the book shows what they say."
    )


def read(units):
    """How many pictures were read, in Markdown."""
    told = "; ".join(
        f"{named(unit)}, {sum(unit.result['provenance']['data']['counts']['pictures'].values())} pictures of "
        f"{unit.result['ssim']['pairs']} ordered pairs of classes"
        for unit in units
    )
    return (
        f"Read here: {told}. Every picture is the published file, by its SHA-256, and shows its frame and "
        "cells of one colour each in the places where they must be."
    )


def on_signs(units):
    """What a published RoA of one image is, in Markdown."""
    lines = []
    for unit in units:
        signs, table = unit.result["signs"], unit.table("pairs")
        black = signs["moving"]["n"] - signs["moving"]["k"]
        moving = table[table.ones > 0]
        lines.append(
            f"- {named(unit)}: {_of(signs['binary'])} pictures hold 0 and 1 alone; {_of(signs['coloured'])} of those "
            f"that are not black have channels that differ; in these {moving.ones.mean():.0%} of the entries are 1. "
            + (f"{words.counted(black, 'picture')} {'is' if black == 1 else 'are'} black throughout." if black
               else "None is black throughout.")
        )  # fmt: skip
    return "\n".join(lines)


def on_means(units):
    """What a representative RoA is, in Markdown."""
    lines = []
    for unit in units:
        block, table = unit.result["mean"], unit.table("calibration")
        rows = table[table["first"] > 0]
        shown = (rows["first"] + rows["last"]) / 2 / 255
        share = rows.k / rows.n
        signed, plain = ((share - reading).abs().max() for reading in ((1 + shown) / 2, shown))
        found = block["black_ones"]
        lines.append(
            f"- {named(unit)}: over all ranges of v the share of ones differs from (1 + v) / 2 by at most "
            f"{signed:.3f}, from v by up to {plain:.3f}. Of the entries of representatives "
            f"{block['black']['k'] / block['black']['n']:.0%} are black; there {_share(found)} are 1 in the one image."
        )
    return "\n".join(lines)


def on_blobs(units):
    """How the blob follows from the representative, in Markdown."""
    lines = []
    for unit in units:
        block, table = unit.result["rebuild"], unit.table("pairs")
        empty = len(table) - block["pairs"]
        wrong, near = block["entries"]["wrong"], block["entries"]["near"]
        rest = (
            f"over all of them {wrong:,} entries differ, {near:,} of which are shown at one of the two levels beside "
            "the threshold, where eight bits cannot tell"
            if wrong
            else "no entry differs"
        )
        lines.append(
            f"- {named(unit)}: {_of(block['exact'])} blobs are rebuilt to the last entry, and {rest}. The lowest "
            f"agreement of any pair is {block['lowest']:.4f}. {_thresholds(table)} The blob touches "
            f"{_valued(block, 'touched', '.1%')} of the pixels (median over pairs, any channel)."
            + (f" {words.counted(empty, 'pair')} with a blob that is empty {'is' if empty == 1 else 'are'} left out."
               if empty else "")
        )  # fmt: skip
    return "\n".join(lines)


def _thresholds(table):
    """Which of the θ of the authors' files may be the threshold, in words."""
    table = table[table.filled > 0]
    low, high = table.level / 255, (table["last"] + 2) / 255  # matplotlib cuts levels off: k holds [k, k + 1) / 255
    possible = {theta: int(((low <= theta) & (theta < high)).sum()) for theta in choices.Supplement.theta}
    likely = [f"{theta:.2f} (in {k} of {len(table)} pairs)" for theta, k in possible.items() if k]
    return (
        f"The threshold lies between {low.median():.3f} and {high.median():.3f} (medians); of the {len(possible)} θ of "
        f"the authors’ files it may be {words.listed(likely) if likely else 'none'}."
    )


def on_cores(units):
    """Whether blobs avoid the RoI, in Markdown."""
    lines = []
    for unit in units:
        for core, title in (("representative", "of the representative RoI"), ("one", "of one image")):
            block = unit.result["cores"][core]
            if block["pairs"]:
                lines.append(
                    f"- {named(unit)}, heat map {title}, core of {block['size']:.0%} of the pixels (median): of the "
                    f"entries above the threshold {_share(block['inside'])} inside the core are in the blob, "
                    f"{_share(block['outside'])} outside it ({words.counted(block['pairs'], 'pair')})."
                )
    return "\n".join(lines)


def on_colours(units):
    """What colours the heat maps have, in Markdown."""
    lines = []
    for unit in units:
        one, representative = (unit.result["colours"][name] for name in ("one", "representative"))
        ends = {name: block["ends"]["k"] / block["ends"]["n"] for name, block in unit.result["colours"].items()}
        lines.append(
            f"- {named(unit)}: {_of(one['known'])} heat maps of one image hold no other colour than OpenCV’s jet with "
            f"red and blue exchanged, of representatives {_of(representative['known'])}; at 0 or 1 are "
            f"{ends['one']:.0%} of the entries of the former and {ends['representative']:.0%} of the latter."
        )
    return "\n".join(lines)


def on_similarity(units):
    """What the individual SSIM may be, in Markdown."""
    lines = []
    for unit in units:
        block = unit.result["ssim"]
        inside = block["within"]
        lines.append(
            f"- {named(unit)}: on two scales {_valued(block, 'two_scales', '.3f')}, with an RoA without any entry "
            f"{_valued(block, 'zero', '.3f')}, on one scale {_valued(block, 'one_scale', '.3f')}; the authors’ mean "
            f"{_valued(block, 'authors', '.3f')} (medians over {block['pairs']} pairs). Between the authors’ smallest "
            f"and largest lie {inside['two_scales']['k']}, {inside['zero']['k']} and {inside['one_scale']['k']} of "
            f"{block['pairs']}. The entries of the RoA change SSIM by {_valued(block, 'change', '.4f')}."
        )
    return "\n".join(lines)


def findings(kind, table):
    """The claims of one kind, each with its verdicts, values and rule: Markdown.

    Args:
        kind: ``READ`` or ``INFERRED``.     table: from :func:`roa_helpers.page.claims.verdicts`.
    """
    head = {READ: "Read off the pictures", INFERRED: "Inferred from them"}[kind]
    lines = [f"**{head}.**", ""]
    for claim in CLAIMS:
        rows = claims.of_units(table[table.id == claim.id])
        if claim.statement == kind and len(rows):
            told, known = claims.told(rows), rows.ours.dropna()
            spread = f" Values: {span(known, '.3f')}." if len(known) else ""
            lines.append(f"- {capitalised(claim.text)}: {told}.{spread} Rule: {claim.rule}.")
    return "\n".join(lines)


def _of(found):
    return f"{found['k']} of {found['n']}" if found else "none of 0"


def _share(found):
    return words.share_of(found["k"], found["n"])


def _valued(block, name, form):
    return words.bracketed(block[name], *block[f"{name}_interval"], form)
