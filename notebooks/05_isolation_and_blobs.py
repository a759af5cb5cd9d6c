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
# # Where is the vulnerable, useless region?
#
# Isolation, eq. (1) of the paper, cuts each image by its two regions into U+V+, U+V−, U−V+ and U−V−. The blob of a
# class is made of the pixels that lie in U−V+ in at least a share θ of its images: vulnerable and not useful, hence
# the place to neutralise.

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
from roa_helpers.page import answers, figures, levels, parameters, ranges, widgets
from roa_helpers.records import seeds
from roa_helpers.studies import roi_roa, sensitivity
from roa_helpers.studies.roi_roa import pictures

parameters.check(globals())
units = studies.units("roi_roa", profile, seed=seed, own=own_images)
pairs = seeds.one_of_each(units)  # single images are shown for one seed

# %% tags=["remove-input"]
own, others = studies.apart(units)  # the paper's data sets, and those that only show that the code runs

answer = roi_roa.answers.isolation(own)
answers.show(answer)

# %% [markdown]
# ## By hand
#
# U−V+ of every handwritten one, and the blob of the class at two thresholds θ. A larger θ asks more images to agree, so
# its blob lies inside that of a smaller one.

# %%
from roa_helpers import attacks, explain, regions

model, images = studies.network("roi_roa", "digits")  # trained, or read from disk
ones = images.test.of_class(1)
x, y = ones.images, ones.labels
eps, delta1, delta2 = 0.063, 0.3, 0.9
roi = regions.region_of_importance(explain.grad_cam(model, x, y), delta1)
roa = regions.region_of_attack(x, attacks.fgsm(model, x, y, eps=eps), delta2)
not_u_v = regions.isolate(roi, roa).not_u_v
blobs = {f"θ = {theta:g}": regions.blob(not_u_v, theta) for theta in (0.2, 0.6)}
share = regions.representative(not_u_v)
one = {"U−V+ of one image": not_u_v[0], "share of images": share}
figures.show_row(one | blobs)
for name, blob in blobs.items():
    print(f"{name}: {int(blob.sum())} of {blob.numel()} pixels")

# %% [markdown]
# ## Four regions

# %% tags=["hide-input"]
figures.show(
    pictures.isolation(pairs),
    name="fig-4",
    sample="examples stored with the results",
    caption="<b>Fig. 4 of the paper, from real images</b>: the four regions of one test image of each class, by the "
    "paper’s RoA (middle) and by the gradient (right).",
    alt="For each data set and class: the image and its division into four coloured regions, for both definitions.",
    data=pictures.example_data(pairs, "image", "importance", "vulnerability_perturbation", "vulnerability_gradient"),
    units=pairs,
)

# %% tags=["hide-input"]
shares = roi_roa.tables.region_shares(units)
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
    pictures.representatives(pairs, "blob"),
    name="fig-10",
    caption="<b>Fig. 10 of the paper</b>: the blob of each class (black), from U−V+ of the test images and the θ "
    "chosen on validation images.",
    alt="Black-and-white maps of the blobs, share of the pixels: " + levels(pictures.map_data(pairs, "blob")),
    data=pictures.map_data(pairs, "blob"),
    units=pairs,
)

# %% [markdown]
# ### Choose θ yourself
#
# Left: the share of images in which a pixel lies in U−V+. It stays while θ moves the blob and with it the neutralised
# image and the scores. Where there is a kernel, blob and image are computed anew, in finer steps, for every stored
# image and any value of the blob; scores need the network, so they are shown where it was asked.

# %% tags=["hide-input"]
thetas = pictures.grid_of(pairs[0], "theta")
classes = pictures.classes(pairs)
start = widgets.nearest(thetas, pictures.chosen(pairs[0], 0, "theta"))
values = {"black": 0.0, "dark grey": 0.25, "grey": 0.5, "light grey": 0.75, "white": 1.0}
widgets.browse(
    lambda name, theta, image, value: pictures.blob_frame(
        *classes[name], theta, index=image - 1, value=values.get(value)
    ),
    [
        widgets.choice("class", classes),
        widgets.slider("θ", thetas, start=start, fine=sorted({*thetas, *(round(0.02 * i, 2) for i in range(1, 50))})),
        widgets.choice("image", [1], fine=range(1, pictures.stored(pairs) + 1)),
        widgets.choice("the blob’s pixels", ["as chosen"], fine=["as chosen", *values]),
    ],
    beside=[pictures.share_map(unit, k) for unit, k in classes.values()],
)

# %% [markdown]
# ## How δ₁, δ₂ and θ were chosen
#
# The paper calls them tuned: they should keep classification accuracy and weaken the attack (Section II-F). Here the
# objective is written down: on validation images, among the settings that cost at most a stated share of clean
# accuracy, take the one with the largest accuracy under the attack repeated on the neutralised images. Test images
# play no part.

