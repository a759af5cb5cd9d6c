"""What the units of this study say, in sentences: Markdown made of their numbers. Needs no torch."""

import numpy as np

from ...data import title_of
from ...page import capitalised, claims, minus, words
from ...records import seeds
from . import readings as every_reading
from .claims import SHARED
from .published import BATCH, PUBLISHED
from .results import SCORES, directions, holding


def answer_accuracy(table):
    """The paragraph under a table of :func:`.comparison.compare`, in Markdown, from its numbers alone."""
    ends = dict.fromkeys(f"{100 * value:.1f} %" for value in (table.ours.min(), table.ours.max()))
    where = ", depending on the data set" if len(ends) > 1 else ""
    text = [f"M classifies {' to '.join(ends)} of the test images correctly{where}."]
    told = []
    for toward in (claims.AGREES, claims.DIFFERS):
        rows = table[table.toward == toward]
        apart = (f"{row['where']} ({minus(100 * (row.ours - row.paper), '+.1f')})" for _, row in rows.iterrows())
        told += [f"{toward} for {', '.join(apart)}"] * bool(len(rows))
    if told:
        text.append(
            f"Beside the mean of the paper’s two score_clean it {' and '.join(told)} (ours − theirs, in points)."
            + _few(table[table.toward != ""])
        )
    starts = {"scratch": "random weights", "imagenet": "ImageNet weights"}
    for start, rows in table.groupby("initialisation"):
        text.append(f"Training started from {starts[start]} for {', '.join(rows['where'].unique())}.")
    return " ".join(text)


def learnt(test, train):
    """Whether the paper's score_clean looks like one of training images, from both tables of accuracy, in Markdown.

    Args:
        test, train: of :func:`.comparison.accuracy`, with the same rows.
    """
    known = test.paper.notna() & train.ours.notna()
    if not known.any():
        return ""
    nearer = (train.ours - train.paper).abs() < (test.ours - test.paper).abs()
    parts = [
        f"{one['where']} {100 * learned:.1f} % (test {100 * one.ours:.1f}, paper {100 * one.paper:.1f})"
        for (_, one), learned in zip(test[known].iterrows(), train.ours[known], strict=True)
    ]
    return (
        f"Of images that it learnt from, M classifies correctly: {'; '.join(parts)}. For {int(nearer[known].sum())} of "
        f"{int(known.sum())} data sets that is nearer to the paper’s number than our accuracy on test images. The "
        "paper does not say which images it scored."
    )


def fragile(units):
    """Useful features (ρ̂ > 0) that the attack makes useless or worse (γ̂ ≤ 0): (title, (k, n) of each network), a group
    of networks each.
    """
    return [(title_of(group[0].result["dataset"]), [_fragile(unit.table("features")) for unit in group])
            for group in seeds.groups(units)]  # fmt: skip


def _fragile(table):
    gamma = table.gamma[table.rho > 0]
    return int((gamma <= 0).sum()), len(gamma)


def of_each(counts):
    """“99, 98 and 97 of 100”: how many (k) of how many (n), network by network."""
    sizes = {count["n"] for count in counts}
    if len(sizes) > 1:
        return words.listed([f"{count['k']} of {count['n']}" for count in counts])
    return f"{words.listed([str(count['k']) for count in counts])} of {sizes.pop()}"


def on_features(units):
    """How many useful features are fragile, network by network, in words."""
    told = (f"{title}: {of_each([{'k': k, 'n': n} for k, n in each])}" for title, each in fragile(units))
    return (
        "Useful features (ρ̂ > 0) that the attack makes useless or worse (γ̂ ≤ 0), at the ε of each data set, network "
        f"by network: {'; '.join(told)}."
    )


