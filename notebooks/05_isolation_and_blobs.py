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
# (isolation)=
# # Where is the vulnerable, useless region?
#
# Isolation, eq. (1) of the paper, cuts each image by its two regions into U+V+, U+V−, U−V+ and U−V−. The blob of a
# class is made of the pixels that lie in U−V+ in at least a share θ of its images: vulnerable and not useful, hence
# the place to neutralise.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:
    from IPython import get_ipython

    get_ipython().run_line_magic("pip", "install --quiet roa-helpers")

# %% tags=["parameters"]
profile = "quick"
seed = None  # None: all seeds of the profile

# %%
from roa_helpers import charts, figures, papers, plots, studies, tables, widgets

units = studies.units("roi_roa", profile, seed=seed)

# %% [markdown]
# ## Four regions

# %% tags=["hide-input"]
figures.show(
    plots.isolation(units),
    name="fig-4",
    caption="<b>Fig. 4 of the paper, from real images</b>: the four regions of one test image of each class, by "
    "the paper’s "
    "RoA (middle) and by the gradient (right).",
    alt="For each data set and class: the image and its division into four coloured regions, for both definitions.",
    data=plots.example_data(units, "image", "importance", "vulnerability_perturbation", "vulnerability_gradient"),
    units=units,
)

# %% tags=["hide-input"]
shares = tables.region_shares(units)
figures.show_table(
    shares,
    name="region-shares",
    caption="Mean share of the image, in %, that each region takes over the test images.",
    units=units,
)

# %% [markdown]
# ## Blobs

# %% tags=["hide-input"]
figures.show(
    plots.representatives(units, "blob"),
    name="fig-10",
    caption="<b>Fig. 10 of the paper</b>: the blob of each class (black), from U−V+ of the test images and the "
    "θ chosen on "
    "validation images.",
    alt="One black-and-white map for each data set and class: the blob.",
    data=plots.map_data(units, "blob"),
    units=units,
)

# %% [markdown]
# ### Choose θ yourself
#
# Left: the share of images in which a pixel lies in U−V+. Middle: the blob. Right: an image with the blob
# neutralised.

# %% tags=["hide-input"]
thetas = [round(0.05 * i, 2) for i in range(2, 20)]


def blob_widget(unit, k):
    frames = widgets.frames(plots.blob_frames(unit, k, thetas), scale=4)
    name = f"{papers.title(unit.result['dataset'])}, {unit.result['classes'][k]}"
    return name, widgets.slider_stack(
        frames, thetas, description="θ", alt=f"U−V+ map, blob and neutralised image of {name}"
    )


widgets.chooser(dict(blob_widget(u, k) for u in units for k in (0, 1)), description="class")

# %% [markdown]
# ## How δ₁, δ₂ and θ were chosen
#
# The paper calls them tuned: they should keep classification accuracy and weaken the attack (Section II-F). Here the
# objective is written down: on validation images, among the settings that cost at most a stated share of clean
# accuracy, take the one with the largest accuracy under the attack repeated on the neutralised images. Test images
# play no part.

# %% tags=["hide-input"]
searched = []
for unit in units:
    figure, data = charts.tuning_surface(unit)
    searched.append(data.assign(unit=unit.path.name))
    figures.show(
        figure,
        name=f"tuning-{unit.path.name}",
        caption=f"<b>{papers.title(unit.result['dataset'])}</b>: the settings of the grid that give both "
        "classes a blob, by cost and gain. Shaded: the cost that is allowed.",
        sample=f"at most {unit.result['parameters']['choices']['tune']} validation images a class",
        alt="Scatter of gain under attack against cost in clean accuracy for all settings; the chosen one is ringed.",
        data=data,
        units=[unit],
    )

# %% tags=["remove-input"]
for unit, data in zip(units, searched, strict=True):
    row = data[data.chosen].iloc[0]
    reached = "within the allowed cost" if row.feasible else "although no setting stays within the allowed cost"
    figures.show_text(
        f"**{papers.title(unit.result['dataset'])}**: δ₁ = {row.delta1:g}, δ₂ = {row.delta2:g}, θ = "
        f"{row.theta:g}, pixels set to "
        f"{row.value:g}, {reached}; {data.feasible.sum()} of {len(data)} settings shown stay within it. On validation "
        f"images accuracy "
        f"under attack goes from {100 * row.adv:.1f} % to {100 * row.mod_adv:.1f} %, clean accuracy from "
        f"{100 * row.clean:.1f} % to "
        f"{100 * row['mod']:.1f} %."
    )

# %% [markdown]
# ## Choices that the paper leaves open

# %% tags=["hide-input"]
figures.show_table(
    tables.open_choices(units),
    name="open-choices",
    caption="What the paper does not state, what is used here, and why.",
    units=units,
)
