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
# # Do explainers find where the attack was?
#
# If an attack may change an image in one region only, that region is the reason for the new prediction, and an
# explanation of the prediction should point there. Göpfert, Wersing and Hammer ([Göpfert et al.,
# 2019](../book/references.md)) confine a targeted attack to segments of photos and ask three explainers, saliency
# ([Simonyan et al., 2014](../book/references.md)), guided backpropagation ([Springenberg et al.,
# 2015](../book/references.md)) and LIME ([Ribeiro et al., 2016](../book/references.md)), where it was. LIME wins. This
# page does it again, adds four explainers, and asks whether LIME wins because of what it measures or because it answers
# in superpixels.
#
# The paper attacks Inception v3 ([Szegedy et al., 2016](../book/references.md)). EfficientNet-Lite0 ([Tan and Le,
# 2019](../book/references.md)) stands in for it where its weights cannot be loaded: it has learnt the same thousand
# classes of ImageNet, and its weights are installed with this book.

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
from roa_helpers.page import answers, beside, claims, figures, in_brackets, open_choices, parameters, ranges, widgets
from roa_helpers.records import seeds
from roa_helpers.studies import localized
from roa_helpers.studies.localized import charts, choices, recovery, tables, words

parameters.check(globals())
units = studies.units("localized", profile, seed=seed)
once = seeds.one_of_each(units)  # seeds of LIME differ in little that a figure shows
as_in_paper, with_seeds = charts.as_in_paper(once), charts.as_in_paper(units)
sample = "all successful attacks in a region; intervals by a bootstrap over photos"

# %% tags=["remove-input"]
answer = localized.answers.recovered(as_in_paper, once)
answers.show(answer)

# %% [markdown]
# ## By hand
#
# One photo, one segment in which a targeted attack may change pixels, and the five superpixels that speak most for the
# target by LIME. Change `photo`, `place` (0, 1 or 2) or `samples`: LIME is a regression on so many copies of the
# photo with superpixels painted out, and few of them make it noisy.

# %%
import torch

from roa_helpers import attacks, data, explain, metrics, models
from roa_helpers.studies.localized import placement

photo, place, samples = 1, 1, 100
network = models.photo.pretrained("efficientnet_lite0")
model, classes = network.model, network.classes
target = classes.index("wolf spider")
x = data.load("photos", size=128).test.images[[photo]]
cut = {"scale": 200.0, "sigma": 0.8, "min_size": 100}
cut |= {"low": 0.02, "high": 0.3}  # segments of 2 to 30 % of the photo
found = placement.segments(x[0].numpy(), count=3, **cut)
region = torch.from_numpy(found[[place]])
budget = {"eps": 1.0, "step": 0.03, "steps": 60, "patience": 15}
aim = torch.tensor([target])
ended = attacks.bim_until_success(model, x, aim, region=region[:, None], **budget)
x_adv = ended.x_adv
segments = explain.superpixels.segment(x_adv[0], kernel_size=1.7)
drawn = {"samples": samples, "seed": 0, "segments": segments}
lime = explain.lime_image(model, x_adv[0], target, **drawn)
union = explain.partial_unions(lime, 5)[-1:]
photos = {"photo": x[0], "may change": region[0], "attacked": x_adv[0]}
figures.show_row(photos | {"LIME": union[0]})
seen = models.predict(model, torch.cat([x, x_adv])).argmax(1)
before, after = (classes[k] for k in seen)
print(f"The network sees {before}, after {int(ended.steps[0])} steps {after}.")
score = metrics.jaccard(union, region)[0]
print(f"Jaccard index of LIME’s superpixels and the segment: {score:.2f}")

# %% [markdown]
# ## The network

# %% tags=["remove-input"]
figures.show_text(words.network(once))

# %% [markdown]
# ## How an example is made
#
# A photo is cut into segments by colour alone ([Felzenszwalb and Huttenlocher, 2004](../book/references.md)). In each
# of the largest a targeted basic iterative method ([Kurakin et al., 2017](../book/references.md)) changes pixels,
# nothing outside moves, until the network sees the target class. Attempts that fail, or make no progress any more, are
# discarded.
#
# Photos are attacked whatever the network sees in them, right or not: what is asked is where the new prediction comes
# from. Photos of the target class are left out, and those in which the network sees it already count apart.

