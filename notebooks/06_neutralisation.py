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
# (neutralisation)=
# # Does neutralising U−V+ defend?
#
# The blob’s pixels are set to black or white in every test image of the class (S_mod), and the same attack with the
# same ε is run again on the result (S_mod-adv); Fig. 5 of the paper. The defence works if accuracy on clean images
# stays (Table II) and accuracy under attack rises (Table III).

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:
    from IPython import get_ipython

    get_ipython().run_line_magic("pip", "install --quiet roa-helpers")

# %% tags=["parameters"]
profile = "quick"
seed = None  # None: all seeds of the profile

# %%
from roa_helpers import charts, figures, papers, plots, studies

units = studies.units("roi_roa", profile, seed=seed)

# %% tags=["hide-input"]
figure, data = plots.neutralisation_flow(units[0], 0)
figures.show(
    figure,
    name="fig-5",
    caption=f"<b>Fig. 5 of the paper, from real images</b> ({papers.title(units[0].result['dataset'])}): the "
    f"four sets and the model’s score on each.",
    alt="Four pictures in a row: clean image, attacked image, neutralised image, neutralised image attacked again, "
    "each with the accuracy of the model.",
    data=data,
    units=units[:1],
)

# %% [markdown]
# ## Classification after neutralisation

# %% tags=["hide-input"]
table_2 = papers.compare("A10", units)
figures.show_table(
    table_2,
    name="table-2",
    caption="<b>Table II of the paper</b>: accuracy (%) on clean and on neutralised images of the source class, "
    "with 95 % "
    "Wilson intervals. The paper’s MNIST and Fashion-MNIST percentages are multiples of 1/32, so its interval "
    "is that of 32 "
    "images; for the other sets it does not state n.",
    units=units,
)

# %% tags=["remove-input"]
figures.show_text(papers.answer("A10", table_2))

# %% [markdown]
# ## The attack after neutralisation

# %% tags=["hide-input"]
table_3 = papers.compare("A11", units)
figures.show_table(
    table_3,
    name="table-3",
    caption="<b>Table III of the paper</b>: accuracy (%) under FGSM before and after neutralisation.",
    units=units,
)

# %% tags=["remove-input"]
figures.show_text(papers.answer("A11", table_3))

# %% [markdown]
# ## Is it the region, or any region?
#
# The change is paired: the same images before and after. Two other blobs stand beside the paper’s: one made from
# validation images only, which a defender could have prepared beforehand, and one of as many pixels drawn at random.

# %% tags=["hide-input"]
figure, data = charts.change_plot(units, "adv", "mod_adv")
figures.show(
    figure,
    name="gain",
    caption="Change of accuracy under attack by neutralisation; lines: 95 % intervals (same images scored twice).",
    alt="For each data set and direction: the change in accuracy under attack for three blobs, with intervals.",
    data=data,
    units=units,
)

# %% tags=["hide-input"]
figure, cost = charts.change_plot(units, "clean", "mod")
figures.show(
    figure,
    name="cost",
    caption="Change of clean accuracy by neutralisation, the price of the defence.",
    alt="For each data set and direction: the change in clean accuracy for three blobs, with intervals.",
    data=cost,
    units=units,
)

# %% tags=["remove-input"]
wide = data.pivot_table(index=["data set", "direction"], columns="blob", values="change")
best = (wide["blob from the test images"] > wide["as many random pixels"]).sum()
figures.show_text(
    f"In {best} of {len(wide)} directions accuracy under attack is higher with the paper’s blob than with as many "
    "random pixels. Note what the procedure assumes: the blob is chosen by the true class of the image, which a "
    "defender would not know."
)

# %% [markdown]
# ## One setting, or a range?
#
# The tables show one ε and one θ. The curves show all: a real effect should not hang on a single value.

# %% tags=["hide-input"]
figure, data = charts.score_curves(units, "eps")
figures.show(
    figure,
    name="curve-eps",
    sample=f"at most {data.n.max()} test images a direction",
    caption="Accuracy under attack before and after neutralisation as ε grows; bands: 95 % Wilson; dashed: the ε used.",
    alt="Curves of accuracy against epsilon for each data set and direction, with and without neutralisation.",
    data=data,
    units=units,
)

# %% tags=["hide-input"]
figure, data = charts.score_curves(units, "theta")
figures.show(
    figure,
    name="curve-theta",
    sample=f"at most {data.n.max()} test images a direction",
    caption="Accuracy on neutralised images, clean and attacked, as θ grows and the blob shrinks; dashed: the θ used.",
    alt="Curves of accuracy against theta for each data set and direction, clean and attacked.",
    data=data,
    units=units,
)