# %% tags=["hide-input"]
counts = sorted({roi_roa.images_that_tune(unit) for unit in units})
validation = f"{counts[0]} to {counts[-1]} validation images a class"
figure, surfaces = sensitivity.charts.tuning_surfaces(pairs)
figures.show(
    figure,
    name="tuning",
    caption="<b>The tuning surface</b>: the settings of the grid that give both classes a blob, by what they cost "
    "(score_clean − score_mod) and gain (score_mod-adv − score_adv). Ringed: the setting that was chosen; where none "
    "of them costs so little, that is the one with the largest score_mod.",
    sample=validation,
    alt="Scatter plots of gain against cost, a mark a setting. Gain of the chosen setting, in points: "
    + ranges(
        surfaces[surfaces.chosen].assign(gain=lambda t: t.mod_adv - t.adv),
        "gain",
        of=["unit"],
        form="+.1f",
        scale=100,
        bound=0,
    ),
    data=surfaces,
    units=pairs,
)

# %% tags=["hide-input"]
figures.show_table(
    roi_roa.tables.tuned(units),
    name="tuned",
    caption="The setting that was chosen for each data set, and its scores in % on the validation images that it was "
    "chosen on.",
    sample=validation,
    units=units,
)

# %% tags=["remove-input"]
chosen = surfaces[surfaces.chosen & surfaces.unit.isin([unit.path.name for unit in own or others])]
gains = 100 * (chosen.mod_adv - chosen.adv)
figures.show_text(
    f"A setting stays within the allowed cost for {chosen.feasible.sum()} of {len(chosen)} data sets. Even on the "
    f"images that it was chosen on, the chosen setting raises accuracy under attack for {(gains > 0).sum()} of "
    f"{len(chosen)}: the gain lies between {gains.min():+.1f} and {gains.max():+.1f} points.".replace("-", "−")
)

# %% [markdown]
# ## Choices that the paper leaves open
#
# How much does a result depend on a choice that the paper does not state? One choice at a time is changed, the others
# stay, and the change of each result is read: of score_mod − score_clean, what neutralisation costs; of
# score_mod-adv − score_adv, what it gains; of the SSIM of RoI and RoA. Changes are against the value that was used.
#
# The thresholds are searched on a grid, so the settings that were not chosen tell the change on validation images;
# ε and θ are also varied on test images. Settings that cost too much to be chosen are among them.

# %% tags=["hide-input"]
retrained = studies.units("sensitivity", profile, seed=seed)
moves = sensitivity.changes.moves(units, retrained)
on_units = moves[moves.measured != "retrained"]
shown = on_units[on_units.measured == "test"].n
figure, _ = sensitivity.charts.moves_plot(on_units)
figures.show(
    figure,
    name="moves-searched",
    caption="<b>Choices of the pipeline</b>: how far each result moves when one choice takes the other values that "
    "were tried, on validation images unless it says test. A dot is a value (on test images: in one direction), the "
    "line their range.",
    sample=f"{validation}, or {shown.min()} to {shown.max()} test images",
    alt="Dots and ranges about 0, a row a choice. Changes, as proportions: "
    + ranges(on_units, "change", of=["choice", "data set"], by=["result"], form="+.3f", bound=0),
    data=on_units,
    units=units,
)

# %% [markdown]
# The choices of the training cannot be read off: the network is trained again with each of them changed, ε and the
# thresholds are chosen anew, and both directions are measured. Chance alone moves the results too: the grey bars show
# how far they move when nothing but the seed changes.

# %% tags=["hide-input"]
anew = moves[moves.measured == "retrained"]
figure, _ = sensitivity.charts.moves_plot(anew)
figures.show(
    figure,
    name="moves-retrained",
    caption="<b>Choices of the training</b>: how far each result moves when the network is trained with one choice "
    "changed. A dot is a value in one direction; the grey bar is the range over the seeds.",
    alt="Dots and ranges about 0, a row a choice of the training. Changes, as proportions: "
    + ranges(anew, "change", of=["choice", "data set"], by=["result"], form="+.3f", bound=0),
    data=anew,
    units=retrained,
)

# %% tags=["hide-input"]
figures.show_table(
    sensitivity.tables.retrained(retrained),
    name="retrained",
    caption="The largest change of each result, scores in points, when the choice takes the values under “instead”; "
    "*: larger than any change between seeds.",
    units=retrained,
)

# %% tags=["remove-input"]
for told in sensitivity.words.exceeding(anew):
    figures.show_text(told)

# %% [markdown]
# All open choices in one table: what was used, why, and how far the two changes of score move with it, in points.

# %% tags=["hide-input"]
figures.show_table(
    sensitivity.tables.open_choices(units, retrained),
    name="open-choices",
    caption="What the paper does not state, what is used here, why, and how much that matters.",
    sample=f"validation: {validation}; test: {shown.min()} to {shown.max()} test images; retrained: {anew.n.min()} to "
    f"{anew.n.max()} test images a direction",
    units=[*units, *retrained],
)

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