def tilt(pairs):
    """What a table of :func:`.charts.tilts` shows, in words: where both directions gain, where one gains, one loses."""
    up = (pairs[["low, first", "low, second"]] > 0).to_numpy()
    down = (pairs[["high, first", "high, second"]] < 0).to_numpy()
    kinds = {
        "it rises in both directions for": up.all(axis=1),
        "it rises in one direction and falls in the other for": up.any(axis=1) & down.any(axis=1),
        "it falls in both directions for": down.all(axis=1),
    }
    told = [f"{how} {', '.join(pairs['data set'][rows])}" for how, rows in kinds.items() if rows.any()]
    rest = int((~np.logical_or.reduce(list(kinds.values()))).sum())
    where = f"for {rest} of {len(pairs)} data sets " if len(pairs) > 1 else ""
    told += [f"{where}the interval of at least one direction holds 0"] * bool(rest)
    return "; ".join(told)


def attacked_levels(units):
    """How many images FGSM and PGD leave classified correctly without a blob, as a range over directions, in words."""
    shares_of = {}
    for attack in ("fgsm", "pgd"):
        counts = [block["threats"][attack] for _, _, block in directions(units)]
        shares = [100 * count["k"] / count["n"] for count in counts]
        shares_of[attack] = " to ".join(dict.fromkeys((f"{min(shares):.0f} %", f"{max(shares):.0f} %")))
    return shares_of


def readings(table):
    """How far the reading of Table I moves its numbers, from :func:`.tables.similarity_choices`, in words."""
    means = table[table.columns[2:]]
    spread = means.max(axis=1) - means.min(axis=1)
    theirs = [one.value for one in PUBLISHED if (one.row, one.quantity) == ("A9", "individual")]
    return (
        f"The reading moves the mean by {spread.min():.3f} to {spread.max():.3f}, depending on data set and direction. "
        f"The paper’s own values lie between {min(theirs):.2f} and {max(theirs):.2f}, so a difference of that size "
        "decides whether Table I is met."
    )


def printed_sample():
    """On how many images the paper's scores rest, in words."""
    known = dict.fromkeys(title_of(one.dataset) for one in PUBLISHED if one.n)
    return (
        f"The paper’s {words.listed(list(known))} percentages are multiples of 1/{BATCH}, so its interval is that of "
        f"{BATCH} images (96.85 is read as 31/32, 96.88); for the other sets it does not state n."
    )


def on_paper(table):
    """How often the paper's own numbers have an interval, and how often that holds the bound; may be empty."""
    printed = table[table["paper toward"] != ""]
    if printed.empty:
        return ""
    unclear = (printed["paper toward"] == claims.UNDECIDED).sum()
    return (
        f"In {len(printed)} rows the paper’s own numbers have an interval; in {unclear} of them it holds the bound, "
        f"because {BATCH} images say little."
    )


def tally(data, column, *, higher="higher", lower="lower"):
    """How many intervals lie above 0, below it, or hold it: a Markdown list with a line for each entry of a column."""
    lines = []
    for entry, rows in data.groupby(column, sort=False):
        up, down = int((rows.low > 0).sum()), int((rows.high < 0).sum())
        counts = {higher: up, lower: down, "undecided": len(rows) - up - down}
        told = ", ".join(f"{word} in {count}" for word, count in counts.items() if count)
        lines.append(f"- {entry}: {told} of {len(rows)} directions")
    return "\n".join(lines)


def rules():
    """What the rules of several claims have in common: a Markdown list."""
    return "\n".join(f"- **{capitalised(about)}**: {rule}." for about, rule in SHARED.items())


def findings(claim, table):
    """A claim's rule and its verdicts by data set and direction, as a paragraph in Markdown.

    Args:
        claim: one of the claims.
        table: from :func:`roa_helpers.page.claims.verdicts`.
    """
    rows = table[table.id == claim.id]
    own = claims.judged(rows)
    told = claims.told(own if len(own) else rows)
    return f"**{capitalised(claim.text)}.** Rule: {claim.rule}. Verdict: {told}."


def answer(row, table):
    """The paragraph that belongs under a table of :func:`.comparison.compare`, in Markdown, from its numbers alone."""
    known = table[table.toward != ""]
    agree = int((known.toward == claims.AGREES).sum())
    if known.empty:
        opening = "None of these data sets has a published value, so nothing is compared here."
    else:
        sets, apart = ", ".join(known["where"].unique()), in_supplement(known) if row == "A9" else ""
        opening = (
            f"Of {len(known)} numbers that the paper prints for {sets}{apart}, ours agree with {agree} and differ from "
            f"{len(known) - agree}: the 95 % interval of the difference does or does not hold 0." + _few(known)
        )
    return " ".join((opening, *_REMARKS[row](table)))


