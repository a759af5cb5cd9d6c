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
# # The directions that classify are the directions that fool
#
# [Directions that carry a class](12_curvature.ipynb) finds directions along which a network reads a class. Here whole
# subspaces of such directions are looked at: what a network still recognises when an image is projected on them, how
# much of an attack lies inside them, what an attack can do that is confined to them, and whether throwing them away
# defends ([Jetley et al., 2018](../book/references.md)).

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

# %% tags=["hide-input"]
from roa_helpers import studies
from roa_helpers.page import answers, claims, figures, parameters, ranges, span, widgets
from roa_helpers.records import seeds
from roa_helpers.studies import curvature
from roa_helpers.studies.curvature import STATEMENTS, charts, choices, named, pictures, tables, words

parameters.check(globals())
units = studies.units("curvature", profile, seed=seed)
shown = seeds.one_of_each(units)
verdicts = studies.verdicts(units)
evaluated = words.sample(shown)

# %% tags=["remove-input"]
answer = curvature.answers.subspaces(units)
answers.show(answer)

# %% [markdown]
# ## By hand
#
# DeepFool’s perturbations of handwritten digits, one a row, have singular vectors; the leading ones are the directions
# that fool. The plot shows the score of class `c` along the `place`-th of them, one curve an image. Below it: how many
# images the network still reads when only `d` directions are left of them, the leading ones or the last. Change `c`,
# `place` or `d`.

# %% mystnb={"image": {"alt": "One curve an image: the score of a class over the way along a singular vector."}}
import torch

from roa_helpers import attacks, geometry

model, images = studies.network("curvature", "digits")  # all ten digits
x, labels = images.test.images[:100], images.test.labels[:100]
c, place, d = 3, 0, 16
found = attacks.deepfool(model, x, steps=50, overshoot=0.02)
values, basis = geometry.svd_basis((found.x_adv - x)[found.success].flatten(1))
direction, mean = basis[:, place].reshape(x.shape[1:]).to(x), model.mean
positions = torch.linspace(-3, 3, 25)
moved = (x[:12] + s * direction for s in positions)
curves = torch.stack([geometry.scores(model, one)[:, c] for one in moved])
figure, axis = figures.drawing(4, 2.5)
axis.plot(positions, curves, color="#0072B2", alpha=0.5)
axis.set(xlabel="way along the singular vector (ℓ₂ norm)", ylabel=f"score of {c}")
alt = f"The score of {c} along a singular vector, a curve an image."
figures.show_drawing(figure, alt=alt)
for name, kept in {"leading": basis[:, :d], "last": basis[:, -d:]}.items():
    projected = mean + geometry.project(x - mean, kept.to(x))
    read = geometry.scores(model, projected).argmax(1) == labels
    right = int(read.sum())
    print(f"{name} {d} directions: {right} of {len(x)} images are read correctly")

# %% tags=["remove-input"]
figures.show_text(words.drawn(units))

# %% [markdown]
# ## Fig. 3: accuracy and attacks in the same subspaces
#
# The most positive directions of all classes together span S_pos, the most negative S_neg, both S_neg∪pos, the flattest
# S_flat. Images, less their mean, are projected on them. A random subspace of the same dimension, which the paper does
# not have, says what dimension alone gives.

# %% tags=["hide-input"]
figure, data = charts.figure_three(shown)
figures.show(
    figure,
    name="curvature-fig-3",
    caption="Top: accuracy on projected images. Below: the share of the ℓ2 norm that is left of perturbations and of "
    "saliency (the gradient of the predicted class’s logit) projected on the same subspaces, mean over images. The "
    "universal perturbation is one for all images. Where curvature is the closed form, S_flat is random "
    "outside the curved directions.",
    alt="Curves over the dimension. Accuracy on test images, in %: "
    + ranges(
        data[data.part == "test"].assign(share=lambda t: t.k / t.n),
        "share",
        of=["network", "dimension"],
        by=["kind"],
        names={kind: name for kind, (_, name) in charts.KINDS.items()},
        form=".1f",
        scale=100,
    ),
    data=data,
    units=shown,
    sample=evaluated,
)

