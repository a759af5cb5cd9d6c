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
from roa_helpers.page import answers, beside, figures, parameters, ranges, widgets
from roa_helpers.records import seeds
from roa_helpers.studies import roi_roa
from roa_helpers.studies.roi_roa import charts, comparison, pictures, tables, words

parameters.check(globals())
units = studies.units("roi_roa", profile, seed=seed, own=own_images)
own, others = studies.apart(units)  # the paper's data sets, and those that only show that the code runs

# %% tags=["remove-input"]
answer = roi_roa.answers.overlap(own)
answers.show(answer)

# %% [markdown]
# ## By hand
#
# RoI and RoA of one handwritten one, and their SSIM. Then the RoA is replaced by a map without any pixel: what SSIM
# does a region have that is nowhere? And two such maps?

# %%
import numpy as np

from roa_helpers import attacks, explain, metrics, regions

model, images = studies.network("roi_roa", "digits")  # trained, or read from disk
one = images.test.of_class(1).subset([0])
x, y = one.images, one.labels
eps, delta1, delta2 = 0.063, 0.3, 0.9
roi = regions.region_of_importance(explain.grad_cam(model, x, y), delta1).numpy()
x_adv = attacks.fgsm(model, x, y, eps=eps)
roa = regions.region_of_attack(x, x_adv, delta2).numpy()
maps = {"RoI": roi, "RoA": roa, "nothing": np.zeros_like(roa)}
figures.show_row({"image": x[0]} | {name: one[0] for name, one in maps.items()})
for a, b in (("RoI", "RoA"), ("RoI", "nothing"), ("nothing", "nothing")):
    print(f"SSIM of {a} and {b}: {metrics.ssim(maps[a], maps[b])[0]:.2f}")

# %% [markdown]
# ## Table I

# %% tags=["hide-input"]
table_1 = comparison.compare("A9", own or others)
figures.show_apart(
    (comparison.compare("A9", own), comparison.compare("A9", others)),
    view=beside.layout,
    name="table-1",
    caption="<b>Table I of the paper</b>: SSIM of RoI and RoA. Individual: mean over test images. Representative: one "
    "number a class, with a jackknife interval over images. The paper gives neither interval nor n; "
    "Malaria’s numbers stand in its supplement. " + beside.legend(),
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
