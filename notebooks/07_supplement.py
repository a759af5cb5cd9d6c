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
# # Are the presented pairs typical?
#
# The paper shows two classes of each data set, chosen at random. Its supplement goes through all 90 ordered pairs of
# MNIST, Fashion-MNIST and CIFAR-10: how similar RoI and RoA are, and how probable the model finds the true class before
# and after neutralisation, for ten thresholds θ, without and with the attack. This page sets our numbers beside the
# authors' files.

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
from roa_helpers.data import title_of
from roa_helpers.page import answers, figures, parameters, ranges, tables, widgets
from roa_helpers.studies import roi_roa, supplement
from roa_helpers.studies.supplement import agreement, choices, matrices, presented, reference, spread, words

parameters.check(globals())
units = studies.units("supplement", profile, seed=seed)
ours = matrices.collected(units)
authors = reference.load()
theirs = (authors.similarity, authors.scores) if authors else (None, None)
datasets = matrices.datasets(ours[0])

# %% tags=["remove-input"]
answer = supplement.answers.pairs(studies.apart(units)[0], authors)
answers.show(answer)

# %% [markdown]
# ## By hand
#
# One pair as the supplement measures it, handwritten zeros and ones: the mean probability that M gives to “1” for
# neutralised images of ones, over the threshold θ, before and after the attack. The larger θ, the smaller the blob.

# %%
from roa_helpers import attacks, explain, models, regions

model, images = studies.network("roi_roa", "digits")  # trained, or read from disk
ones = images.test.of_class(1)
x, y = ones.images, ones.labels
eps, delta1, delta2, value = 0.063, 0.3, 0.9, 0.0
roi = regions.region_of_importance(explain.grad_cam(model, x, y), delta1)
roa = regions.region_of_attack(x, attacks.fgsm(model, x, y, eps=eps), delta2)
not_u_v = regions.isolate(roi, roa).not_u_v
for theta in (0.1, 0.14, 0.19, 0.5, 1.0):
    blob = regions.blob(not_u_v, theta)
    x_mod = regions.neutralise(x, blob, value)
    x_mod_adv = attacks.fgsm(model, x_mod, y, eps=eps)
    logits = (models.predict(model, one) for one in (x_mod, x_mod_adv))
    p, p_adv = (one.softmax(1)[:, 1].mean() for one in logits)
    size = int(blob.sum())
    print(f"θ = {theta:<4} blob {size:>3} px, P {p:.2f}, attacked {p_adv:.2f}")

# %% [markdown]
# ## All pairs

# %% tags=["remove-input"]
figures.show_text(words.sample(units))
if authors is None:
    figures.show_text(words.notice())

# %% [markdown]
# In every matrix below a row is the source class and a column the target class, both numbered from 0 in the order of
# the data set's labels. Pairs that were not run, or that the files do not list, are white.
#
# ## Do RoI and RoA overlap?

# %% tags=["hide-input"]
sheet, data = matrices.similarity_sheet(ours[0], theirs[0], "mean")
figures.show(
    sheet,
    name="pairs-ssim-individual",
    caption="SSIM of RoI and RoA, mean over the images of the source class. White: no number.",
    alt="For each data set our mean SSIM as a matrix, source class by target class, and the authors’ where it is "
    "known.",
    data=data,
    units=units,
)

# %% tags=["hide-input"]
sheet, data = matrices.similarity_sheet(ours[0], theirs[0], "representative")
figures.show(
    sheet,
    name="pairs-ssim-representative",
    caption="SSIM of the representatives of RoI and RoA. White: no number.",
    alt="For each data set our SSIM of representatives as a matrix, source class by target class, and the authors’ "
    "where it is known.",
    data=data,
    units=units,
)

# %% [markdown]
# ## What does neutralisation cost?
#
# The class probability is the softmax probability of the true class, averaged over the images of the source class. For
# each pair the matrices show it at the θ, of those in the authors’ files, that keeps most of it. Neutralised pixels are
# set to 0 or to 1; the files do not say to which.

# %% tags=["hide-input"]
sheet, data = matrices.probability_sheet(ours[1], theirs[1], "clean")
figures.show(
    sheet,
    name="pairs-probability",
    caption="Class probability on clean images before neutralisation, and after it at the best θ. White: no number.",
    alt="For each data set matrices of the class probability before and after neutralisation, ours and the authors’ "
    "where they are known.",
    data=data,
    units=units,
)

# %% [markdown]
# ## What does it gain under attack?

# %% tags=["hide-input"]
sheet, data = matrices.probability_sheet(ours[1], theirs[1], "attacked")
figures.show(
    sheet,
    name="pairs-probability-attacked",
    caption="Class probability under FGSM before neutralisation, and after it at the best θ. The authors’ files list "
    "few pairs. White: no number.",
    alt="For each data set matrices of the class probability under attack, before and after neutralisation.",
    data=data,
    units=units,
)

# %% tags=["remove-input"]
figures.show_text("\n\n".join(words.answer(ours[1], dataset) for dataset in datasets))

# %% [markdown]
# ### Choose θ yourself

# %% tags=["hide-input"]
thetas = list(choices.Supplement.theta)
widgets.browse(
    [matrices.theta_frames(ours[1], theirs[1], dataset, thetas) for dataset in datasets],
    [widgets.choice("data set", [title_of(d) for d in datasets]), widgets.slider("θ", thetas)],
    legend=matrices.LEGEND,
)

