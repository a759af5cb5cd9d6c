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

if "google.colab" in sys.modules:  # elsewhere this cell does nothing
    import json
    import os
    import re
    import runpy
    import subprocess
    from urllib import parse, request

    REPOSITORY = ""  # https://github.com/NAME/BOOK, for a notebook that was not opened from GitHub
    try:
        session = f"http://{os.environ['COLAB_JUPYTER_IP']}:{os.environ['KMP_TARGET_PORT']}/api/sessions"
        opened = parse.unquote(json.load(request.urlopen(session, timeout=10))[0]["path"])
    except (LookupError, OSError, ValueError):
        opened = ""
    found = re.search(r"(https://github\.com/[^/]+/[^/]+)/blob/(.+)/notebooks/", opened)
    repository, revision = found.groups() if found else (REPOSITORY, "HEAD")
    if repository:
        place = os.path.expanduser("~/book")
        subprocess.run(["git", "init", "--quiet", place], check=True)
        subprocess.run(["git", "-C", place, "fetch", "--quiet", "--depth", "1", repository, revision], check=True)
        subprocess.run(["git", "-C", place, "checkout", "--quiet", "--force", "FETCH_HEAD"], check=True)
        runpy.run_path(f"{place}/workflow/colab.py", run_name="__main__")
    else:
        print("Set REPOSITORY in this cell to the address of the book’s repository, and run it again.")

# %% tags=["parameters"]
profile = "quick"
seed = None  # None: all seeds of the profile
own_images = False  # True: show too what `python -m roa_helpers study roi_roa --images` made of your own pictures

# %% tags=["hide-input"]
from roa_helpers import studies
from roa_helpers.data import title_of
from roa_helpers.page import answers, figures, parameters, ranges, widgets
from roa_helpers.records import seeds
from roa_helpers.studies import roi_roa
from roa_helpers.studies.roi_roa import SCORES, by_direction, pictures

parameters.check(globals())
units = studies.units("roi_roa", profile, seed=seed, own=own_images)
pairs = seeds.one_of_each(units)  # single images are shown for one seed

# %% tags=["remove-input"]
answer = roi_roa.answers.whole(studies.apart(units)[0])
answers.show(answer)

# %% [markdown]
# ## The paper by hand
#
# The whole pipeline, step by step, on small images that come with the package. Change a number and run the cells below
# it again. The functions are those that the studies use.
#
# The model M tells handwritten zeros from ones; it is a VGG16 with an eighth of the channels. Below are test images of
# the class “1”.

# %%
from roa_helpers import attacks, explain, models, regions

model, images = studies.network("roi_roa", "digits")  # trained, or read from disk
ones = images.test.of_class(1)
x, y = ones.images, ones.labels  # (N, 3, H, W) in [0, 1], and (N,)


def read(versions):
    """How many of these M reads as ones."""
    return int(models.correct(model, versions, y).sum())


figures.show_row({str(n): x[n] for n in range(5)})
print(f"M reads {read(x)} of {len(x)} ones as ones.")

# %% [markdown]
# **Attack.** FGSM moves every channel of every pixel by ε, up or down, whichever raises the loss; only what would leave
# the range of a pixel, or has no gradient, moves less or not at all. Shown is the first image that M then reads as a
# zero (the first of all, if there is none). In the middle, grey has not moved, white rose by ε and black fell by ε.

# %%
eps = 0.063
x_adv = attacks.fgsm(model, x, y, eps=eps)
i = int(models.correct(model, x_adv, y).int().argmin())  # the first one turned
step = 0.5 + (x_adv - x) / (2 * eps)
figures.show_row({"image": x[i], "step": step[i], "attacked": x_adv[i]})
print(f"Under attack M reads {read(x_adv)} of {len(x)} ones as ones.")

# %% [markdown]
# **Region of importance.** Grad-CAM says how much each place speaks for the true class. The RoI holds the pixels whose
# value, divided by the largest of the image, is at least δ₁.

# %%
delta1 = 0.3
cam = explain.grad_cam(model, x, y)
roi = regions.region_of_importance(cam, delta1)
importance = regions.importance(cam)  # scaled to [0, 1]
figures.show_row({"image": x[i], "Grad-CAM": importance[i], "RoI": roi[i]})

# %% [markdown]
# **Region of attack.** How far the attack moved each pixel, over all its channels, as a share of how far it could have.
# The RoA holds the pixels at or above δ₂.

# %%
delta2 = 0.9
roa = regions.region_of_attack(x, x_adv, delta2)
how_far = regions.attack_magnitude(x, x_adv)
figures.show_row({"image": x[i], "how far": how_far[i], "RoA": roa[i]})

# %% [markdown]
# **Isolation.** The two regions cut each image into four. U−V+ is what only the attacker uses.

# %%
parts = regions.isolate(roi, roa)
useful = {"U+V+": parts.uv[i], "U+V−": parts.u_not_v[i]}
useless = {"U−V+": parts.not_u_v[i], "U−V−": parts.not_u_not_v[i]}
figures.show_row(useful | useless)

# %% [markdown]
# **The blob of the class.** Lay U−V+ of all ones over each other; the pixels that lie in it in at least a share θ of
# them are the blob.

# %%
theta = 0.3
blob = regions.blob(parts.not_u_v, theta)
share = regions.representative(parts.not_u_v)
figures.show_row({"share of images": share, "blob": blob})

# %% [markdown]
# **Neutralisation.** Set the blob’s pixels to one value in every image, black or white, and attack again. The paper’s
# claim: the third number stays near the first, and the fourth rises above the second.

# %%
value = 0.0
x_mod = regions.neutralise(x, blob, value)
x_mod_adv = attacks.fgsm(model, x_mod, y, eps=eps)
four = {"clean": x, "attacked": x_adv}
four |= {"neutralised": x_mod, "and attacked": x_mod_adv}
figures.show_row({name: versions[i] for name, versions in four.items()})
for name, versions in four.items():
    print(f"{name:<12} {read(versions):>3} of {len(x)} read as ones")

# %% [markdown]
# One class of tiny images proves nothing. Do other values do better? Try `delta1 = 0.5`, `delta2 = 0.5`, `theta = 0.5`
# and `value = 1.0`, and run the cells from the RoI on again. The studies search such values on validation images, and
# count on test images.
#
# ## The same on all data sets
#
# From here on results are shown, not made: those that were recorded on the paper’s data, and those of this run.

# %% [markdown]
# ## What an attack does
#
# An adversarial image looks like the clean one to a person and like another class to the model (Fig. 1 of the paper).
# FGSM moves every channel of every pixel by ε, up or down, as far as pixels stay between black and white and have a
# gradient. P is the model's probability of the true class.

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
        {"data set": title_of(group[0].result["dataset"]), "direction": name}
        | {SCORES[s]: roi_roa.words.of_each([block["scores"][s] for block in blocks]) for s in blocks[0]["scores"]}
        for group, name, blocks in by_direction(units)
    ]
)
figures.show_table(
    scores,
    name="scores",
    caption="Images of the source class classified correctly, of how many; network by network.",
    units=units,
)

# %% tags=["remove-input"]
accuracy = [
    f"{title_of(group[0].result['dataset'])}, {roi_roa.words.of_each([unit.result['model']['test'] for unit in group])}"
    for group in seeds.groups(units)
]
figures.show_text(f"Clean test images that the networks classify correctly, network by network: {'; '.join(accuracy)}.")

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
