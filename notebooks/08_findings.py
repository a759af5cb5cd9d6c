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
# The paper closes with key findings: segregation is possible, regions of a class lie over each other where images are
# free of translational variance, an image splits into four regions, and neutralising U−V+ keeps accuracy and weakens
# the attack. Here they become claims, each with a rule that stands beside it: *reproduced*, *contradicted*, or
# *undecided* when the data cannot tell. The rules read intervals, never bare numbers.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:
    from IPython import get_ipython

    get_ipython().run_line_magic("pip", "install --quiet roa-helpers")

# %% tags=["parameters"]
profile = "quick"
seed = None  # None: all seeds of the profile

# %%
from roa_helpers import studies
from roa_helpers.page import claims, figures, seeds_note
from roa_helpers.studies.roi_roa import CLAIMS, by_definition, charts, where, words

units = studies.units("roi_roa", profile, seed=seed)
verdicts = studies.verdicts(units)

# %% [markdown]
# ## At a glance

# %% tags=["hide-input"]
figures.show_table(
    claims.grid(verdicts),
    name="verdict-grid",
    caption=f"Verdicts: {claims.legend()}. Two marks stand for the two directions of a pair of classes, in the order "
    "of the figure below" + (", or for RoI and RoA of all data sets." if "registered" in set(verdicts.id) else "."),
    units=units,
)

# %% [markdown]
# ## The rules, and what they say

# %% tags=["remove-input"]
for claim in CLAIMS:
    figures.show_text(words.findings(claim, verdicts))

# %% [markdown]
# ## The intervals behind the verdicts

# %% tags=["hide-input"]
figure, data = charts.verdict_plot(verdicts)
figures.show(
    figure,
    name="verdict-intervals",
    caption="The quantity that each claim is judged by, its interval, and the bound (black line). Right of the line: "
    "reproduced." + seeds_note(verdicts),
    alt="One panel for each claim with an interval for each data set and direction, against the bound of the rule.",
    data=data,
    units=units,
)

# %% [markdown]
# ## Do representatives need registered images?
#
# The paper notes that “the co-location of regions at the representative level holds good only for samples which are
# free of translational variance”. Digits, clothes, single cells and aligned faces are; pets, vehicles and arbitrary
# crops are not. Alignment, the share of the regions’ variance that survives superposition, should then be larger for
# the first kind.

# %% tags=["hide-input"]
figure, kinds = charts.registration_plot(units)
figures.show(
    figure,
    name="registration",
    caption="Alignment of the regions of each class beyond that of the same regions rolled to random places; line: "
    "mean over the data sets of a kind. Own images are left out: of them it is not known.",
    alt="Two panels, RoI and RoA: alignment of classes with registered images and of others, a mark a class.",
    data=kinds,
    units=units,
)

# %% tags=["remove-input"]
loose = kinds[~kinds.registered][["data set", "direction"]].apply(tuple, axis=1)
shared = verdicts[verdicts.id.isin(["roi-aligned", "roa-aligned"])]
shared = shared[shared[["where", "case"]].apply(tuple, axis=1).isin(loose)]
if len(shared):
    holds = (shared.verdict == claims.REPRODUCED).groupby(shared.id).sum()
    figures.show_text(
        f"“Only” is a strong word: of the {len(shared) // 2} classes shown whose images are not registered, the RoIs "
        f"of {holds['roi-aligned']} and the RoAs of {holds['roa-aligned']} still share a place by the rule above."
    )
else:
    figures.show_text("All classes shown have registered images, so there is nothing to compare them with here.")

# %% [markdown]
# ## Every direction
#
# Where the paper prints both scores and its sample size is known, the same rule is applied to its own numbers
# (difference of two proportions, Newcombe’s interval).

# %% tags=["hide-input"]
figures.show_table(
    verdicts,
    name="verdicts",
    caption="All verdicts, by the paper’s definition of the RoA." + seeds_note(verdicts),
    units=units,
)

# %% tags=["remove-input"]
if told := words.on_paper(verdicts):
    figures.show_text(told)

# %% [markdown]
# ## With the RoA by gradient
#
# The paper’s RoA is where FGSM moves a pixel, and FGSM moves almost all. The RoA by gradient magnitude, which the paper
# does not use, is judged by the same rules.

# %% tags=["hide-input"]
by_gradient = claims.verdicts(by_definition("gradient"), units, where=where)
figures.show_table(
    claims.grid(by_gradient),
    name="verdict-grid-gradient",
    caption=f"The same with the RoA by gradient magnitude: {claims.legend()}.",
    units=units,
)

# %% tags=["hide-input"]
figures.show_table(
    by_gradient,
    name="verdicts-gradient",
    caption="All verdicts with the RoA by gradient magnitude." + seeds_note(by_gradient),
    units=units,
)
