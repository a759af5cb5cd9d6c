"""Tables of this study's pages: what the blob is rebuilt from, counts, the presented directions. Needs no torch."""

import numpy as np
import pandas as pd

from ... import metrics
from ...page import in_brackets, words
from ..roi_roa import published
from ..supplement import presented
from .charts import READINGS
from .claims import CORES
from .results import named


def readings(units):
    """What the blob is rebuilt from, and how well: a row a unit and reading; median over pairs with its interval.

    U−V+ has as many pairs as have entries above the threshold inside the RoI's core and outside it.
    """
    rows = []
    for unit in units:
        result = unit.result
        blocks = {name: (result["rebuild" if column == "agreement" else "controls"], column)
                  for column, (name, _, _) in READINGS.items()}  # fmt: skip
        cores = {f"its own, U−V+ with the {title}": (result["cores"][core], "cut") for core, title in CORES.items()}
        for name, (block, column) in (blocks | cores).items():
            rows.append({"data set": named(unit), "rebuilt from": name, **_value(block, column),
                         "pairs": block.get("pairs", result["rebuild"]["pairs"])})  # fmt: skip
    return pd.DataFrame(rows)


def readings_view(units):
    """The same as a reader sees it."""
    table = readings(units)
    return in_brackets(table.rename(columns={"value": "ours"})).rename(columns={"ours": "agreement"})


def counts(units):
    """How many pictures are as they are said to be: a row a unit and statement, k of n with Wilson's interval."""
    rows = []
    for unit in units:
        signs, rebuild, result = unit.result["signs"], unit.result["rebuild"], unit.result
        said = {
            "RoA of one image holds 0 and 1 alone": signs["binary"],
            "RoA of one image is not black throughout": signs["moving"],
            "channels of such an RoA differ": signs["coloured"],
            "blob holds 0 and 1 alone": signs["blobs"],
            "every entry of the blob is rebuilt": rebuild["exact"],
            "ones of an image’s RoA where the representative is black": result["mean"]["black_ones"],
            **{f"above the threshold, inside the core ({title}): in the blob": result["cores"][core]["inside"]
               for core, title in CORES.items()},
            **{f"above the threshold, outside the core ({title}): in the blob": result["cores"][core]["outside"]
               for core, title in CORES.items()},
            "heat maps of one image in OpenCV’s jet, red and blue exchanged": result["colours"]["one"]["known"],
            "heat maps of representatives likewise": result["colours"]["representative"]["known"],
            "SSIM on two scales between the authors’ smallest and largest": result["ssim"]["within"]["two_scales"],
            "likewise with an RoA without any entry": result["ssim"]["within"]["zero"],
            "likewise on one scale": result["ssim"]["within"]["one_scale"],
        }  # fmt: skip
        rows += [{"data set": named(unit), "what": what, **_counted(found)} for what, found in said.items() if found]
    return pd.DataFrame(rows)


def counts_view(units):
    """The same as a reader sees it: a row a statement, a column a data set, “k of n (share [low, high])”."""
    table = counts(units)
    told = [words.share_of(row.k, row.n) for row in table.itertuples()]
    wide = table.assign(told=told).pivot_table(
        index="what", columns="data set", values="told", aggfunc="first", sort=False
    )
    return wide.fillna("–").rename_axis(columns=None).reset_index()


def _counted(found):
    low, high = metrics.wilson(found["k"], found["n"])
    return found | {"share": found["k"] / found["n"], "low": low, "high": high}


def _value(block, name):
    low, high = (np.nan if end is None else end for end in block[f"{name}_interval"])
    return {"value": np.nan if block[name] is None else block[name], "low": low, "high": high}


def directions(units):
    """Table I beside the pictures: a row for each presented direction whose pictures are read."""
    rows = []
    for unit in units:
        dataset = unit.result["dataset"]
        shown = set(presented.PRESENTED.get(dataset, ()))
        for row in unit.table("pairs").astype({"source": str, "target": str}).itertuples():
            if {row.source, row.target} == shown:
                paper = published.printed("A9", dataset, row.source, row.target, "individual")
                rows.append({
                    "data set": named(unit), "direction": f"{row.source} to {row.target}",
                    "Table I": paper.value if paper else np.nan, "the authors’ mean": row.authors_mean,
                    "smallest": row.authors_min, "largest": row.authors_max, "pictures, two scales": row.two_scales,
                    "RoA without any entry": row.zero, "pictures, one scale": row.one_scale,
                })  # fmt: skip
    return pd.DataFrame(rows)
