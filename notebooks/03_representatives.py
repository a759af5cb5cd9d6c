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
# # Do the images of a class share their regions?
#
# The paper lays the regions of all images of a class over each other and takes the mean at each pixel: the class
# representatives of Figs 8 and 9. It expects structure to survive only where the images are aligned with each other, as
# digits and cells are and pets are not. The switch below a figure sets the maps in the paper’s colours; [Do images have
# a region of importance and a region of attack?](02_segregation.ipynb) says why they are not the default.

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
from roa_helpers.studies import roi_roa
from roa_helpers.studies.registration import REGISTERED
from roa_helpers.studies.registration import charts as shifted
from roa_helpers.studies.registration import words as shifts
from roa_helpers.studies.roi_roa import beyond, charts, pictures, words

parameters.check(globals())
units = studies.units("roi_roa", profile, seed=seed, own=own_images)
pairs = seeds.one_of_each(units)  # maps are shown for one seed

# %% tags=["remove-input"]
own, others = studies.apart(units)  # the paper's data sets, and those that only show that the code runs

answer = roi_roa.answers.representatives(own)
answers.show(answer)

# %% [markdown]
# ## By hand
#
# The RoIs of one, of four and of all handwritten ones, laid over each other: the mean at each pixel. *Alignment* is the
# share of their variance that survives this, 1 if all are the same; rolled to random places it is what chance leaves.

# %%
from roa_helpers import explain, metrics, regions

model, images = studies.network("roi_roa", "digits")  # trained, or read from disk
ones = images.test.of_class(1)
delta1 = 0.3
cam = explain.grad_cam(model, ones.images, ones.labels)
roi = regions.region_of_importance(cam, delta1)
counts = (1, 4, len(roi))
figures.show_row({f"{n}": regions.representative(roi[:n]) for n in counts})
rolled = metrics.rolled(roi.numpy(), seed=0)
here, there = metrics.alignment(roi), metrics.alignment(rolled)
print(f"alignment of {len(roi)} RoIs: {here:.2f}; rolled: {there:.2f}")

# %% [markdown]
# ## Figures 8 and 9

# %% tags=["hide-input"]
figures.show(
    pictures.representatives(pairs, "roi"),
    name="fig-8",
    caption="<b>Fig. 8 of the paper</b>: representative RoI of each class, the share of its test images whose RoI "
    "holds the pixel. The union of all RoIs is where the share is above 0.",
    alt="Heat maps of the representative RoI, one for each data set and class: "
    + levels(pictures.map_data(pairs, "roi")),
    data=pictures.map_data(pairs, "roi"),
    units=pairs,
)

# %% tags=["hide-input"]
figures.show(
    pictures.representatives(pairs, "roa"),
    name="fig-9",
    caption="<b>Fig. 9 of the paper</b>: representative RoA of each class, by the paper’s definition.",
    alt="Heat maps of the representative RoA, one for each data set and class: "
    + levels(pictures.map_data(pairs, "roa")),
    data=pictures.map_data(pairs, "roa"),
    units=pairs,
)

# %% tags=["hide-input"]
figures.show(
    pictures.representatives(pairs, "roa", definition="gradient"),
    name="fig-9-gradient",
    caption="Representative RoA of each class by gradient magnitude.",
    alt="Heat maps of the representative RoA by gradient, one for each data set and class: "
    + levels(pictures.map_data(pairs, "roa", definition="gradient")),
    data=pictures.map_data(pairs, "roa", definition="gradient"),
    units=pairs,
)

# %% [markdown]
# ## How many of the images agree?
#
# The pixels that lie in the region of at least so large a share of the images of a class: the intersection of all on
# the right, the union of all on the left.

# %% tags=["hide-input"]
shares = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]
classes = pictures.classes(pairs)
widgets.browse(
    lambda name, share: pictures.shared_frame(*classes[name], share),
    [
        widgets.choice("class", classes),
        widgets.slider("share of the images", shares, start=3, fine=[round(0.02 * i, 2) for i in range(1, 51)]),
    ],
)

