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
# # Do images have a region of importance and a region of attack?
#
# Segregation is the first stage of the paper’s pipeline (its Fig. 3): a class activation map gives the RoI, the
# difference between the attacked and the clean image gives the RoA. The paper shows single images (Figs 6 and 7) and
# concludes that the pixels of each are *co-located*. A picture of one image can be chosen; a number over all test
# images cannot, so both are here.

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
from roa_helpers.page import answers, claims, figures, parameters, ranges, widgets
from roa_helpers.records import seeds
from roa_helpers.studies import roi_roa
from roa_helpers.studies.roi_roa import charts, pictures, tables

parameters.check(globals())
units = studies.units("roi_roa", profile, seed=seed, own=own_images)
pairs = seeds.one_of_each(units)  # single images are shown for one seed

# %% tags=["remove-input"]
answer = roi_roa.answers.segregation(studies.apart(units)[0])
answers.show(answer)

# %% [markdown]
# ## By hand
#
# Both regions of one handwritten one, and Moran’s I of each: near 1 where neighbouring pixels are alike, near 0 where
# the pixels are scattered. The same pixels in a random order show what scattered means. Change `delta1` or `delta2`.

# %%
import torch

from roa_helpers import attacks, explain, metrics, regions

model, images = studies.network("roi_roa", "digits")  # trained, or read from disk
one = images.test.of_class(1).subset([0])
x, y = one.images, one.labels
eps, delta1, delta2 = 0.063, 0.3, 0.9
roi = regions.region_of_importance(explain.grad_cam(model, x, y), delta1)
roa = regions.region_of_attack(x, attacks.fgsm(model, x, y, eps=eps), delta2)
order = torch.randperm(roi[0].numel(), generator=torch.Generator().manual_seed(0))
figures.show_row({"image": x[0], "RoI": roi[0], "RoA": roa[0]})
for name, region in {"RoI": roi, "RoA": roa}.items():
    scattered = region.flatten()[order].reshape(region.shape)
    here, there = (metrics.morans_i(one)[0] for one in (region, scattered))
    print(f"{name}: Moran’s I {here:.2f}, scattered {there:.2f}")

# %% [markdown]
# ## The region of importance
#
# Maps are drawn in cividis (importance) and magma (vulnerability), whose lightness rises with the value: they can be
# read in grey print and with any kind of colour vision. The paper uses jet, with blue for the highest values; its
# lightness goes up and down and so shows edges where there are none. The switch below a figure sets all maps of the
# page in the paper’s colours.

# %% tags=["hide-input"]
figures.show(
    pictures.individual_regions(pairs, "importance"),
    name="fig-6",
    sample="examples stored with the results",
    caption="<b>Fig. 6 of the paper</b>: RoI of one test image of each class. Middle: Grad-CAM scaled to [0, 1]; "
    "right: the border of the pixels at or above δ₁, and their share of the image.",
    alt="For each data set and class: the image, its Grad-CAM heat map, and the border of the region of importance.",
    data=pictures.example_data(pairs, "image", "importance"),
    units=pairs,
)

# %% [markdown]
# ## The region of attack, as the paper defines it
#
# The RoA holds the pixels that the attack altered, by L2 norm, beyond δ₂. FGSM moves every channel with a non-zero
# gradient by exactly ε. What remains to vary is how many channels of a pixel moved, and what clipping at black and
# white cut off.

# %% tags=["hide-input"]
figures.show(
    pictures.individual_regions(pairs, "vulnerability"),
    name="fig-7",
    sample="examples stored with the results",
    caption="<b>Fig. 7 of the paper</b>: RoA of the same images. Second: the perturbation, as the paper shows it, "
    "channels that rise bright and those that fall dark; third: its size, scaled by the largest it could be; right: "
    "the border of the pixels at or above δ₂, and their share of the image.",
    alt="For each data set and class: the image, its perturbation in colour, the size of the perturbation, and the "
    "border of the region of attack.",
    data=pictures.example_data(pairs, "image", "perturbation", "vulnerability_perturbation"),
    units=pairs,
)

# %% [markdown]
# ## The region of attack by gradient
#
# The gradient that FGSM reduces to signs does vary. Its norm over channels, scaled by the maximum of the image, is
# the second definition that this book carries along everywhere.

# %% tags=["hide-input"]
figures.show(
    pictures.individual_regions(pairs, "vulnerability", definition="gradient"),
    name="fig-7-gradient",
    sample="examples stored with the results",
    caption="The same images with the RoA by gradient magnitude, which is not in the paper.",
    alt="For each data set and class: the image, the norm of its loss gradient, and the border of the region.",
    data=pictures.example_data(pairs, "image", "vulnerability_gradient"),
    units=pairs,
)

# %% [markdown]
# ### More examples
#
# One image proves little. These are all that are stored: test images in random order, those that the model has right
# first.

# %% tags=["hide-input"]
classes = pictures.classes(pairs)
shown = pictures.stored(pairs)
widgets.browse(
    [pictures.example_frames(unit, k)[:shown] for unit, k in classes.values()],
    [widgets.choice("class", classes), widgets.slider("example", range(1, shown + 1))],
    legend=pictures.LEGEND,
)

# %% [markdown]
# ### What the two definitions see

# %% tags=["hide-input"]
figure, data = charts.magnitude_histogram(pairs)
figures.show(
    figure,
    name="magnitudes",
    sample=f"{sum(len(unit.arrays[f'example_image_{k}']) for unit in pairs for k in (0, 1))} images in all",
    caption="What the two definitions see: values of the two maps over all pixels of the stored examples.",
    alt="Histograms of scaled magnitudes. Largest share of pixels in one bin, in %: "
    + ranges(
        data.loc[data.groupby(["data set", "definition"]).share.idxmax()],
        "share",
        of=["data set", "from"],
        by=["definition"],
        form=".0f",
        scale=100,
    ),
    data=data,
    units=units,
)

# %% tags=["remove-input"]
top = data[(data.definition == "perturbation") & (data["from"] > 0.97)].set_index("data set").share
figures.show_text(
    "Share of pixels that FGSM moved as far as it could in every channel: "
    + ", ".join(f"{100 * share:.0f} % ({name})" for name, share in top.items())
    + ". A threshold δ₂ on such a map mostly tells where clipping or a zero gradient got in the way, "
    "not where the attack matters most."
)

# %% [markdown]
# ## Are the pixels of a region neighbours?
#
# Moran’s I ([Moran, 1950](../book/references.md)) is near 0 when the pixels of a region are scattered and near 1 when
# they form patches. Each image’s regions are compared with random arrangements of the same pixels.

# %% tags=["hide-input"]
table = tables.colocation(units)
figures.show_table(
    table,
    name="colocation",
    caption="Mean Moran’s I of the regions of single test images, and the number of images with permutation p ≤ .05. "
    "A region that is empty or the whole image has no Moran’s I.",
    units=units,
)

# %% tags=["remove-input"]
kept = claims.counted(claims.judged(studies.verdicts(units)))
told = {claim: claims.told(rows) for claim, rows in kept.groupby("claim", sort=False) if "co-located" in claim}
figures.show_text(
    "Verdicts: "
    + "; ".join(f"“{claim}” {verdict}" for claim, verdict in told.items())
    + ". A permuted region is a weak opponent: Grad-CAM is computed on a grid of 3 × 3 cells and interpolated, so an "
    "RoI is smooth by construction, whatever the model looks at. So the claims are judged against the maps of a "
    "network that was not trained ([What holds of the paper’s findings?](08_findings.ipynb))."
)

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
