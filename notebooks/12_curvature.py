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
# # Directions that carry a class
#
# Jetley, Lord and Torr ([Jetley et al., 2018](../book/references.md)) look at class scores along straight lines through
# image space. The lines are chosen where the boundary of a class is most curved, and along them, they find, the score
# of the class rises or falls in much the same way whatever the image. Such a direction classifies, and moving any image
# along it is an attack. This page takes their Algorithm 1, Fig. 1 and Fig. 2; the next one, [The directions that
# classify are the directions that fool](13_subspaces.ipynb), takes the rest.

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
from roa_helpers.page import answers, claims, figures, levels, open_choices, parameters, ranges, span, widgets
from roa_helpers.records import seeds
from roa_helpers.studies import curvature
from roa_helpers.studies.curvature import charts, choices, named, pictures, tables, words

parameters.check(globals())
units = studies.units("curvature", profile, seed=seed)
shown = seeds.one_of_each(units)
verdicts = studies.verdicts(units)

# %% tags=["remove-input"]
answer = curvature.answers.lines(units)
answers.show(answer)

# %% [markdown]
# ## By hand
#
# One handwritten digit is carried to the boundary of class `c` by DeepFool. There the Hessian of F_c − F_ĉ is taken by
# differences of gradients, and its eigenvectors are the directions of curvature. Half-grey is 0. Change the `image`,
# `c`, or `reach`, the step of the differences as a share of the distance to the boundary: the network is piecewise
# linear, so what differences find depends on how far they look.

# %%
import torch

from roa_helpers import attacks, geometry

model, images = studies.network("curvature", "digits")  # all ten digits
image, c, reach = 0, 3, 1.0
x = images.test.images[[image]]
search = {"steps": 50, "overshoot": 0.02, "tolerance": 1e-3, "clip": False}
found = attacks.deepfool(model, x, target=torch.tensor([c]), **search)
away, (far, near) = float(found.norms[0]), (int(found.far[0]), int(found.near[0]))
pair = torch.tensor([[far, near]])  # c and ĉ, the two classes that meet there
hessian = geometry.mean_hessian(model, found.x_adv, pair=pair, step=reach * away)
bends = geometry.principal_curvatures(hessian.matrix)
row = {"image": x[0, 0], "on the boundary": found.x_adv[0, 0]}
for name, place in {"most positive": 0, "most negative": -1}.items():
    direction = bends.vectors[:, place].reshape(x.shape[2:])
    row[name] = 0.5 + direction / (2 * direction.abs().max())
figures.show_row(row)
print(f"moved by {away:.2f} to where {far} meets {near}")
highest, lowest = bends.values[0], bends.values[-1]
print(f"largest eigenvalue {highest:.1f}, smallest {lowest:.1f}")

# %% [markdown]
# ## The networks

# %% tags=["hide-input"]
figures.show_table(
    tables.accuracies(units),
    name="curvature-networks",
    caption="The networks. D: numbers in an image. Images are given in [0, 1]; each network subtracts the mean image "
    "of its training data inside, as the paper does. Norms: of test images less the mean image, and of their DeepFool "
    "perturbations. Intervals: Wilson, 95 %.",
    units=units,
    sample="accuracy on all test images of the profile, the rest on a random sample of them",
)

# %% [markdown]
# The paper shows four pairs: LeNet on MNIST, network in network (NiN) and AlexNet on CIFAR-10, AlexNet on CIFAR-100,
# and for the next page AlexNet on ImageNet. The table says which of them are here. In the place of the last the profile
# `desk` has SqueezeNet 1.1 ([Iandola et al., 2016](../book/references.md)), another network with about the accuracy of
# AlexNet, on pictures of ten classes of ImageNet (Imagenette); where its weights are missing it is left out. The
# profile `paper` has torchvision's AlexNet there, where its weights can be loaded. CIFAR-100 has a hundred classes, and
# `desk` no more than 150 pictures of each: claims are not tested on a network that is wrong about most of its test
# images.

# %% tags=["remove-input"]
figures.show_text(words.drawn(units))
figures.show_text(words.untaught(shown))

# %% [markdown]
# ## Algorithm 1: where, and what, is curved?
#
# For each class *c*, images of other classes are moved by DeepFool onto the boundary of *c*, where the score of *c*
# equals that of the strongest other class, *ĉ*. There the Hessian of F_c − F_ĉ is taken and averaged over images; its
# eigenvectors with the largest, the smallest and the least absolute eigenvalue are the directions of positive, negative
# and no curvature.