# %% [markdown]
# ## More than the average of anything?
#
# A mean of regions always looks like something. The test: *alignment* is the share of the regions’ variance that
# survives averaging. It is 1 if all regions of a class are the same and falls to about 1/n if they have nothing to do
# with each other. They are compared with the same regions, each rolled to a random place, which keeps every shape and
# destroys the common position.

# %% tags=["hide-input"]
figure, data = charts.alignment_plot(units)
figures.show(
    figure,
    name="alignment",
    caption="Alignment of the regions of a class (dot) and the 95 % range of the same regions rolled to random "
    "places (bar).",
    alt="Dots and bars. Alignment: "
    + ranges(data, "alignment", of=["data set", "direction"], by=["region"], bound="null_high"),
    data=data,
    units=units,
)

# %% tags=["remove-input"]
counted = roi_roa.rows_of(data, own or others)
above = counted[counted.alignment > counted.null_high].groupby("region").size()
total = counted.groupby("region").size()
figures.show_text(
    " and ".join(
        f"the alignment of the {region.upper().replace('O', 'o')}s of a class lies above this range in "
        f"{above.get(region, 0)} of {n} cases"
        for region, n in total.items()
    )
    .capitalize()
    .replace("roi", "RoI")
    .replace("roa", "RoA")
    + ". Both the Grad-CAM grid and the edges of the image favour some places for every image, so alignment above the "
    "range is necessary for a class-level blob to make sense, not sufficient. Whether the regions of a class share a "
    "place is judged against stronger nulls ([What holds of the paper’s findings?](08_findings.ipynb))."
)

# %% [markdown]
# ## More than an untrained network has?
#
# Grad-CAM on 3×3 cells is smooth whatever was learnt, and images of a class resemble each other before any network sees
# them. So the same numbers are taken of the same images’ regions by untrained networks of the same architecture
# ([Adebayo et al., 2018](../book/references.md)), of random maps as coarse as the region’s own, and, for alignment, of
# a mixture with the other class. What training and class put there is what M has beyond the strongest of these.

# %% tags=["hide-input"]
figure, data = beyond.chart(units)
figures.show(
    figure,
    name="nulls",
    caption="Co-location (Moran’s I, mean over images), alignment, and the share of images in which none of the four "
    "regions is empty: M’s regions (circles) beside the nulls’.",
    alt="Marks of the trained network beside those of nulls. The trained network: "
    + ranges(data[data.maps == "trained"], "value", of=["data set", "direction"], by=["region", "statistic"]),
    data=data,
    units=units,
)

# %% tags=["remove-input"]
beaten = beyond.beaten(roi_roa.rows_of(data, own or others))
figures.show_text("\n\n".join(filter(None, (words.beyond_nulls(beaten), words.left_out(units)))))

# %% [markdown]
# ## The same digits, moved
#
# The paper finds that regions survive superposition where images are registered. Its data sets differ in much else, so
# here one thing differs: every image, of training and test alike, is moved at random by up to a number of pixels, and a
# network is trained for each.

# %% tags=["hide-input"]
moved = studies.units("registration", profile, seed=seed)
figure, data = shifted.alignment(moved)
figures.show(
    figure,
    name="registration",
    caption="Alignment beyond that of the same regions rolled to random places, over how far the images are moved; a "
    "mark a network and class, lines: means.",
    alt="Marks over the shift. Alignment beyond chance: "
    + ranges(data, "value", of=["data set", "shift"], by=["region"], bound=0),
    data=data,
    units=moved,
)

# %% tags=["remove-input"]
figures.show_text(shifts.told(data))

# %% tags=["hide-input"]
verdicts = studies.verdicts(moved)
if len(verdicts):
    figures.show_table(
        verdicts,
        name="registration-verdicts",
        caption="Does moving the images cost alignment? Values: alignment at the smallest shift − at the largest. "
        f"Rule: {REGISTERED.rule}.",
        units=moved,
    )
else:
    figures.show_text("There is no verdict yet: of the paper’s digits, one shift alone is recorded.")

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
