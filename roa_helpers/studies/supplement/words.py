"""What our units and the authors' files say, in sentences: Markdown made of their numbers. Needs no torch."""

from ...data import title_of
from ...page import words
from . import reference, spread
from .agreement import PICTURES, TOGETHER
from .matrices import PAIR, STAGES, collected, datasets, kept_by_value
from .presented import MOST, attack_rows, equal_numbers, is_flat, kept, printed, table_two

_MOST = f"{100 * MOST:.0f} %"
#: A class probability rises where it grows by more than this (2026-11-26: smaller rises had been counted too).
_RISE = 0.01


def difference(pairs):
    """How far our class probabilities after neutralisation lie from the authors', for each value, in Markdown.

    Args:
        pairs: of :func:`.agreement.matched`.
    """
    told = []
    after = pairs[pairs.quantity.str.match(f"clean, ({PICTURES})?set to")]
    for quantity, part in after.groupby("quantity", sort=False):
        distance, name = (part.ours - part.theirs).abs().mean(), quantity.removeprefix("clean, ")
        blob = "entries of the" if "blob" in name else "pixels"
        told.append(f"{distance:.2f} with {blob} {name} ({len(part)} pairs)")
    return f"After neutralisation our class probability differs from the authors’, on average by {', by '.join(told)}."


def related(correlations):
    """Where, after neutralisation, pairs that are high in one study are high, or low, in the other, in Markdown.

    Args:
        correlations: of :func:`.agreement.correlations`.
    """
    after = correlations[
        correlations.quantity.str.match(f"clean, ({PICTURES})?set to") & (correlations["data set"] != TOGETHER)
    ]
    lines = []
    for blob, own in after.groupby(after.quantity.str.contains(PICTURES)):
        names = own["data set"] + ", " + own.quantity.str.extract("(set to .*)", expand=False)
        told = words.clear_of_zero(own, names, above="above 0", below="below 0")
        rest = ((own.low <= 0) & (own.high >= 0)).sum()
        if rest:
            told.append(f"holds 0 for {'the other ' if told else ''}{rest}")
        lines.append(f"- {PICTURES.strip() if blob else 'blob of the text'}: {'; '.join(told)}")
    return (
        "The interval of ρ, for class probabilities of clean images after neutralisation:\n\n"
        + "\n".join(lines)
        + "\n\nThese intervals are not adjusted for how many there are."
    )


def sample(units):
    """How many pairs were run, and how good the networks are, in Markdown."""
    lines = []
    for dataset in datasets(collected(units)[0]):
        own = [unit for unit in units if unit.result["dataset"] == dataset]
        shares = [100 * test["k"] / test["n"] for test in (unit.result["model"]["test"] for unit in own)]
        pairs = len({tuple(unit.result["classes"]) for unit in own})
        networks = words.counted(len(own), "network") + (f" of {pairs} pairs" if pairs < len(own) else "")
        lines.append(f"{title_of(dataset)}, {networks}, {min(shares):.0f} to {max(shares):.0f} %")
    more = ", several for some pairs, of which the mean is shown" if spread.repeated(units) else ""
    return (
        f"Ours: one network for each unordered pair that was run{more}. How many there are, and what share of its test "
        f"images the worst and the best of them classify correctly: {'; '.join(lines)}."
    )


def repeated(shares):
    """Where more than half of the variance of each number lies, between directions or between trainings: Markdown.

    Args:
        shares: of :func:`.spread.shares`.
    """
    parts = []
    for name, rows in shares.groupby("data set", sort=False):
        head = f"**{name}**, {rows.directions.iloc[0]} directions, {rows.networks.iloc[0]} networks"
        if rows.share.isna().all():
            parts.append(f"{head}: one pair, or numbers that are all equal; there is nothing to compare.")
            continue
        found = {"between directions": rows.low > 0.5, "between trainings": rows.high < 0.5}
        found["undecided"] = ~(found["between directions"] | found["between trainings"])
        told = [
            f"{place} for all {len(rows)}" if of.all() else
            f"{place} for {of.sum()} ({', '.join(f'“{quantity}”' for quantity in rows.quantity[of])})"
            for place, of in found.items() if of.any()
        ]  # fmt: skip
        where = words.capitalised(words.listed(told))
        parts.append(f"{head}. Where does more than half of the variance of these numbers lie? {where}.")
    return "\n\n".join(parts)


def answer(scores, dataset):
    """What our matrices of a data set say, in Markdown, from its numbers alone."""
    scores = scores[scores.dataset == dataset]
    largest, parts = scores[scores.score == "mod"].groupby(PAIR).blob.max(), []
    for stage in STAGES:
        table = kept_by_value(scores, stage)
        start = table.drop_duplicates(PAIR).start.mean()
        part = f"on {stage} images the mean class probability is {start:.2f} before neutralisation"
        for value, rows in table.groupby("value"):
            end = rows["mean"]
            kept_, risen = int((end >= MOST * rows.start).sum()), int((end > rows.start + _RISE).sum())
            held = f"{words.counted(kept_, 'pair')} {'keeps' if kept_ == 1 else 'keep'} {_MOST} of it"
            told = held if stage == "clean" else f"it rises by more than {_RISE:g} in {words.counted(risen, 'pair')}"
            part += f", {end.mean():.2f} with pixels set to {value:g} ({told})"
        parts.append(part)
    empty = int((largest == 0).sum())
    rest = f" In {words.counted(empty, 'pair')} the blob is empty at every θ, and nothing is neutralised."
    return (
        f"**{title_of(dataset)}**, {words.counted(len(largest), 'ordered pair')}, each at its best θ: "
        f"{'; '.join(parts)}.{rest if empty else ''}"
    )


