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
# # Does blurring what doesn't matter help?
#
# If a classifier were shown only the pixels that matter, an attack would have fewer to hide in. Chun's thesis ([Chun,
# 2022](../book/references.md)) keeps the pixels that a heatmap ranks highest, blurs the others, trains on such images,
# and attacks before and after the blurring. It concludes that training on blurred images makes a network more robust,
# that blurring after the attack keeps accuracy about the same, and that blurring before it does not. It takes the
# latter for an attacker who knows of the blur; this page adds one whose attack has to pass through it.

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
from roa_helpers.page import (
    answers,
    beside,
    figures,
    in_brackets,
    open_choices,
    parameters,
    ranges,
    seeds_note,
    span,
    widgets,
)
from roa_helpers.records import seeds
from roa_helpers.studies import blurring
from roa_helpers.studies.blurring import charts, choices, published, results, tables, words

parameters.check(globals())
units = studies.units("blurring", profile, seed=seed)
groups = seeds.groups(units)
first = groups[0][0]
sample = "test images; n and seeds in the data"

# %% tags=["remove-input"]
answer = blurring.answers.defence(units)
answers.show(answer)

# %% [markdown]
# ## By hand
#
# One picture, a heatmap (how large the gradient of the class’s score is at each pixel), and the picture blurred but for
# the share of pixels that the heatmap ranks highest; then the same after an attack. The network M tells faces from
# other pictures, and this is one of the others. Change `share`, `sigma` or `eps`.

# %%
from roa_helpers import attacks, explain, models, regions
from roa_helpers.studies.blurring import blur

model, images = studies.network("roi_roa", "faces")  # trained, or read from disk
eps, share, sigma = 0.063, 0.15, 2.0
no_faces = images.test.of_class(1)
x_adv = attacks.fgsm(model, no_faces.images, no_faces.labels, eps=eps)
withstood = models.correct(model, x_adv, no_faces.labels)
i = int(withstood.int().argmin())  # the first that is turned; 0 if none is
x, x_adv, y = no_faces.images[[i]], x_adv[[i]], no_faces.labels[[i]]


def blurred(x):
    heatmap = regions.gradient_magnitude(explain.saliency(model, x, y))
    return blur.blurred(x, blur.keep_mask(heatmap, share), sigma)


four = {"image": x, "blurred": blurred(x)}
four |= {"attacked": x_adv, "attacked, blurred": blurred(x_adv)}
heatmap = regions.gradient_magnitude(explain.saliency(model, x, y))
pictures = {name: one[0] for name, one in four.items()}
figures.show_row({"heatmap": heatmap[0]} | pictures)
for name, one in four.items():
    p = models.predict(model, one).softmax(1)[0, 1]
    print(f"{name:<18} probability of “no face” {p:.3f}")

# %% [markdown]
# ## What the blur does

# %% tags=["remove-input"]
figures.show_text(words.blurred(first))

# %% tags=["hide-input"]
sheet, data = charts.blur_sheet(first)
figures.show(
    sheet,
    name="blurring-levels",
    caption=f"Images blurred entirely, σ = {span(charts.SIGMAS, 'g')} (Figure 3.1 of the thesis).",
    alt="For each class one test image and four blurred versions, softer and softer.",
    data=data,
    units=[first],
    sample="the first test image of each class",
)

# %% [markdown]
# Which pixels matter is said by four heatmaps of the network that was trained on originals, for the class that it sees:
# the gradient ([Simonyan et al., 2014](../book/references.md)), input × gradient ([Shrikumar et al.,
# 2016](../book/references.md)), layer-wise relevance propagation by the ε-rule ([Bach et al.,
# 2015](../book/references.md)), and “PGD”. Of the last the thesis gives the name alone. This is our reading of it: the
# size, pixel by pixel, of what projected gradient descent ([Mądry et al., 2018](../book/references.md)) in an ℓ₂ ball
# adds to the image.

# %% tags=["hide-input"]
sheet, data = charts.heatmap_sheet(first)
figures.show(
    sheet,
    name="blurring-heatmaps",
    caption=f"Heatmaps, each scaled to its own range, and images blurred but for the {words.kept(first)} of their "
    "pixels that a heatmap ranks highest (Figure 3.2 of the thesis).",
    alt="For each class one test image, and for each heatmap its map and the image blurred where the map is low.",
    data=data,
    units=[first],
    sample="the first test image of each class",
)

# %% tags=["hide-input"]
used = first.result["parameters"]["choices"]
shares, sigmas = (0.0, 0.05, 0.15, 0.3, 0.6), (1.0, 2.0, 4.0, 8.0)
names = list(published.HEATMAPS.values())
widgets.browse(
    charts.frames(first, shares, sigmas),
    [
        widgets.choice("heatmap", names),
        widgets.slider("share kept", shares, start=widgets.nearest(shares, used["keep"])),
        widgets.slider("σ", sigmas, start=widgets.nearest(sigmas, used["sigma"])),
    ],
)