# %% tags=["remove-input"]
figures.show_text(words.few(units))

# %% tags=["hide-input"]
epochs = tables.universal(shown)
figures.show_table(
    epochs,
    view=epochs.groupby("network", sort=False).tail(1),
    name="curvature-universal",
    caption="The universal perturbation after its last epoch: DeepFool steps of training images added up inside a "
    "ball, until most images are fooled or the epochs are over; training images it fools. Where these are few, its "
    "curve in Fig. 3 says little. All epochs are in the data.",
    units=shown,
    sample="training images",
)

# %% [markdown]
# DeepFool and the universal perturbation start from the class that the network predicts, FGSM from the true one. As in
# the paper, fooled means that the prediction changes, so images that are misclassified from the start are attacked too.
#
# ### Does it depend on what is differentiated?

# %% tags=["hide-input"]
figure, data = charts.by_method(shown)
figures.show(
    figure,
    name="curvature-methods",
    caption="Accuracy on S_neg∪pos and on S_flat for each definition of curvature. Closed form and Lanczos do not give "
    "all eigenvectors, and of some networks the profile keeps the most curved alone: curves end where these do. The "
    "flat directions of closed form and Lanczos are drawn at random from the rest.",
    alt="Curves over the dimension. Accuracy, in %: "
    + ranges(
        data.assign(share=data.k / data.n),
        "share",
        of=["network", "dimension"],
        by=["kind", "method"],
        names={kind: name for kind, (_, name) in charts.KINDS.items()} | tables.METHODS,
        form=".1f",
        scale=100,
    ),
    data=data,
    units=shown,
    sample=evaluated,
)
figure, data = charts.areas(shown)
figures.show(
    figure,
    name="curvature-areas",
    caption="Area between accuracies (mean difference over the dimensions that both subspaces reach, which differ "
    "between definitions), and Spearman’s ρ between what subspaces have more than random ones of their dimension, of "
    "accuracy and of DeepFool’s norm. Bootstrap over test images.",
    alt="Intervals about 0: "
    + ranges(data, "value", of=["network", "method"], by=["quantity"], names=charts.AREAS, bound=0),
    data=data,
    units=shown,
    sample=evaluated,
)

# %% tags=["remove-input"]
figures.show_text(words.depends(tables.dependence(shown)))

# %% tags=["hide-input"]
overlaps = tables.overlaps(shown)
figures.show_table(
    overlaps,
    view=tables.ends(overlaps),
    name="curvature-overlaps",
    caption="How much two definitions’ subspaces S_neg∪pos share: mean squared cosine of their principal angles, and "
    "what random subspaces of these dimensions would share; with the fewest and the most directions, all in the data.",
    units=shown,
    sample="directions from training images",
)

# %% [markdown]
# ## Fig. 4: singular vectors of DeepFool perturbations
#
# First-order attacks find the same directions, so the paper goes on with the singular vectors of stacked DeepFool
# perturbations: S_hi is spanned by the first, S_lo by the last.

# %% tags=["hide-input"]
figure, data = charts.figure_four(shown)
figures.show(
    figure,
    name="curvature-fig-4",
    caption="Accuracy on images projected on the first, or the last, singular vectors of DeepFool perturbations of "
    "training images. Fewer perturbations than dimensions leave vectors with the singular value 0; these come last.",
    alt="Curves over the dimension. Accuracy, in %: "
    + ranges(
        data.assign(share=data.k / data.n),
        "share",
        of=["network", "dimension"],
        by=["order"],
        names={"hi": "S_hi", "lo": "S_lo"},
        form=".1f",
        scale=100,
    ),
    data=data,
    units=shown,
    sample=evaluated,
)

