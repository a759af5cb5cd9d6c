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
# # Does neutralising U−V+ defend?
#
# The blob’s pixels are set to black or white in every test image of the class (S_mod), and the same attack with the
# same ε is run again on the result (S_mod-adv); Fig. 5 of the paper. The defence works if accuracy on clean images
# stays (Table II) and accuracy under attack rises (Table III).

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
import pandas as pd

from roa_helpers import studies
from roa_helpers.page import answers, beside, claims, figures, parameters, ranges, seeds_note, widgets
from roa_helpers.records import seeds
from roa_helpers.studies import roi_roa
from roa_helpers.studies.adaptive import charts as adapted
from roa_helpers.studies.adaptive import words as adaptive_words
from roa_helpers.studies.architectures import charts as networks
from roa_helpers.studies.architectures import words as networks_words
from roa_helpers.studies.roi_roa import charts, choices, comparison, pictures, tables, words

parameters.check(globals())
units = studies.units("roi_roa", profile, seed=seed, own=own_images)
pairs = seeds.one_of_each(units)  # single images are shown for one seed
own, others = studies.apart(units)  # the paper's data sets, and those that only show that the code runs

# %% tags=["remove-input"]
answer = roi_roa.answers.neutralisation(own)
answers.show(answer)

# %% [markdown]
# ## By hand
#
# The blob of the handwritten ones is painted over, black or white, and the same attack is run again. Counted are the
# images that M reads as ones.

# %%
from roa_helpers import attacks, explain, models, regions

model, images = studies.network("roi_roa", "digits")  # trained, or read from disk
ones = images.test.of_class(1)
x, y = ones.images, ones.labels
eps, delta1, delta2, theta = 0.063, 0.3, 0.9, 0.3
x_adv = attacks.fgsm(model, x, y, eps=eps)
roi = regions.region_of_importance(explain.grad_cam(model, x, y), delta1)
roa = regions.region_of_attack(x, x_adv, delta2)
blob = regions.blob(regions.isolate(roi, roa).not_u_v, theta)
black, white = (regions.neutralise(x, blob, value) for value in (0.0, 1.0))
versions = {"as they are": x, "blob black": black, "blob white": white}
first = {name: one[0] for name, one in versions.items()}
figures.show_row({"blob": blob} | first)
for name, one in versions.items():
    attacked = attacks.fgsm(model, one, y, eps=eps)
    clean, hit = (models.correct(model, some, y) for some in (one, attacked))
    print(f"{name}: {int(clean.sum())} of {len(x)}, attacked {int(hit.sum())}")

# %% [markdown]
# ## The four sets of images

# %% tags=["hide-input"]
sheet, data = pictures.neutralisation_flow(pairs)
figures.show(
    sheet,
    name="fig-5",
    caption="<b>Fig. 5 of the paper, from real images</b>: one test image of each class in the four sets, with the "
    "accuracy of M on each set.",
    alt="For each direction a test image in the four sets. Accuracy on the sets, in %: "
    + ranges(
        data.assign(share=data.k / data.n), "share", of=["data set", "direction"], by=["score"], form=".1f", scale=100
    ),
    data=data,
    units=pairs,
)

# %% [markdown]
# ## The model M
#
# All scores are those of a model M that is trained for each pair of classes. How good is it?

# %% tags=["hide-input"]
table_of_models = comparison.accuracy(own or others)
learnt_images = comparison.accuracy(own or others, part="train")
figures.show_apart(
    (comparison.accuracy(own), comparison.accuracy(others)),
    name="model-accuracy",
    caption="Accuracy (%) of M on all n test images of both classes with its 95 % interval, beside the paper’s "
    "score_clean, averaged over both directions." + seeds_note(table_of_models),
    sample="accuracy on all test images",
    units=(own, others),
)

# %% tags=["remove-input"]
figures.show_text("\n\n".join((words.answer_accuracy(table_of_models), words.learnt(table_of_models, learnt_images))))

# %% [markdown]
# ## Classification after neutralisation

# %% tags=["hide-input"]
table_2 = comparison.compare("A10", own or others)
figures.show_apart(
    (comparison.compare("A10", own), comparison.compare("A10", others)),
    view=beside.layout,
    name="table-2",
    caption="<b>Table II of the paper</b>: accuracy on clean and on neutralised images of the source class. "
    + words.printed_sample()
    + " "
    + beside.legend(),
    units=(own, others),
)
figure, data = beside.plot(table_2)
figures.show(
    figure,
    name="table-2-chart",
    caption="Table II as a chart: the paper’s numbers and ours with 95 % intervals.",
    alt=beside.finding(table_2),
    data=data,
    units=own or others,
)