def findings(authors):
    """What the files show: sentences in Markdown, one subject each."""
    table = kept(authors.scores)
    for dataset, pairs in table.groupby("dataset", sort=False):
        yield _on_neutralisation(title_of(dataset), pairs)
    yield _on_attack(attack_rows(authors.scores), table)
    yield _on_columns(authors.files, authors.similarity)
    yield _on_table_one(printed(authors.similarity))
    yield _on_table_two(table_two(authors.scores).dropna(subset="score_mod printed"))
    yield _on_malaria(authors.similarity)


def _on_neutralisation(title, pairs):
    enough, flat = pairs.kept >= MOST, is_flat(pairs)
    text = (
        f"**{title}**: over {len(pairs)} pairs neutralisation takes the mean class probability from "
        f"{pairs.clean.mean():.2f} to {pairs.best.mean():.2f}, even at the θ that keeps most for each pair. "
        f"{enough.sum()} pairs keep {_MOST} of it. In {(pairs.largest < 0.5).sum()} pairs no image has a class "
        "probability of ½ or more afterwards, at any θ: with two classes, every image is misclassified."
    )
    if not flat.any():
        return text
    return (
        f"{text} In {flat.sum()} pairs the network gives every image nearly the same probability, about ½, before "
        f"anything is neutralised; {(flat & enough).sum()} of the {enough.sum()} pairs that keep {_MOST} are of this "
        "kind."
    )


def _on_attack(rows, table):
    pairs = rows.groupby("dataset", sort=False)[["source", "target"]].apply(lambda part: len(part.drop_duplicates()))
    counted = ", ".join(f"{n} of {title_of(dataset)}" for dataset, n in pairs.items())
    gain, presented = rows.mod_adv - rows.adv, rows.merge(table, on=["dataset", "source", "target"]).presented
    return (
        f"**Under attack** the files list few pairs: {counted}; {len(rows)} rows, a pair at a θ. In "
        f"{(gain > 0).sum()} of them neutralisation raises the class probability, in {(gain == 0).sum()} it leaves it "
        f"as it is to the last digit, in {(gain < 0).sum()} it lowers it. {presented.sum()} of the rows belong to a "
        "presented pair."
    )


def _on_columns(files, similarity):
    wide, full = files[files.given > files.named], similarity[similarity.sd.notna()]
    between = full["mean"].between(full["min"], full["max"]) & full["median"].between(full["min"], full["max"])
    fits = between & (full.sd <= (full["max"] - full["min"]) / 2)
    return (
        f"**Columns.** The individual SSIM of {len(wide)} data sets has {wide.given.max()} numbers under "
        f"{wide.named.max()} names. They are read here as {', '.join(reference.STATISTICS)}: in {fits.sum()} of "
        f"{len(full)} rows the third and the fourth lie between the first two, and the fifth is at most half their "
        "distance, as a standard deviation must be; the third is what Table I prints."
    )


def _on_table_one(numbers):
    differing = numbers[~numbers.agree].itertuples()
    named = [f"{row.source} to {row.target}, {row.printed:.4f} in the table and {row[6]:.4f} in the file"
             for row in differing]  # fmt: skip
    return (
        f"**Table I** agrees with the files in {numbers.agree.sum()} of {len(numbers)} numbers (rounded or cut to four "
        f"decimals). It differs in: {'; '.join(named) or 'none'}."
    )


def _on_table_two(table):
    beyond = table[table["score_mod printed"] > table["accuracy at most"]]
    named = ", ".join(beyond["data set"] + " " + beyond.direction)
    return (
        f"**Table II** prints, for {len(beyond)} of {len(table)} presented directions ({named or 'none'}), an accuracy "
        "after neutralisation above the largest that the files allow at any of their θ. Where that is so, the table "
        "must rest on another network, another blob, another value of the neutralised pixels or other images than the "
        "files."
    )


def _on_malaria(similarity):
    equal = equal_numbers(similarity)
    same = equal[equal["data set"] == "cifar10"]
    count = similarity[similarity.dataset == "malaria"][reference.STATISTICS].notna().sum().sum()
    named = "; ".join(
        f"{r.statistic} {r.value:.5f} of {r.source} to {r.target}: {r[6]} to {r[7]}" for r in same.itertuples()
    )
    return (
        f"**Malaria.** Of its {count} numbers of individual SSIM, {len(same)} equal a number in the same column of "
        f"CIFAR-10 to five decimals ({named or 'none'}), {len(equal) - len(same)} one of MNIST or Fashion-MNIST."
    )


def notice():
    """A paragraph in Markdown for a page without the files: how to get them."""
    files = reference.AUTHORS
    return (
        "**The authors’ files are not at hand**, so what follows shows our numbers alone. "
        f"`python -m roa_helpers data fetch {files.name}` downloads the {len(files.downloads)} files "
        f"({sum(file.size for file in files.downloads) / 2**10:.0f} kB) from "
        f"[their repository](https://github.com/{reference.REPOSITORY}); then build the book again. They were looked "
        f"for in `{files.folder}/` in the data folder, and in `reference/{files.folder}/` beside it."
    )
