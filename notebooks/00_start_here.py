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
# (start)=
# # Start here: the whole pipeline on a few images
#
# A classifier looks at some pixels, an attacker moves some pixels. This page takes one image of each data set through
# all the steps of the paper: attack it, find the region of importance (RoI) and the region of attack (RoA), split the
# image into four regions, take the class's blob out of U−V+, neutralise it.
#
# `profile` says how much is computed: `quick` needs nothing but the installed packages; `desk` and `paper` use the
# real data sets. Results that were recorded earlier are shown beside those of this run, each marked with its origin.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:
    from IPython import get_ipython

    get_ipython().run_line_magic("pip", "install --quiet roa-helpers")

# %% tags=["parameters"]
profile = "quick"
seed = None  # None: all seeds of the profile

# %%
from roa_helpers import figures, papers, plots, studies

units = studies.units("roi_roa", profile, seed=seed)

# %% [markdown]
# ## From image to neutralised image
#
# One row a data set. The attack is FGSM with the ε that was chosen on validation images, the map of importance is
# Grad-CAM, the map of vulnerability is how far the attack moved each pixel.

# %% tags=["hide-input"]
for unit in units:
    figures.show(
        plots.plate(unit, 0),
        name=f"plate-{unit.path.name}",
        caption=f"<b>{papers.title(unit.result['dataset'])}</b>: one image of class "
        f"“{unit.result['classes'][0]}” through "
        "the pipeline (the paper’s Figs 1 and 3 to 5, drawn from real images).",
        alt="Seven pictures in a row: image, attacked image, Grad-CAM, vulnerability, the four regions in colour, "
        "the blob of the class, and the neutralised image.",
        data=plots.example_data([unit], "image", "perturbation", "importance", "vulnerability_perturbation"),
        units=[unit],
    )

# %% [markdown]
# ## What happens to the scores
#
# Four scores tell the story: accuracy on clean images, under attack, after neutralisation, and under the same attack
# after neutralisation. If the defence works, the third stays near the first and the fourth rises above the second;
# {ref}`findings` judges whether it does.

# %% tags=["hide-input"]
import pandas as pd

scores = pd.DataFrame(
    [
        {"data set": papers.title(unit.result["dataset"]), "direction": name}
        | {papers.SCORES[s]: f"{c['k']}/{c['n']}" for s, c in block["scores"].items()}
        for unit, name, block in papers.directions(units)
    ]
)
figures.show_table(
    scores, name="scores", caption="Images of the source class classified correctly, of how many.", units=units
)

# %% tags=["remove-input"]
accuracy = {unit: unit.result["model"]["test"] for unit in units}
figures.show_text(
    "The models are right on clean test images in "
    + ", ".join(f"{c['k']} of {c['n']} cases ({papers.title(u.result['dataset'])})" for u, c in accuracy.items())
    + "."
)