# %% tags=["remove-input"]
figures.show_text(words.answer("A10", table_2))

# %% [markdown]
# ## The attack after neutralisation

# %% tags=["hide-input"]
table_3 = comparison.compare("A11", own or others)
figures.show_apart(
    (comparison.compare("A11", own), comparison.compare("A11", others)),
    view=beside.layout,
    name="table-3",
    caption="<b>Table III of the paper</b>: accuracy under FGSM before and after neutralisation. Read as Table II.",
    units=(own, others),
)
figure, data = beside.plot(table_3)
figures.show(
    figure,
    name="table-3-chart",
    caption="Table III as a chart: the paper’s numbers and ours with 95 % intervals.",
    alt=beside.finding(table_3),
    data=data,
    units=own or others,
)

# %% tags=["remove-input"]
figures.show_text(words.answer("A11", table_3))

# %% [markdown]
# ## Is it the region, or any region?
#
# The change is paired: the same images before and after. Four other blobs stand beside the paper’s. One is made in the
# same way from validation images, which a defender could have prepared beforehand. Three have as many pixels as the
# paper’s: drawn at random; those that lie in the RoI of most images; those that lie in U−V− of most images.

# %% tags=["hide-input"]
figure, gain = charts.change_plot(units, "adv", "mod_adv")
figures.show(
    figure,
    name="gain",
    caption="Change of accuracy under attack by neutralisation; lines: 95 % intervals (same images scored twice).",
    alt="Intervals about 0 for five blobs. Change of accuracy under attack, in points: "
    + ranges(gain, "change", of=["data set", "direction"], by=["blob"], form="+.1f", scale=100, bound=0),
    data=gain,
    units=units,
)

# %% tags=["hide-input"]
figure, cost = charts.change_plot(units, "clean", "mod")
figures.show(
    figure,
    name="cost",
    caption="Change of clean accuracy by neutralisation, the price of the defence.",
    alt="Intervals about 0 for five blobs. Change of clean accuracy, in points: "
    + ranges(cost, "change", of=["data set", "direction"], by=["blob"], form="+.1f", scale=100, bound=0),
    data=cost,
    units=units,
)

# %% tags=["remove-input"]
figures.show_text(
    "Accuracy under attack after neutralisation, compared with that before:\n\n"
    + words.tally(roi_roa.rows_of(gain, own or others), "blob")
    + "\n\nand with the paper’s blob, compared with each control on the same images:\n\n"
    + words.tally(charts.against_controls(own or others, "mod_adv"), "blob")
    + "\n\n“Undecided” means that the 95 % interval of the difference holds 0. Note what the procedure assumes: the "
    "blob is chosen by the true class of the image, which a defender would not know."
)

# %% [markdown]
# ## A defence, or a tilt toward one class?
#
# M has two classes. Pixels set to black or white in every image can look like evidence for one of them: then M answers
# that class more often, whatever the image shows. The score of that class rises and the score of the other falls, with
# and without an attack. A defence should raise both directions, the upper right of the figure.

# %% tags=["hide-input"]
both = {"clean images": charts.tilts(cost), "under attack": charts.tilts(gain)}
figures.show(
    charts.tilt_plot(both),
    name="tilt",
    caption="Change of accuracy by the paper’s blob: one direction against the other; lines: 95 % intervals. Upper "
    "left and lower right: M is tilted toward one class.",
    alt="Two scatters, a mark a data set. Change, first class → second, in points: "
    + ranges(
        pd.concat([table.assign(images=images) for images, table in both.items()]),
        "change, first",
        of=["data set"],
        by=["images"],
        form="+.1f",
        scale=100,
        bound=0,
    ),
    data=pd.concat([table.assign(images=images) for images, table in both.items()]),
    units=units,
)

# %% tags=["remove-input"]
figures.show_text(
    "By 95 % intervals, accuracy after neutralisation changes like this.\n\n"
    + "\n".join(
        f"- On {images}: {words.tilt(roi_roa.rows_of(table, own or others))}." for images, table in both.items()
    ).replace("On under", "Under")
)

# %% [markdown]
# ## The verdict
#
# So a defence is judged on both classes together, by the mean of the two changes, and with the blob that was made from
# images that are not scored. The paper’s own way, one direction alone with the blob made from the images that are
# scored, stands beside it without a verdict. Where the attack takes little accuracy there is nothing to weaken, and
# where it misses the strength that it aims at it is not the paper’s attack: both are *not testable*. [Rules, and when
# they were set](../book/rules.md) says when these rules were set.

