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
# # Which features are useful, and which pixels?
#
# The paper starts from features (Section II-C): a feature is *ρ-useful* if it correlates with the label, *γ-robustly
# useful* if it still does when an attacker moves the image inside an ε-ball, and *useful but non-robust* if it is only
# the first ([Ilyas et al., 2019](../book/references.md)). It then moves from features to pixels (Section II-D):
# importance for the class and vulnerability to the attack, each cut at a threshold, δ₁ and δ₂. Do the two pictures hold
# on a trained model?

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
from roa_helpers.page import REGION_LABELS, answers, figures, parameters, parts_of, ranges, widgets
from roa_helpers.records import seeds
from roa_helpers.studies import roi_roa
from roa_helpers.studies.roi_roa import charts, pictures, words

parameters.check(globals())
units = studies.units("roi_roa", profile, seed=seed, own=own_images)
pairs = seeds.one_of_each(units)  # single images are shown for one seed

# %% tags=["remove-input"]
answer = roi_roa.answers.features(studies.apart(units)[0])
answers.show(answer)

# %% [markdown]
# ## By hand
#
# One feature of the last layer of a small M that tells handwritten zeros from ones. ρ̂ is the mean of y · f(x) over test
# images, where y is the label as −1 or +1 and f the feature, standardised on validation images. γ̂ is the same after
# each pixel was moved by ε against y · f. Change `eps`: at 0 the two are equal.

# %%
import torch

from roa_helpers import attacks

model, images = studies.network("roi_roa", "digits")  # trained, or read from disk
eps = 0.05
values = model.penultimate(images.val.images).detach()
mean, spread = values.mean(0), values.std(0) + 1e-6
sign = 2.0 * images.val.labels - 1
rise = (sign[:, None] * (values - mean) / spread).mean(0)
j = int(rise.argmax())  # the feature that rises most with the label


def agreement(x, y=2.0 * images.test.labels - 1):
    return y * (model.penultimate(x)[:, j] - mean[j]) / spread[j]


x = images.test.images.requires_grad_()
(slope,) = torch.autograd.grad(agreement(x).sum(), x)
x_adv = attacks.project(x - eps * slope.sign(), x, eps=eps)
useful, robust = agreement(x).mean(), agreement(x_adv).mean()
print(f"feature {j}: ρ̂ = {useful:.2f}, γ̂ at ε = {eps:g} at most {robust:.2f}")

# %% [markdown]
# ## Usefulness and robust usefulness
#
# Each point is one feature of the last layer, standardised and turned so that ρ̂ is positive on validation images.
# The infimum over the ε-ball is searched by an attack on that feature, so γ̂ is an upper bound: a feature shown as
# non-robust is so on these images, one shown as robust may still not be.

# %% tags=["hide-input"]
figure, data = charts.usefulness(units)
figures.show(
    figure,
    name="features-rho-gamma",
    sample=" and ".join(f"n = {n}" for n in sorted(data.n.unique())) + " test images",
    caption="Usefulness ρ̂ and usefulness under attack γ̂ of a random sample of the model’s penultimate features.",
    alt="Scatter plots of γ̂ against ρ̂. γ̂ by network: " + ranges(data, "gamma", of=["feature"], by=["unit"], bound=0),
    data=data,
    units=units,
)

# %% tags=["remove-input"]
figures.show_text(words.on_features(units))

# %% [markdown]
# ## From features to pixels
#
# The same idea for pixels, Fig. 2 of the paper: utility U on one axis, vulnerability V on the other, the thresholds cut
# the plane into four. Here every point is a real pixel. V is the norm of the loss gradient, because the size of FGSM’s
# own step takes few values (see [Do images have a region of importance and a region of attack?](02_segregation.ipynb)).

# %% tags=["hide-input"]
figure, data = charts.utility_vulnerability(units[0], 0)
figures.show(
    figure,
    name="fig-2",
    caption=f"<b>Fig. 2 of the paper, from real pixels</b> of one image ({title_of(units[0].result['dataset'])}). "
    "Dashed: the thresholds δ₁ and δ₂ chosen on validation images.",
    alt="Scatter plot of pixels by utility and vulnerability, and the image in the same four colours. Shares: "
    + parts_of(data.region.map(REGION_LABELS))
    + ".",
    data=data,
    units=units[:1],
)

# %% [markdown]
# ## Move the thresholds
#
# Axioms 2.1 and 2.2: a pixel is in the RoI if its importance is at least δ₁, in the RoA if its vulnerability is at
# least δ₂. Move both and watch the four regions; the share of the image that each takes stands below it. Where there
# is a kernel, the regions are computed anew, in finer steps and for every stored image.

# %% tags=["hide-input"]
deltas = {"delta1": [0.1, 0.3, 0.6, 0.9], "delta2": [0.05, 0.1, 0.2, 0.5, 0.9]}
classes = pictures.classes(pairs)
fine = [round(0.02 * i, 2) for i in range(1, 50)]
used = {name: pictures.chosen(pairs[0], 0, name, definition="gradient") for name in deltas}
starts = [widgets.nearest(cuts, used[name]) for name, cuts in deltas.items()]
widgets.browse(
    lambda name, d1, d2, image: pictures.threshold_frame(*classes[name], d1, d2, index=image - 1),
    [
        widgets.choice("class", classes),
        widgets.slider("δ₁ (importance)", deltas["delta1"], start=starts[0], fine=fine),
        widgets.slider("δ₂ (vulnerability)", deltas["delta2"], start=starts[1], fine=fine),
        widgets.choice("image", [1], fine=range(1, pictures.stored(pairs) + 1)),
    ],
    beside=[pictures.graded_maps(unit, k) for unit, k in classes.values()],
    legend=pictures.LEGEND,
)

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