# %% tags=["hide-input"]
sheet, data = charts.process(as_in_paper)
figures.show(
    sheet,
    name="localized-process",
    caption="From a photo to an adversarial example (Figures 1 and 2 of the paper).",
    alt="For each of a few photos: the photo, the attacked region outlined, the attacked photo, and the difference.",
    data=data,
    units=as_in_paper,
    sample="stored examples",
)

# %% tags=["hide-input"]
attempts = tables.attempts(once)
figures.show_table(
    attempts,
    name="localized-attempts",
    caption="Attacks tried and how they ended; the share that succeeded with its 95 % interval (Wilson).",
    units=once,
    sample="all regions of all photos",
)

# %% tags=["remove-input"]
figures.show_text(words.reached(once))

# %% [markdown]
# ## What the explainers say
#
# LIME cuts the attacked photo into superpixels and asks which of them speak for the target. The n most influential, for
# n = 1, 2, …, make a partial explanation, and every other explainer gets as many pixels, those it holds most relevant:
# of a gradient, negative entries are discarded and the ℓ1 norm is taken over channels. Gradients are of the target’s
# logit; the paper writes of its objective. Ties are broken at random, anew for every example.

# %% tags=["hide-input"]
sheet, data = charts.partial_explanations(as_in_paper)
figures.show(
    sheet,
    name="localized-partial",
    caption="The attacked region and partial explanations of one size, in white (Figure 3 of the paper): for the n at "
    "which LIME’s union has about as many pixels as the region. The last two average a gradient over LIME’s "
    "superpixels.",
    alt="For each of a few photos: the attacked region and the pixels that five explainers hold most relevant.",
    data=data,
    units=as_in_paper,
    sample="stored examples",
)

# %% [markdown]
# ## How much of the region do they find?
#
# For the explained pixels P and the attacked region C among N pixels, the Jaccard index is |P ∩ C| / |P ∪ C| and the
# Hamming likeness 1 − |P △ C| / N. The paper shows both for one example (Figure 4); here are all. The dashed line is
# what an explanation of that size could reach at best.

# %% tags=["hide-input"]
figure, data = charts.curves(as_in_paper)
figures.show(
    figure,
    name="localized-curves",
    caption="Scores of the partial explanations: median, and quartiles (shaded), over all examples.",
    alt="Curves over the number of superpixels, their medians: "
    + ranges(data, "q50", of=["unit", "n"], by=["metric", "explainer"]),
    data=data,
    units=as_in_paper,
    sample=sample,
)

# %% [markdown]
# ## Who finds it best?
#
# For every example and every n the three explainers are ranked, 1 the best (Table 1 of the paper).

# %% tags=["hide-input"]
ranks = [tables.mean_ranks(part) for part in studies.apart(with_seeds)]
figures.show_apart(
    ranks,
    view=beside.layout,
    name="localized-ranks",
    caption="<b>Table 1 of the paper</b>: mean rank of its explainers over all explanations, 1 the best of 3. The "
    "paper prints no interval. " + beside.legend(),
    units=studies.apart(with_seeds),
    sample=sample,
)
own = next(filter(len, ranks))  # the small sets where there is no other
figure, data = beside.plot(own)
figures.show(
    figure,
    name="localized-ranks-chart",
    caption="Table 1 as a chart: the paper’s mean ranks and ours with 95 % intervals.",
    alt=beside.finding(own),
    data=data,
    units=next(filter(len, studies.apart(with_seeds))),
    sample=sample,
)

# %% tags=["remove-input"]
figures.show_text(words.answer_same_ranks(as_in_paper))

# %% tags=["hide-input"]
tests = tables.tests_table(as_in_paper)
figures.show_table(
    tests,
    name="localized-tests",
    caption="Friedman’s test that all three rank alike: blocks are photos, ranked by the mean Jaccard index of "
    "their examples over all n; and the pairs that differ by Nemenyi’s comparison at 5 %.",
    units=as_in_paper,
    sample="photos with an example",
)

# %% [markdown]
# ## R1, R2 and Table 1
#
# Photos are many, but they are attacked on one network, and so are the paper’s: another network may rank explainers
# otherwise. *Reproduced* and *contradicted* need three trained networks; with fewer the table says where the interval
# over photos points. [Rules, and when they were set](../book/rules.md) lists when rules were set and changed.