def in_supplement(table):
    """Which of the paper's numbers of Table I stand in its supplement, in words; empty where none does."""
    count = int(((table["where"] == title_of("malaria")) & (table.toward != "")).sum())
    return f" ({count} of them, Malaria’s, in its supplement)" if count else ""


def _few(rows):
    """What must be said where numbers rest on fewer than three networks."""
    few = int(rows.verdict.isin(claims.FEW.values()).sum())
    if not few:
        return ""
    if few == 1 < len(rows):
        return " One of these rests on fewer than three networks and decides nothing."
    return f" {'All' if few == len(rows) else few} of these rest on fewer than three networks and decide nothing."


def _remark_ssim(table):
    one, many = (table[table.quantity == q].ours for q in ("individual", "representative"))
    ends = [minus(value, ".3f") for value in (one.min(), one.max(), many.min(), many.max())]
    yield f"Over all directions shown, the mean SSIM of individual images lies between {ends[0]} and {ends[1]},"
    yield f"and that of the representatives between {ends[2]} and {ends[3]}; 1 would be the same region."


def _remark_change(before, after, what):
    def remark(table):
        wide = table.pivot_table(index=["where", "case", "profile", "seeds"], columns="quantity", values="ours")
        change = 100 * (wide[SCORES[after]] - wide[SCORES[before]])
        ends = [f"{minus(change[at], '+.1f')} points for {at[0]}, {at[1]}" for at in (change.idxmin(), change.idxmax())]
        if change.min() < change.max():
            yield f"Neutralisation changes {what} by {ends[0]}, and by {ends[1]}, the two ends of the range."
        else:
            yield f"Neutralisation changes {what} by {minus(change.min(), '+.1f')} points in every direction shown."

    return remark


_REMARKS = {
    "A9": _remark_ssim,
    "A10": _remark_change("clean", "mod", "clean accuracy"),
    "A11": _remark_change("adv", "mod_adv", "accuracy under attack"),
}


def nearest(rows):
    """What a table of :func:`.readings.table` shows, in Markdown."""
    if not len(rows):
        return "The paper prints no number for these data sets, so no reading can be held against it."
    told = []
    for one in every_reading.distances(rows).to_dict("records"):
        names = (*every_reading.READINGS.values(), every_reading.SEVERAL)
        order = sorted(names, key=lambda name, one=one: -one[f"nearest: {name}"])
        counts = ", ".join(f"{name} {one[f'nearest: {name}']}" for name in order if one[f"nearest: {name}"])
        told.append(f"- Table {one['table']}, {one['quantity']}, {one['n']} numbers; nearest: {counts}.")
    zero = rows[rows.quantity == "individual"]
    if len(zero):
        gap = (zero[every_reading.READINGS["published"]] - zero[every_reading.ZERO]).abs().max()
        told.append(
            "- The individual SSIM by the pictures’ procedure differs from that of an RoA without any entry by at "
            f"most {gap:.3f}: it tells of the heat map alone."
        )
    return "\n".join(told)


def beyond_nulls(table):
    """What a table of :func:`.beyond.beaten` says, in Markdown."""
    counts = "; ".join(f"{row.what}, {row.k} of {row.n}" for row in table.itertuples())
    return (
        "Counted over data sets, directions and networks, M’s regions have more than every null in: "
        f"{counts}. A number that an untrained network reaches too says nothing of what was learnt."
    )


def left_out(units):
    """Which units lack what is measured now, in Markdown; empty where none does."""
    older = [unit for unit in units if unit not in holding(units, "nulls")]
    if not older:
        return ""
    sets = ", ".join(dict.fromkeys(title_of(unit.result["dataset"]) for unit in older))
    return f"Left out here, as recorded before this was measured: {sets}."