# %% [markdown]
# ## Does the pair decide, or the training?
#
# The files have one number for each direction of a pair, of one network as it seems. Another training of ours, of the
# same training images with other initial weights and in another order, has another ε and other numbers, of other test
# images. Were the pair to decide them, dots would lie on the line below, far apart along it; where the training
# decides, they form no line. Then two studies need not agree on which pairs are high, however alike they are in method;
# they differ in their training images, too, so by more than is seen here. The share of the variance that lies between
# directions, the intraclass correlation ([Shrout and Fleiss, 1979](../book/references.md)), says how far that goes: 1
# where the direction decides alone, 0 where the training does. More than half of it lies between directions, or between
# trainings, where its interval lies above, or below, one half; a few pairs can hardly show either.

# %% tags=["hide-input"]
if repeated := spread.repeated(units):
    figure, data = spread.plot(spread.by_network(repeated))
    figures.show(
        figure,
        name="pairs-networks",
        caption="One network’s number over the mean of the other networks of its direction, a dot a network and "
        "direction; after neutralisation the mean over θ. Only pairs that several networks were trained for, drawn by "
        "a fixed seed.",
        alt="Scatter plots about the line of equality. How far one network is from the mean of the others: "
        + ranges(
            data.assign(dataset=data.dataset.map(title_of), far=(data.number - data.others).abs()),
            "far",
            of=["dataset", "source", "target"],
            by=["quantity"],
        ),
        data=data,
        units=repeated,
    )
    shares = spread.shares(data)
    figures.show_table(
        shares.round(3),
        name="pairs-variance",
        caption="Standard deviations of the directions’ own numbers and of the trainings of one direction; the share "
        "of the variance that lies between directions, with its 95 % interval (the two directions of a pair share "
        "their networks and count as one; estimates below 0 are shown as 0); and Spearman’s ρ of one training with "
        f"another over directions, where there are {agreement.LEAST}.",
        units=repeated,
    )
    figures.show_text(words.repeated(shares))
else:
    figures.show_text("Every pair has one network among these results: nothing can be said of another training.")

# %% [markdown]
# ## Beside the authors’ files
#
# As far as the pair decides, pairs that are high in one study should be high in the other. The files alone tell where
# the presented pairs stand among all: pairs are ranked by the share of its class probability that a pair keeps at its
# best θ.

# %% tags=["hide-input"]
pairs = agreement.matched(ours, theirs, signed=matrices.signed(units)) if authors else None
correlations = agreement.correlations(pairs) if authors else ()
if len(correlations):
    figure, data = agreement.plot(pairs)
    figures.show(
        figure,
        name="pairs-agreement",
        caption="Our number against the authors’, a dot an ordered pair; after neutralisation the mean over θ, with "
        "the blob of the text and with that of the pictures. On the line both are equal.",
        alt="Scatter plots about the line of equality. Ours − the authors’: "
        + ranges(
            pairs.assign(less=pairs.ours - pairs.theirs),
            "less",
            of=["dataset", "source", "target"],
            by=["quantity"],
            form="+.2f",
            bound=0,
        ),
        data=data,
        units=units,
    )
    figures.show_table(
        correlations.round(3),
        name="pairs-rank-correlation",
        caption="Means of both, and Spearman’s ρ over n ordered pairs with its 95 % bootstrap interval over unordered "
        f"pairs, which share a network. Where both have fewer than {agreement.LEAST} pairs there is no row. Over all "
        "data sets together a correlation also tells data sets apart.",
        units=units,
    )
elif authors:
    figures.show_text("Too few of the pairs that were run are in the authors’ files to compare the two.")
else:
    figures.show_text("This needs the authors’ files: see above.")

# %% tags=["remove-input"]
if len(correlations):
    figures.show_text(f"{words.difference(pairs)}\n\n{words.related(correlations)}")

# %% tags=["hide-input"]
if authors:
    figure, data = matrices.kept_plot(authors.scores)
    figures.show(
        figure,
        name="pairs-kept",
        caption="<b>From the authors’ files</b>: class probability after neutralisation as a share of that before, at "
        "the θ that keeps most; a dot an ordered pair. Diamonds: the pairs that the paper presents; of CIFAR-10 the "
        "pair whose pictures stand beside the files. Dashed: "
        f"{100 * presented.MOST:.0f} %.",
        alt="Dots in falling order. Share of class probability kept: "
        + ranges(data, "kept", of=["source", "target"], by=["dataset"]),
        data=data,
    )
    figures.show_table(
        presented.table_two(authors.scores),
        name="pairs-table-2",
        caption="<b>Table II beside the authors’ files</b>, for the presented pairs: the printed accuracy after "
        "neutralisation; the mean class probability before and after it; the largest class probability of any image "
        "after it, at any θ; and the largest accuracy that these two numbers allow (an image with a class probability "
        "below ½ is misclassified; of the others there are at most twice the mean).",
    )

# %% tags=["remove-input"]
if authors:
    figures.show_text("\n\n".join(words.findings(authors)))

# %% [markdown]
# ## Choices

# %% tags=["hide-input"]
figures.show_table(
    tables.open_choices(units, choices.REASONS, labels=roi_roa.LABELS),
    name="pairs-choices",
    caption="What the supplement leaves open, what is used here, and why.",
    units=units,
)

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
