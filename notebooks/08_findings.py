# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     notebook_metadata_filter: jupytext,kernelspec,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# (findings)=
# # What holds of the paper’s findings?
#
# The paper closes with four key findings. Here they become claims, each with a rule that stands beside it:
# *reproduced*, *contradicted*, or *undecided* when the data cannot tell. The rules read intervals, never bare numbers.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:
    from IPython import get_ipython

    get_ipython().run_line_magic("pip", "install --quiet roa-helpers")

# %% tags=["parameters"]
profile = "quick"
seed = None  # None: all seeds of the profile

# %%
from roa_helpers import charts, figures, papers, studies

units = studies.units("roi_roa", profile, seed=seed)
verdicts = papers.verdicts(units)

# %% [markdown]
# ## The rules

# %% tags=["hide-input"]
import pandas as pd

rules = pd.DataFrame([{"claim": claim.text, "rule": claim.rule} for claim in papers.CLAIMS])
figures.show_table(rules, name="rules", caption="Claims and the rules that judge them.")

# %% [markdown]
# ## Verdicts

# %% tags=["hide-input"]
figures.show_table(
    papers.summary(verdicts),
    name="verdict-counts",
    caption="Number of directions (data set × source class) in which each claim has each verdict.",
    units=units,
)

# %% tags=["hide-input"]
figure, data = charts.verdict_plot(verdicts)
figures.show(
    figure,
    name="verdict-intervals",
    caption="The quantity that each claim is judged by, its interval, and the bound (line). Right of the line: "
    "reproduced.",
    alt="One panel for each claim with an interval for each data set and direction, against the bound of the rule.",
    data=data,
    units=units,
)

# %% tags=["remove-input"]
counts = papers.summary(verdicts).set_index("claim")
for claim in papers.CLAIMS:
    row = counts.loc[claim.text]
    figures.show_text(
        f"**{claim.text[0].upper()}{claim.text[1:]}**: "
        + ", ".join(f"{verdict} in {n} of {int(row.sum())}" for verdict, n in row.items() if n)
        + "."
    )

# %% [markdown]
# ## Every direction
#
# Where the paper prints both scores and its sample size is known, the same rule is applied to its own numbers
# (difference of two proportions, Newcombe’s interval).

# %% tags=["hide-input"]
figures.show_table(
    verdicts, name="verdicts", caption="All verdicts, by the paper’s definition of the RoA.", units=units
)

# %% tags=["remove-input"]
judged = verdicts[verdicts["paper's verdict"] != ""]
if len(judged):
    unclear = (judged["paper's verdict"] == papers.UNDECIDED).sum()
    figures.show_text(
        f"By its own numbers the paper could be judged {len(judged)} times; {unclear} of these verdicts are undecided, "
        "because 32 images say too little."
    )

# %% tags=["hide-input"]
figures.show_table(
    papers.verdicts(units, definition="gradient"),
    name="verdicts-gradient",
    caption="The same with the RoA by gradient magnitude, which the paper does not use.",
    units=units,
)