# %% tags=["hide-input"]
figures.show_table(
    tables.overlaps(units).round(3),
    name="blurring-overlap",
    caption="Do heatmaps keep the same pixels? Jaccard index of what two of them keep, mean over test images.",
    units=units,
    sample="all test images",
)

# %% [markdown]
# For a network of rectifiers, relevance by the ε-rule with a small ε is the *normalised* image times the gradient;
# input × gradient takes the image as it is. That alone tells these two heatmaps apart.
#
# ## The networks

# %% tags=["remove-input"]
figures.show_text(words.learnt())

# %% [markdown]
# The profile `paper` tries to load these; in the others two variants stand in for them: training from scratch, and
# pre-training on the other classes of the same data set, which shares no class with those told apart. The thesis’s
# discussion asks for more classes: another version tells all of them apart. Only `paper` gives it all images; in `desk`
# it has fewer of each class than the others have, and an A so weak that its verdicts carry little. For the sake of
# time, `desk` also takes fewer channels than ResNet-50 has, but for one version of full width, and few images for the
# attackers who know the blur.
#
# Seeds of one group share the images and nothing else: each has a pre-training of its own. Groups with a single seed
# say nothing of the spread over seeds.

# %% tags=["hide-input"]
accuracies = tables.accuracies(units)
figures.show_table(
    accuracies,
    view=in_brackets(accuracies.round({"paper": 3})),
    name="blurring-networks",
    caption="Accuracy of A, the network trained on originals, on clean originals, beside the thesis’s; 95 % Wilson "
    "interval over images." + seeds_note(accuracies),
    units=units,
    sample="all test images",
)

# %% tags=["remove-input"]
figures.show_text(words.answer_accuracy(accuracies))

# %% [markdown]
# ## The attacks
#
# FGSM ([Goodfellow et al., 2015](../book/references.md)) moves every value by ε; NewtonFool ([Jang et al.,
# 2017](../book/references.md)) goes down the slope of the probability of the predicted class, by Newton's step for
# chance but no longer than η times the norm of the image. Both lead away from the class that the network sees, as the
# thesis writes them. It gives neither ε nor η: they are chosen, on validation images, so that A keeps the accuracy that
# the thesis's A keeps on attacked originals. Where our A has less than that before any attack, or so little more that
# this would hardly be one, the aim is the same share of its clean accuracy. An aim can be out of reach: an attack that
# leads away from the class that a network sees can also correct images that it sees wrongly. The chart shows where the
# strength used misses its aim.

# %% tags=["remove-input"]
figures.show_text(words.aims())

# %% tags=["hide-input"]
figure, data = charts.strengths(units)
figures.show(
    figure,
    name="blurring-strengths",
    caption="Accuracy of A on attacked originals over the strength of the attack. Dashed: what is aimed at. Filled: "
    "the strength used from here on. One line a seed.",
    alt="Falling curves. Accuracy of A, in %: "
    + ranges(data, "accuracy", of=["group", "strength"], by=["attack"], form=".1f", scale=100),
    data=data,
    units=units,
    sample="validation images",
)

# %% tags=["hide-input"]
sheet, data = charts.attack_sheet(first)
figures.show(
    sheet,
    name="blurring-attacks",
    caption="What both attacks on A make of an image at these strengths, and what they add, ten times enlarged around "
    "grey.",
    alt="For each class one test image, the image under FGSM and NewtonFool, and both perturbations.",
    data=data,
    units=[first],
    sample="the first test image of each class",
)

# %% [markdown]
# Libraries disagree on NewtonFool: ART computes the definition, foolbox squares norms that are squared already.

# %% tags=["remove-input"]
figures.show_text(words.answer_newton(units))

# %% [markdown]
# ## The 150 accuracies
#
# Five networks, A trained on originals and B to E on images blurred by the four heatmaps, meet six versions of the test
# images. “Blur, then FGSM” attacks each version; the attacker sees what the network sees. “FGSM, then blur” attacks the
# original, and the blur comes after it, with heatmaps of the attacked image: the attacker does not know of the blur. In
# both, the network that is tested is the one that is attacked.

# %% tags=["hide-input"]
for k, group in enumerate(groups):
    figure, data = charts.bars(group)
    read = (
        "accuracy without attack (light) and under attack (dark, with 95 % interval), by what a network was trained on "
        "(groups of bars) and what it is tested on (colours). Figures 4.2 to 4.5 of the thesis; the data are all cells "
        "of its Tables 4.1 to 4.5."
    )
    diamonds = " Diamonds: the thesis’s, under attack." if data.paper.notna().any() else ""
    figures.show(
        figure,
        name=f"blurring-bars-{k}",
        caption=f"{results.named(group[0])}: {'read as the first of these charts.' if k else read}{diamonds}",
        alt="Bars of five networks on six test sets. Accuracy, in %: "
        + ranges(data, "ours", of=["model", "test"], by=["row"], names=published.ROWS, form=".1f", scale=100),
        data=data,
        units=group,
        sample=f"n = {data.n.iloc[0]} test images, seed{'s' if ',' in data.seeds.iloc[0] else ''} {data.seeds.iloc[0]}",
        folded=not results.has_printed(group[0]),
    )