# %% tags=["hide-input"]
figures.show(
    pictures.directions(shown),
    name="curvature-directions",
    caption="Directions of some classes, of large pictures of one (grey: 0). The two most positive are the pictures "
    "beside the paper’s Fig. 2.",
    alt="For each class four pictures: the two most positive directions, the most negative, and the flattest.",
    data=pictures.directions_data(shown),
    units=shown,
    sample="directions from training images",
)

# %% [markdown]
# One thing has to be settled first. A network of convolutions, ReLU and maximum pooling is piecewise linear: wherever
# the Hessian of its scores exists, it is zero. The paper does not say how it is had. Differences of the gradient,
#
# $$H v \approx \frac{\nabla f(x + h v) - \nabla f(x - h v)}{2 h}, \qquad f = F_c - F_{\hat c},$$
#
# find the kinks between the two points, so the step *h* is part of the definition. A Hessian is symmetric; what
# differences give need not be. The figure shows how far it is from symmetric (0: symmetric; dotted line: unrelated to
# its transpose), how large, and, where there is something to compare with, how wrong.

# %% tags=["hide-input"]
figure, data = charts.steps(shown)
figures.show(
    figure,
    name="curvature-steps",
    caption="Difference Hessians by step, in double precision, on random orthonormal directions at boundary points of "
    "one class. Error: of the softmax scores against the closed form within a linear piece, of the smooth twin "
    "(softplus and smoothed maxima in the place of ReLU and maxima, same weights) against its exact Hessian. Grey: the "
    "step that the study uses.",
    alt="Curves over the step. Asymmetry: " + ranges(data, "asymmetry", of=["network", "share"], by=["quantity"]),
    data=data,
    units=shown,
    sample=f"up to {max(data.n)} boundary points a network",
)

# %% tags=["remove-input"]
figures.show_text(words.asymmetry(units))

# %% [markdown]
# So there are three definitions that can be defended, and all are computed:
#
# - **differences** of the logits’ gradients with a step as long as the way to the boundary, over the whole pixel basis,
#   symmetrised; what Algorithm 1 amounts to. And the same with a tenth of that step.
# - the **closed form** for softmax scores, Jᵀ A J, with J the gradients of the logits and A the second derivatives of
#   p_c − p_ĉ by the logits. It has no step and is symmetric; on the boundary an image contributes one positive and one
#   negative eigenvalue.
# - the **smooth twin**, whose exact second derivatives are symmetric; its extreme eigenvectors by Lanczos.
#
# Figures use the first one named in the table below for each network: differences where the whole basis can be
# afforded. The paper’s scores are logits, so the closed form is of another function: where it comes first, verdicts are
# about its directions and not about those of Algorithm 1, and its “flattest” direction is drawn at random outside the
# curved ones, since closed form and Lanczos give no order among the flat. Whether the result depends on the definition
# is asked in [The directions that classify are the directions that fool](13_subspaces.ipynb).

# %% tags=["hide-input"]
figures.show_table(
    tables.hessians(shown),
    name="curvature-hessians",
    caption="Curvature by method, means over classes: boundary points a class, step, asymmetry of the mean Hessian and "
    "of that of one image, and the extreme eigenvalues.",
    units=shown,
    sample="boundary points from training images",
)
figures.show_table(
    tables.costs(shown),
    name="curvature-costs",
    caption="What it costs for n boundary points of a class, D numbers an image and K classes: gradients (a forward "
    "and a backward pass of one image; a product with the exact Hessian counts twice) and numbers in memory. "
    "Eigenvectors of a D × D matrix take about 9 D³ operations besides.",
    units=shown,
    sample="from the formulas",
)

# %% [markdown]
# The asymmetric part that is thrown away is large, and the shorter step has less of it where both were tried: the first
# definition is a choice, not the better estimate. DeepFool takes at most K gradients a step. `make bench` measures how
# much faster the Hessian is assembled in batches than by one vector at a time, and DeepFool beside foolbox and ART.
#
# ### Are there points enough?
#
# The paper takes all images to the boundary, and this page a few. The boundary points of some classes are dealt into
# two halves, and the most curved directions are taken of each. Had a few points told the directions, the halves would
# agree.

# %% tags=["hide-input"]
halved = tables.halved(shown)
figure, data = charts.halves(halved)
figures.show(
    figure,
    name="curvature-halves",
    caption="Overlap of the subspaces that two disjoint sets of boundary points single out (mean squared cosine of "
    "their principal angles; 1: the same subspace), over the number of points in each set. A thin line a class, their "
    "mean thick; dotted: two random subspaces of the same dimension.",
    alt="Curves over the number of points. Overlap of two halves: "
    + ranges(data, "overlap", of=["network", "points"], by=["method"]),
    data=data,
    units=halved,
    sample=f"{span(data.groupby('network')['class'].nunique())} classes a network",
)

