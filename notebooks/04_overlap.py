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
# # Do the two regions lie in the same place?
#
# The paper measures the overlap of RoI and RoA by structural similarity ([Wang et al., 2004](../book/references.md))
# (Table I): for every image, and for the class representatives. If attacker and classifier looked at the same pixels,
# SSIM would be 1. Its zero is less clear: windows in which both regions are empty, or both full, count as agreement.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:
    from IPython import get_ipython

    get_ipython().run_line_magic("pip", "install --quiet roa-helpers")

# %% tags=["parameters"]
profile = "quick"
seed = None  # None: all seeds of the profile

# %% tags=["hide-input"]
from roa_helpers import studies
from roa_helpers.page import answers, beside, figures, parameters, ranges, widgets
from roa_helpers.records import seeds
from roa_helpers.studies import roi_roa
from roa_helpers.studies.roi_roa import charts, comparison, pictures, tables, words

parameters.check(globals())
units = studies.units("roi_roa", profile, seed=seed)
own, others = studies.apart(units)  # the paper's data sets, and those that only show that the code runs

# %% tags=["remove-input"]
answer = roi_roa.answers.overlap(own)
answers.show(answer)

# %% tags=["hide-input"]
table_1 = comparison.compare("A9", own or others)
figures.show_apart(
    (comparison.compare("A9", own), comparison.compare("A9", others)),
    view=beside.layout,
    name="table-1",
    caption="<b>Table I of the paper</b>: SSIM of RoI and RoA. Individual: mean over test images. Representative: one "
    "number a class, with a jackknife interval over images. The paper gives neither interval nor n. " + beside.legend(),
    units=(own, others),
)
figure, data = beside.plot(table_1)
figures.show(
    figure,
    name="table-1-chart",
    caption="Table I as a chart: the paper’s numbers and ours with 95 % intervals.",
    alt=beside.finding(table_1),
    data=data,
    units=own or others,
)

# %% tags=["remove-input"]
figures.show_text(words.answer("A9", table_1))

# %% [markdown]
# ## One dot an image
#
# A mean hides whether all images agree.

# %% tags=["hide-input"]
figure, data = charts.similarity_histogram(units)
figures.show(
    figure,
    name="ssim-individual",
    caption="SSIM of RoI and RoA of every test image, our mean, and the paper’s mean where it has one.",
    alt="Rows of dots, one an image. Mean SSIM by direction: "
    + ranges(
        data.groupby(["data set", "direction"], sort=False).ssim.mean().reset_index(),
        "ssim",
        of=["data set", "direction"],
    ),
    data=data,
    units=units,
)

# %% [markdown]
# ## Does it depend on what is compared?
#
# The paper does not say whether the graded maps or the thresholded regions were compared. The table shows both, and
# both definitions of the RoA.

# %% tags=["hide-input"]
choices = tables.similarity_choices(units)
figures.show_table(
    choices,
    name="ssim-choices",
    caption="Mean SSIM over test images for the four readings of Table I.",
    units=units,
)

# %% tags=["remove-input"]
figures.show_text(words.readings(choices))

# %% [markdown]
# ### Move the thresholds, read the SSIM
#
# Thresholds that leave nothing of both regions, or all, make them alike: SSIM is then 1. Where there is a kernel, steps
# are finer, and every stored image can be taken.

# %% tags=["hide-input"]
pairs = seeds.one_of_each(units)  # single images are shown for one seed
classes, fine = pictures.classes(pairs), [round(0.02 * i, 2) for i in range(1, 50)]
deltas = {"delta1": [0.1, 0.3, 0.6, 0.9], "delta2": [0.1, 0.3, 0.5, 0.9]}
starts = [widgets.nearest(cuts, pictures.chosen(pairs[0], 0, name)) for name, cuts in deltas.items()]
widgets.browse(
    lambda name, d1, d2, image: pictures.similarity_frame(*classes[name], d1, d2, index=image - 1),
    [
        widgets.choice("class", classes),
        widgets.slider("δ₁ (importance)", deltas["delta1"], start=starts[0], fine=fine),
        widgets.slider("δ₂ (vulnerability)", deltas["delta2"], start=starts[1], fine=fine),
        widgets.choice("image", [1], fine=range(1, pictures.stored(pairs) + 1)),
    ],
)

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