# %% tags=["hide-input"]
known = ([group for group in groups if results.has_printed(group[0])] or groups)[0]
cells = tables.compare(known)
figure, data = charts.as_printed(cells)
figures.show(
    figure,
    name="blurring-cells",
    caption=f"The 150 accuracies of the thesis against ours ({results.named(known[0])}), a panel a network, with 95 % "
    "intervals of both. On the line both are equal.",
    alt=beside.finding(data.assign(percent=True)),
    data=data,
    units=known,
    sample="all test images",
)
for number, (model, title) in enumerate(published.MODELS.items(), start=1):
    own = tables.as_printed(cells, model)
    figures.show_table(
        own,
        view=beside.layout(own),
        name=f"blurring-table-{model}",
        caption=f"<b>Table 4.{number} of the thesis</b>, {title} ({results.named(known[0])}). "
        + (beside.legend() if number == 1 else "Read as Table 4.1."),
        units=known,
        sample="all test images",
    )

# %% tags=["remove-input"]
figures.show_text("\n\n".join(words.answer_cells(group) for group in groups))

# %% [markdown]
# ## Do the conclusions hold?
#
# A conclusion is judged on all networks and attacks together, over seeds whose networks were trained anew: *reproduced*
# and *contradicted* need three, and a p-value that is adjusted for all conclusions. Single networks and attacks stand
# beside it. [Rules, and when they were set](../book/rules.md) lists when rules were set and changed.

# %% tags=["hide-input"]
verdicts = studies.verdicts(units)
conclusions = tables.overview(verdicts)
figures.show_table(
    conclusions,
    view=tables.glance(conclusions),
    name="blurring-conclusions",
    caption="The conclusions of the thesis on all networks and attacks together, by its own numbers and by ours: "
    "points and interval, verdict, and for how many pairs of a network and an attack the interval alone points to it."
    + (f" {figures.OTHERS}" if studies.apart(units)[1] else ""),
    units=units,
    sample="all test images",
)

# %% tags=["remove-input"]
figures.show_text(words.rules())

# %% [markdown]
# The first verdict is about accuracy, the second about robustness. Five of the six test sets are blurred, and networks
# trained on blurred images lead there without any attack; only where the second holds too do they lose less to an
# attack. The intervals of the thesis's numbers are wide because nothing is known of single images: its networks are
# treated as if they had seen different ones.
#
# ## An attacker who knows of the blur
#
# Blurring after the attack helps against an attacker who looks at the network alone. One who knows of the blur can send
# the gradient through it, taking the mask of the clean image for granted; or compute the mask anew in every step and
# pass the gradient by it as a constant ([Athalye et al., 2018](../book/references.md)); or attack the network whose
# heatmaps choose the pixels. All have the larger ε found above, at which FGSM away from the class that A sees halves
# its accuracy on validation images. They know the true class, so that no error is corrected by chance, and the
# undefended A keeps less than half. Each network stands behind the blur it was trained for, and is held against A
# without any blur, under as many steps. BIM stops once the network that it looks at is wrong: the blur undoes much of
# so small a change, so that one full step of FGSM can do more harm. What is left of the defence is the last number, any
# of these attacks.

# %% tags=["hide-input"]
figure, knowing = charts.attackers(units)
figures.show(
    figure,
    name="blurring-knowing",
    caption="Accuracy of the networks B to E behind their own blur under six attackers, with "
    "95 % Wilson intervals; black lines: A without a blur.",
    alt="Marks and intervals. Accuracy, in %: "
    + ranges(
        knowing, "accuracy", of=["group", "model"], by=["attacker"], names=results.ATTACKERS, form=".1f", scale=100
    ),
    data=knowing,
    units=units,
    sample="the first test images of each class; n in the data",
)

# %% tags=["remove-input"]
figures.show_text(words.answer_knowing(knowing))

# %% [markdown]
# Where the undefended A is at 0, “+0 points” says that nothing withstands, not that the blur costs nothing. What is
# left is an upper bound: none of these attackers differentiates the choice of the pixels itself. That choice depends on
# the class that A sees, so it can tell a network behind the blur what A would have said.
#
# ## Choices

# %% tags=["hide-input"]
figures.show_table(
    open_choices(units, choices.REASONS, labels=words.LABELS),
    name="blurring-choices",
    caption="What the thesis leaves open, what is used here, and why.",
    units=units,
    sample="all units shown",
)

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
