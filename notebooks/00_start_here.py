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
# # Start here: the whole pipeline on a few images
#
# A classifier looks at some pixels, an attacker moves some pixels. This page takes images of each data set through
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

# %% tags=["hide-input"]
from roa_helpers import studies
from roa_helpers.data import title_of
from roa_helpers.page import answers, figures, parameters, ranges, widgets
from roa_helpers.records import seeds
from roa_helpers.studies import roi_roa
from roa_helpers.studies.roi_roa import SCORES, directions, pictures

parameters.check(globals())
units = studies.units("roi_roa", profile, seed=seed)
pairs = seeds.one_of_each(units)  # single images are shown for one seed

# %% tags=["remove-input"]
answer = roi_roa.answers.whole(studies.apart(units)[0])
answers.show(answer)

# %% [markdown]
# ## What an attack does
#
# An adversarial image looks like the clean one to a person and like another class to the model (Fig. 1 of the paper).
# FGSM moves every channel of every pixel by ε, up or down. P is the model's probability of the true class.

# %% tags=["hide-input"]
figure, data = pictures.adversarial(pairs)
figures.show(
    figure,
    name="fig-1",
    sample="examples stored with the results",
    caption="<b>Fig. 1 of the paper, from real images</b>: of each class, among the stored examples that the attack "
    "turns, the one that the model was surest of, at the smallest ε of the grid that turns it (if none is turned, the "
    "largest ε). Middle: grey channels stay, bright ones rise, dark ones fall.",
    alt="For each data set and class an image, the direction of the attack, and the attacked image. P of the true "
    "class under the attack: " + ranges(data, "attacked", of=["data set", "source"], bound=0.5),
    data=data,
    units=pairs,
)

# %% [markdown]
# ## From image to neutralised image
#
# One row a class. The attack is FGSM with the ε that was chosen on validation images. The perturbation shows the
# direction in which each channel moved. Vulnerability is its size, the paper's definition, and importance is Grad-CAM;
# both are scaled to [0, 1] and drawn in colours whose lightness rises with the value. The two thresholds make the four
# regions. The blob belongs to the class, not to the image.

# %% tags=["hide-input"]
for unit in pairs:
    figures.show(
        pictures.plate(unit),
        name=f"plate-{unit.path.name}",
        sample="examples stored with the results",
        caption=f"<b>Fig. 3 of the paper, from real images: {title_of(unit.result['dataset'])}</b>, one image of "
        "each class through the pipeline.",
        alt="Two rows of eight pictures: image, attacked image, perturbation, vulnerability, Grad-CAM, the four "
        "regions in colour, the blob of the class, and the neutralised image.",
        data=pictures.example_data([unit], "image", "perturbation", "importance", "vulnerability_perturbation"),
        units=[unit],
    )

# %% [markdown]
# ## Turn the attack up
#
# The same attack at every ε of the grid, on an image and on its neutralised version. Does the model hold out longer
# with the blob blocked out? (These pictures alone are compressed with a small loss; all others on this page are exact.)

# %% tags=["hide-input"]
classes = pictures.classes(pairs)
shown = min(2, pictures.stored(pairs))
grid = list(pictures.confidence(pairs[0], 0, 0).index)
widgets.browse(
    [pictures.attack_frames(unit, k, shown) for unit, k in classes.values()],
    [
        widgets.choice("class", classes),
        widgets.choice("example", range(1, shown + 1)),
        widgets.slider("ε", grid, start=widgets.nearest(grid, pictures.chosen(pairs[0], 0, "eps"))),
    ],
)

# %% [markdown]
# ## What happens to the scores
#
# Four scores tell the story: accuracy on clean images, under attack, after neutralisation, and under the same attack
# after neutralisation. If the defence works, the third stays near the first and the fourth rises above the second;
# [What holds of the paper’s findings?](08_findings.ipynb) judges whether it does.

# %% tags=["hide-input"]
import pandas as pd

scores = pd.DataFrame(
    [
        {"data set": title_of(unit.result["dataset"]), "direction": name}
        | {SCORES[s]: f"{c['k']}/{c['n']}" for s, c in block["scores"].items()}
        for unit, name, block in directions(units)
    ]
)
figures.show_table(
    scores, name="scores", caption="Images of the source class classified correctly, of how many.", units=units
)

# %% tags=["remove-input"]
accuracy = {unit: unit.result["model"]["test"] for unit in units}
figures.show_text(
    "The models are right on clean test images in "
    + ", ".join(f"{c['k']} of {c['n']} cases ({title_of(u.result['dataset'])})" for u, c in accuracy.items())
    + "."
)

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