# %% tags=["hide-input"]
verdicts = studies.verdicts(with_seeds)
figures.show_apart(
    claims.apart(verdicts),
    name="localized-verdicts",
    caption="R1: an explainer’s mean Jaccard index minus that of a random explanation of the same size. R2 and Table "
    "1: the mean rank of the worse minus that of the better explainer. Both should be above 0 (bootstrap over photos; "
    "one photo has no interval).",
    units=studies.apart(with_seeds),
    sample=sample,
)

# %% tags=["remove-input"]
figures.show_text(words.answer(as_in_paper, verdicts))

# %% [markdown]
# ### Other explainers
#
# Grad-CAM ([Selvaraju et al., 2017](../book/references.md)), input × gradient, integrated gradients ([Sundararajan et
# al., 2017](../book/references.md)) and SmoothGrad ([Smilkov et al., 2017](../book/references.md)) by the same measure,
# beside chance.

# %% tags=["hide-input"]
figure, data = charts.ranks(once, "all")
figures.show(
    figure,
    name="localized-all-ranks",
    caption="Mean rank among all explainers by Jaccard, with its 95 % interval; dotted: no better than the others. "
    "Hollow: averaged over superpixels.",
    alt="Mean ranks with intervals: " + ranges(data, "rank", of=["unit"], by=["explainer"], form=".1f"),
    data=data,
    units=once,
    sample=sample,
)

# %% [markdown]
# ## Does LIME win because it answers in superpixels?
#
# The attacked regions are segments of the photo, and so, by another algorithm, are LIME’s superpixels; the gradients
# answer pixel by pixel. Two controls tell these apart. Regions that ignore what the photo shows, squares and random
# blobs of about the segments’ areas, take the likeness of the two segmentations away. And a gradient averaged over
# LIME’s superpixels answers in superpixels too (its last one in part, to have as many pixels as LIME’s union). Grad-CAM
# is a third: its map is as coarse as superpixels are, and knows none.

# %% tags=["hide-input"]
figure, data = charts.ranks(once, "superpixels")
figures.show(
    figure,
    name="localized-superpixels",
    caption="Mean rank by Jaccard among five explainers for three shapes of regions, with its 95 % interval. Hollow: "
    "averaged over superpixels.",
    alt="Mean ranks with intervals: " + ranges(data, "rank", of=["unit"], by=["explainer"], form=".1f"),
    data=data,
    units=once,
    sample=sample,
)

# %% tags=["hide-input"]
questions = tables.questions(units)
figures.show_table(
    questions,
    view=in_brackets(questions.drop(columns="id")),
    name="localized-questions",
    caption="Mean rank of another explainer minus that of LIME, among the five above, for Grad-CAM among all; yes "
    "where it is above 0, no where it is below, by the rules above. The paper does not ask this.",
    units=units,
    sample=sample,
)

# %% tags=["remove-input"]
figures.show_text(words.answer_superpixels(once, questions))

# %% [markdown]
# ## How sure is LIME of itself?
#
# LIME draws which superpixels it hides. Other seeds give other explanations of the same image.

# %% tags=["hide-input"]
figure, data = charts.spread(as_in_paper)
figures.show(
    figure,
    name="localized-spread",
    caption="Jaccard index of LIME’s unions for a few examples (colours), each with several seeds (lines).",
    alt="Bundles of lines, one colour an example. Jaccard index: "
    + ranges(data, "jaccard", of=["example", "seed", "n"], by=["unit"]),
    data=data,
    units=as_in_paper,
    sample="stored examples",
)

# %% tags=["remove-input"]
figures.show_text("\n\n".join(filter(None, (words.reseeded(with_seeds), words.sizes(as_in_paper)))))

# %% [markdown]
# ### Look for yourself

# %% tags=["hide-input"]
unit = as_in_paper[0]
frames, photos, names, regions, counts = charts.frames(unit)
widgets.browse(
    frames,
    [
        widgets.choice("photo", names),
        widgets.choice("region", list(range(1, regions + 1))),
        widgets.choice("explainer", [recovery.TITLES[name] for name in charts.OFFERED], start=2),
        widgets.slider("n", counts, start=widgets.nearest(counts, 5)),
    ],
    beside=photos,
    legend=charts.PARTS,
)

# %% [markdown]
# ## Choices that the paper leaves open

# %% tags=["hide-input"]
figures.show_table(
    open_choices(units, choices.REASONS, labels=words.LABELS),
    name="localized-choices",
    caption="Values that differ between runs stand apart by a semicolon.",
    units=units,
    sample="choices",
)

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