# %% [markdown]
# ## Fig. 5: DeepFool confined
#
# Each gradient is projected on the subspace before DeepFool’s linear problem is solved, so the perturbation stays in
# it.

# %% tags=["hide-input"]
figure, data = charts.figure_five(shown)
figures.show(
    figure,
    name="curvature-fig-5",
    caption="Median norm (the paper: the mean) of confined DeepFool (images that it does not fool within "
    f"{choices.CONFINED_STEPS} steps count as infinite), and mean norm of the images projected on the same subspace.",
    alt="Curves over the dimension. Median norm of confined DeepFool: "
    + ranges(
        data.replace(float("inf"), float("nan")),
        "median",
        of=["network", "dimension"],
        by=["order"],
        names={"hi": "S_hi", "lo": "S_lo"},
    ),
    data=data,
    units=shown,
    sample=f"{span(data.tried)} test images",
)
figures.show(
    pictures.confined(shown),
    name="curvature-fig-5-pictures",
    caption="One test image projected on subspaces of growing dimension, and the perturbation confined to them "
    "(rescaled); of large pictures the largest subspaces alone.",
    alt="Pairs of pictures for each subspace: the projected image and the confined perturbation.",
    data=pictures.confined_data(shown),
    units=shown,
    sample="the first test image of the sample",
)

# %% [markdown]
# ### Let the subspace grow

# %% tags=["hide-input"]
sizes = range(1, 1 + min(map(pictures.sizes, shown)))
networks = {named(unit): unit for unit in shown}
widgets.browse(
    lambda network, order, size: pictures.confined_frame(networks[network], order, size, len(sizes)),
    [
        widgets.choice("network", networks),
        widgets.choice("subspace", [name for _, name in charts.ORDERS.values()]),
        widgets.slider("dimension, step", sizes),
    ],
)

# %% tags=["remove-input"]
figures.show_text(words.findings("coupling", claims.counted(verdicts)))

# %% [markdown]
# All subspaces of one order lie inside each other, so norms must rise and fall with the dimension, and ρ would be
# negative for any order. What would speak for the paper is that at one dimension S_hi needs the smaller perturbation
# and holds the larger image:

# %% tags=["remove-input"]
figures.show_text(words.at_one_dimension(units))

# %% [markdown]
# ## Table 1: compression as a defence
#
# A unit before the network shrinks the image and enlarges it again (bicubic). The paper’s attacker ignores it: DeepFool
# perturbations of the bare network, scaled by f. A second attacker knows of it and runs DeepFool through unit and
# network; for each f, the images count that this attacker fools with at most f times the norm that the first one’s
# perturbation had. Where the paper has AlexNet on ImageNet, `desk` has SqueezeNet 1.1 on pictures of 128 pixels that it
# knows from its training ([Directions that carry a class](12_curvature.ipynb)).

# %% tags=["hide-input"]
table = tables.table_one(shown)
figures.show_table(
    table[[name for name in table if not name.startswith("aware")]],
    name="curvature-table-1",
    caption="<b>Table 1, the paper’s rows and ours.</b> Norms in units of 255 levels, of images less their mean and of "
    "perturbations as they leave the unit. Fooling rates (%) for perturbations scaled by f: the share of images for "
    "which the prediction of network and unit changes. Intervals: Wilson, 95 %; those of the paper’s rates reach at "
    f"most {tables.widest():.1f} points to either side.",
    units=shown,
    sample=evaluated,
)
figure, data = charts.compression(shown)
figures.show(
    figure,
    name="curvature-table-1-curves",
    caption="Fooling rates over f, by side of the shrunk image, with Wilson intervals for the attacker who ignores the "
    "unit (solid). Dotted: the attacker who knows of it; the paper has no numbers for this one.",
    alt="Rising curves over f. Fooling rate, in %: "
    + ranges(data, "rate", of=["side", "f"], by=["network", "measured"], form=".1f", scale=100),
    data=data,
    units=shown,
    sample=evaluated,
)