# %% tags=["hide-input"]
verdicts = studies.verdicts(units)
defence = verdicts[verdicts.id.str.startswith(("keeps-accuracy", "weakens-attack"))]
figures.show_apart(
    claims.apart(defence),
    name="defence-verdicts",
    caption="The two claims about neutralisation, in points; p-values are adjusted over all claims about the paper.",
    units=(own, others),
)

# %% [markdown]
# ## Who attacks, and what do they know?
#
# In the paper the attacker changes the neutralised images, blob and all, and M sees what the attacker made. A defender
# would rather neutralise what arrives. Then there are two cases. An attacker who is *unaware* of the defence changes
# the clean image, and the defender overwrites the blob’s pixels. An attacker who is *aware* of it computes the attack
# on the neutralised image, and the defender overwrites the blob’s pixels once more, so that only changes outside the
# blob remain: FGSM through the defence. A fourth threat is the paper’s with a stronger attack of the same size: PGD
# from random starts.

# %% tags=["hide-input"]
figure, threats = charts.threat_plot(units)
few = threats[threats.threat.str.startswith("PGD")].n
figures.show(
    figure,
    name="threats",
    caption="Change of accuracy by the paper’s blob under four threats, each against the same attack without a blob; "
    f"lines: 95 % intervals. PGD takes {choices.PGD_STEPS} steps of ε/{choices.PGD_STEPS / choices.PGD_REACH:g} "
    f"from each of {choices.PGD_STARTS} starts; it ran on at most {few.max()} test images a direction.",
    alt="Intervals about 0 for four attackers. Change of accuracy by the blob, in points: "
    + ranges(threats, "change", of=["data set", "direction"], by=["threat"], form="+.1f", scale=100, bound=0),
    data=threats,
    units=units,
)

# %% tags=["remove-input"]
levels = words.attacked_levels(own or others)
figures.show_text(
    "Accuracy with the blob, compared with that without:\n\n"
    + words.tally(roi_roa.rows_of(threats, own or others), "threat")
    + f"\n\nWithout the blob, FGSM leaves {levels['fgsm']} of those images that both attacks were run on classified "
    f"correctly, and PGD {levels['pgd']}, depending on data set and direction."
)

# %% [markdown]
# Do gradients mislead these attacks? If they were masked, a single step would do less than many, a radius at which
# every pixel can be made grey would leave images standing, or gradients would vanish ([Carlini et al.,
# 2019](../book/references.md)).

# %% tags=["hide-input"]
signs = tables.masking(units)
figures.show_table(
    signs,
    name="masking",
    caption=f"Signs of masked gradients, in %: FGSM is called weaker where PGD takes over {100 * tables.WEAKER:g} "
    f"points more; gradients vanish where they are 0 in over {100 * tables.VANISHING:g} % of the entries.",
    units=units,
)

# %% tags=["remove-input"]
figures.show_text(words.left_out(units))

# %% [markdown]
# ## Attackers who adapt, and blobs of other networks
#
# A defence is tested by attackers who know it ([Carlini et al., 2019](../book/references.md)). Here the network is
# *defended*: whatever arrives has its blob overwritten, and the attacker takes gradients through that. APGD ([Croce and
# Hein, 2020](../book/references.md)) finds its step lengths by itself; Square ([Andriushchenko et al.,
# 2020](../book/references.md)) needs no gradient. The blob is made from validation images: by the network itself, by
# another network of the same kind, or from both classes at once, as by a defender who does not know which class an
# image has. AutoAttack has two more parts: APGD on a margin that takes three classes to define, where M has two, and
# FAB, which looks for the nearest adversarial image instead of one within ε.

# %% tags=["hide-input"]
attacked = studies.units("adaptive", profile, seed=seed)
figure, data = adapted.standing(attacked)
figures.show(
    figure,
    name="adaptive",
    sample=f"{data.n.max()} test images a direction at most",
    caption="Images still classified under each attack, without a blob and with three; lines: 95 % Wilson intervals.",
    alt="Marks for each attack and blob. Still classified, in %: "
    + ranges(data, "accuracy", of=["data set", "direction", "blob"], by=["attack"], form=".1f"),
    data=data,
    units=attacked,
)

# %% tags=["hide-input"]
changes = [adapted.changes(part) for part in studies.apart(attacked)]
figures.show_apart(
    changes,
    view=adapted.by_blob,
    name="adaptive-changes",
    caption="What each blob changes, in points: mean over both classes, with its 95 % interval over the same images.",
    units=studies.apart(attacked),
    sample=f"{data.n.max()} test images a direction at most",
)

