"""What training and class add to the regions: their statistics beside those of nulls. Needs no torch."""

import pandas as pd

from ...data import title_of
from ...page import NARROW, drawing, name_rows
from .results import holding

#: What is drawn: definition of the RoA, region, statistic, and what a panel is called.
PANELS = (
    ("perturbation", "roi", "moran", "RoI, Moran’s I"), ("perturbation", "roa", "moran", "RoA, Moran’s I"),
    ("perturbation", "roi", "alignment", "RoI, alignment"), ("perturbation", "roa", "alignment", "RoA, alignment"),
    ("perturbation", "both", "four", "four regions, share"),
)  # fmt: skip
#: The maps of M and of the nulls, with a mark and a colour for each.
LOOKS = {
    "trained": ("o", "#000000"), "untrained": ("^", "#D55E00"), "coarse": ("x", "#0072B2"),
    "other class": ("s", "#CC79A7"),
}  # fmt: skip
NAMES = {"trained": "trained network", "untrained": "untrained networks", "coarse": "coarse random maps",
         "other class": "mixed with the other class"}  # fmt: skip


def table(units):
    """The statistics of M's regions and of all nulls: the table ``nulls`` of the units that hold it."""
    parts = [
        unit.table("nulls").assign(**{"data set": title_of(unit.result["dataset"]), "seed": unit.result["seed"]})
        for unit in holding(units, "nulls")
    ]
    return pd.concat(parts, ignore_index=True)


def chart(units):
    """Each statistic of M's regions beside the nulls': a panel a statistic, a line a direction, a mark a network."""
    data = table(units)
    names = list(dict.fromkeys(data["data set"] + ", " + data.direction))
    figure, axes = drawing(NARROW, 1.3 + 0.34 * len(names), ncols=len(PANELS), sharey=True, squeeze=False)
    at = name_rows(axes[0], names, height=0.34)
    for axis, (definition, region, statistic, title) in zip(axes[0], PANELS, strict=True):
        rows = data[(data.definition == definition) & (data.region == region) & (data.statistic == statistic)]
        for maps, (mark, colour) in LOOKS.items():
            part = rows[rows.maps == maps]
            places = [at(names.index(name)) for name in part["data set"] + ", " + part.direction]
            axis.plot(part.value, places, mark, ms=4.5, mfc="none", color=colour, label=NAMES[maps])
        axis.set_title(title.replace(", ", ",\n").replace("four ", "four\n"), fontsize=7.5)
        axis.tick_params(labelsize=7)
        axis.locator_params(axis="x", nbins=2)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure, data


def beaten(data):
    """In how many directions and networks M's regions have more than every null: a row a panel: what, k, n."""
    rows = []
    for definition, region, statistic, title in PANELS:
        part = data[(data.definition == definition) & (data.region == region) & (data.statistic == statistic)]
        keys = ["data set", "seed", "direction"]
        own = part[part.maps == "trained"].set_index(keys).value
        strongest = part[part.maps != "trained"].groupby(keys, sort=False).value.max()
        more = own > strongest.reindex(own.index)
        rows.append({"what": title, "k": int(more.sum()), "n": len(more)})
    return pd.DataFrame(rows)
