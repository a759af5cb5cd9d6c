"""What the units of this study say, in sentences: Markdown made of their numbers. Needs no torch."""

from ...page import minus, words


def told(data):
    """How alignment changes as images are moved, from the table of ``charts.alignment``, in Markdown."""
    return "\n\n".join(_of(dataset, rows) for dataset, rows in data.groupby("data set", sort=False))


def _of(dataset, data):
    lines = []
    for region, rows in data.groupby("region", sort=False):
        means = rows.groupby("shift").value.mean()
        values = " → ".join(minus(value, ".3f") for value in means)
        undefined = int(rows.value.isna().sum())
        told = f", without {undefined} of {len(rows)} where at most one image has a region" if undefined else ""
        lines.append(f"- {region}: {values}{told}")
    shifts = ", ".join(str(shift) for shift in sorted(set(data["shift"])))
    counts = [int(n) for n in data.groupby("shift").seed.nunique()]
    each = f"{words.counted(counts[0], 'network')} of each shift"
    several = f"{words.listed([str(n) for n in counts])} networks"
    return (
        f"{dataset}: alignment beyond chance at shifts of up to {shifts} pixels, mean over both classes and "
        f"{each if len(set(counts)) == 1 else several}:\n\n" + "\n".join(lines)
    )