# %% tags=["remove-input"]
own_changes = next(filter(len, changes))  # the small sets where there is no other
figures.show_text("\n\n".join(filter(None, (adaptive_words.told(own_changes), adaptive_words.missing(data)))))

# %% [markdown]
# ## One setting, or a range?
#
# The tables show one ε and one θ. The curves show all: a real effect should not hang on a single value.

# %% tags=["hide-input"]
figure, data = charts.score_curves(units, "eps")
figures.show(
    figure,
    name="curve-eps",
    sample=f"at most {data.n.max()} test images a direction",
    caption="Accuracy under attack before and after neutralisation as ε grows; bands: 95 % Wilson; dashed: the ε used.",
    alt="Falling and rising curves over ε. Accuracy, in %: "
    + ranges(data, "share", of=["data set", "direction", "at"], by=["score"], form=".1f", scale=100),
    data=data,
    units=units,
)

# %% tags=["hide-input"]
figure, data = charts.score_curves(units, "theta")
figures.show(
    figure,
    name="curve-theta",
    sample=f"at most {data.n.max()} test images a direction",
    caption="Accuracy on neutralised images, clean and attacked, as θ grows and the blob shrinks; dashed: the θ used.",
    alt="Curves over θ. Accuracy, in %: "
    + ranges(data, "share", of=["data set", "direction", "at"], by=["score"], form=".1f", scale=100),
    data=data,
    units=units,
)

# %% [markdown]
# ### Turn ε and read the scores
#
# The four sets of Fig. 5 at every ε that the network was asked at: what the attack leaves, without and with the blob.

# %% tags=["hide-input"]
classes, grid = pictures.classes(pairs), pictures.grid_of(pairs[0], "eps")
widgets.browse(
    lambda name, eps: pictures.attacked_frame(*classes[name], eps),
    [
        widgets.choice("class", classes),
        widgets.slider("ε", grid, start=widgets.nearest(grid, pictures.chosen(pairs[0], 0, "eps"))),
    ],
    beside=[pictures.two_sets(unit, k) for unit, k in classes.values()],
)

# %% [markdown]
# ## Other networks, other training
#
# The paper says that its networks are VGG16, and that they classify cats and dogs at 99 %; M falls short of that. What
# moves its accuracy? One thing after the other is changed: more epochs; VGG16 as it was published, without batch
# normalisation and with hidden layers in its head; what the network learns first, for which CIFAR-10 and Imagenette
# stand in for ImageNet; and another architecture, with ImageNet’s own weights and larger images.

# %% tags=["hide-input"]
variants = studies.units("architectures", profile, seed=seed)
figure, data = networks.accuracy(variants)
figures.show(
    figure,
    name="architectures-accuracy",
    sample="accuracy on all test images",
    caption="Accuracy of each network on test images and on images that it learnt from, with 95 % Wilson intervals; "
    "dashed: the paper’s score_clean, averaged over both directions.",
    alt="A row for each network. Accuracy, in %: "
    + ranges(data, "accuracy", of=["data set", "network"], by=["images"], form=".1f"),
    data=data,
    units=variants,
)

# %% tags=["remove-input"]
figures.show_text(networks_words.moved(data))

# %% [markdown]
# Do the findings hang on the network? The blob is the text’s, U−V+ of validation images; that of the scored images, the
# paper’s way, stands beside it.

# %% tags=["hide-input"]
figure, gains = networks.gain(variants)
figures.show(
    figure,
    name="architectures-gain",
    sample=f"{gains.n.max()} test images at most",
    caption="Change of accuracy by the blob, mean over both classes, by network; lines: 95 % intervals over images.",
    alt="Intervals about 0, a row for each network. Change by the blob, in points: "
    + ranges(gains, "value", of=["data set", "network"], by=["change"], form="+.1f", bound=0),
    data=gains,
    units=variants,
)

# %% tags=["hide-input"]
regions = networks.regions(variants)
figures.show_table(
    regions,
    view=regions.drop(columns=["seed", "variant", "baseline", "papers"]).round(3),
    name="architectures-regions",
    caption="What FGSM leaves and is to leave (%), structural similarity of RoI and RoA, and alignment of the regions "
    "beside that of untrained networks of the same architecture (the largest) and of regions rolled to random places.",
    units=variants,
)

# %% tags=["remove-input"]
figures.show_text(networks_words.held(gains, data, regions))

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