# %% tags=["remove-input"]
figures.show_text(words.enough(tables.halved(units)))

# %% [markdown]
# ## Fig. 1: one curve an image

# %% tags=["hide-input"]
figure, data = charts.single_curves(shown)
figures.show(
    figure,
    name="curvature-fig-1",
    caption="The score (logit) of one class at x + s · d, d of length 1, a curve a test image. Coloured where the "
    f"network takes the moved image for the class. The line reaches {choices.Curvature.reach:g} times as far "
    "as the boundary is on average, at most the mean norm of images.",
    alt="Curves, one an image. Share of them inside the class: "
    + levels({name: of for name, of in data.items() if name.endswith("inside")}),
    data=data,
    units=shown,
    sample=f"{span([len(unit.arrays['curves'][0]) for unit in shown])} test images a network",
)

# %% [markdown]
# ## Fig. 2: the population

# %% tags=["hide-input"]
figure, data = charts.population(shown, "positive")
figures.show(
    figure,
    name="curvature-fig-2",
    caption="Along the most positive direction. Above: median and 30th to 70th percentile of the score of the class, "
    "and of the best other. Below: images of other classes that are moved into the class, images of the class that "
    "stay.",
    alt="Scores and shares over s. Images of other classes moved into the class, in %: "
    + ranges(data.assign(share=data.moved / data.others), "share", of=["s"], by=["network"], form=".0f", scale=100),
    data=data,
    units=shown,
    sample=f"{span(data.others + data.own)} test images a network",
)

# %% [markdown]
# The paper sends the negative and the flat directions to its supplement. Here they are, and a random one as a control.

# %% tags=["hide-input"]
for kind in ("negative", "flat", "random"):
    figure, data = charts.population(shown, kind)
    figures.show(
        figure,
        name=f"curvature-fig-2-{kind}",
        caption=f"The same along the {charts.DIRECTIONS[kind]} direction.",
        alt=f"Scores and shares over s, {charts.DIRECTIONS[kind]} direction. Images of other classes moved into the "
        "class, in %: "
        + ranges(data.assign(share=data.moved / data.others), "share", of=["s"], by=["network"], form=".0f", scale=100),
        data=data,
        units=shown,
        sample=f"{span(data.others + data.own)} test images a network",
    )

# %% [markdown]
# ### Move an image yourself

# %% tags=["hide-input"]
kinds = pictures.OFFERED
chosen = shown[: pictures.NETWORKS]
widgets.browse(
    [[pictures.frames(unit, kind) for kind in kinds] for unit in chosen],
    [
        widgets.choice("network", [named(unit) for unit in chosen]),
        widgets.choice("direction", [charts.DIRECTIONS[kind] for kind in kinds]),
        widgets.choice("image", range(1, 1 + pictures.IMAGES)),
        widgets.slider("position", pictures.PLACES, start=pictures.PLACES.index(0)),
    ],
)

# %% [markdown]
# ## Symmetric, monotone, alike?
#
# The paper says that along these directions a class score is nearly symmetric about some point, monotone on both sides
# of it, and the same function for all images up to a shift (“additively separable”). Each of the three can be measured
# by a number that is 0 where the statement holds exactly.

# %% tags=["hide-input"]
figure, data = charts.shapes(shown)
figures.show(
    figure,
    name="curvature-shapes",
    caption="Errors of symmetry, monotony and separability along four kinds of directions: mean over classes and its "
    "95 % bootstrap interval. Dashed: what the rules below ask for.",
    alt="Intervals for each network and kind of direction: "
    + ranges(
        data,
        "mean",
        of=["network", "kind"],
        by=["measure"],
        names={"odd": "odd share", "backward": "backward share", "interaction": "not common to images"},
    ),
    data=data,
    units=shown,
    sample=f"{span(data.n)} classes",
)

# %% tags=["remove-input"]
own, others = studies.apart(units)  # the paper's data sets, and those that only show that the code runs
figures.show_text(words.findings("lines", claims.counted(verdicts)))
figures.show_text(words.beside_random(own or others))

# %% tags=["hide-input"]
figures.show_apart(
    claims.apart(verdicts[verdicts.statement == "lines"]),
    name="curvature-verdicts",
    caption="The claims of this page. n: classes. “Reproduced” and “contradicted” need three trained networks; with "
    "fewer the table says where the interval points.",
    units=studies.apart(units),
    sample="test images; intervals over classes",
)

# %% [markdown]
# ## Choices

# %% tags=["hide-input"]
figures.show_table(
    open_choices(shown, choices.REASONS, labels=words.LABELS),
    name="curvature-choices",
    caption="What the paper leaves open, what is used here, and why.",
    units=shown,
    sample="choices of the profiles",
)

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