# %% tags=["remove-input"]
figures.show_text(words.findings("compression", claims.counted(verdicts)))
figures.show_text(words.beyond(units))

# %% tags=["hide-input"]
figures.show_table(
    tables.compressed(shown),
    name="curvature-compressed",
    caption="The attacker who knows: norm of DeepFool through the unit, over its norm on the bare network (geometric "
    "mean and bootstrap interval). And what the unit costs in accuracy (points; Bonett and Price’s interval).",
    units=shown,
    sample=evaluated,
)

# %% [markdown]
# ## A bridge: curved directions and the regions of this book’s paper
#
# The paper of this book splits an image into regions of importance (RoI) and of attack (RoA); see [Which features are
# useful, and which pixels?](01_features_and_regions.ipynb). This paper has subspaces instead. Do both point at the same
# pixels? The energy of a subspace at a pixel is the sum of the squared entries of its basis there. A random subspace
# has it everywhere alike, so what falls into a region beyond the region’s share of pixels is the answer.

# %% tags=["hide-input"]
figure, data = charts.bridge(shown)
figures.show(
    figure,
    name="curvature-bridge",
    caption="Energy of a class’s most curved and of its flattest directions in the regions of images of that class, "
    "less the regions’ share of the pixels, mean over images and its 95 % bootstrap interval. Right of 0: more than a "
    "random subspace would have.",
    alt="Intervals about 0 for six regions. Energy − pixels: "
    + ranges(data, "difference", of=["network", "definition", "region"], by=["kind"], form="+.3f", bound=0),
    data=data,
    units=shown,
    sample=f"{span(data.n)} test images",
)

# %% tags=["remove-input"]
figures.show_text(words.bridged(units))

# %% [markdown]
# ## Is our DeepFool DeepFool?

# %% tags=["hide-input"]
libraries = tables.libraries(shown)
figures.show_table(
    libraries,
    name="curvature-libraries",
    caption="DeepFool of other libraries on the same images, as many steps and the same overshoot, nothing clipped: "
    "images fooled, mean norm, and ratio to ours on images that both fool.",
    units=shown,
    sample=f"{span(libraries.tried)} test images",
)

# %% tags=["remove-input"]
figures.show_text(words.on_libraries(libraries))

# %% [markdown]
# ## What holds?
#
# *Reproduced* and *contradicted* need three trained networks and a p-value that is adjusted for all claims of this page
# and the one before; with fewer networks the tables say where the interval points. The more can be tested, the smaller
# a p-value must be: a verdict may change when networks are added. [Rules, and when they were set](../book/rules.md)
# lists when rules were set and changed.

# %% tags=["hide-input"]
both = claims.apart(verdicts)
figures.show_apart(
    both,
    view=lambda table: claims.summary(table, by="statement").replace({"statement": STATEMENTS}),
    name="curvature-statements",
    caption="The paper’s three statements, and how many verdicts of each kind their claims got over networks and "
    "cases. Cases of one claim share networks and images: these counts are no independent trials.",
    units=studies.apart(units),
    sample=evaluated,
)
figures.show_apart(
    both,
    view=lambda table: claims.grid(table[table.verdict != claims.NOT_JUDGED]),
    name="curvature-grid",
    caption=f"Verdicts at a glance: {claims.legend(*both)}. "
    "Several marks stand for several cases (signs of curvature, sides). Of the paper’s own numbers, where it prints "
    "them, the grid says what they point to.",
    units=studies.apart(units),
    sample=evaluated,
)
figures.show_apart(
    claims.apart(verdicts[verdicts.statement != "lines"]),
    view=claims.brief,
    name="subspaces-verdicts",
    caption="The claims of this page: value and interval; of several cases the span of the values, with every interval "
    "in the data.",
    units=studies.apart(units),
    sample=evaluated,
)

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
