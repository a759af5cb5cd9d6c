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
# # What do the published pictures show?
#
# Beside their CSV files the authors published a picture for every ordered pair of classes: heat maps, RoAs, their
# representatives, and the blobs. The paper’s text defines these things; the pictures show what was drawn. This page
# reads the pictures cell by cell and asks whether they follow from each other, and how. It finds another procedure than
# the text’s. The book reproduces the text; this page says what the pictures show, and which of the published numbers
# that may explain.
#
# *Read off* is what anyone finds who opens the files: values of cells, and whether one picture follows from another.
# *Inferred* is what explains this best but is not written in any file; it is called so wherever it stands.

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
from roa_helpers.page import answers, figures, open_choices, parameters, ranges
from roa_helpers.records import seeds
from roa_helpers.studies import forensics
from roa_helpers.studies.forensics import charts, choices, claims, pictures, tables, words
from roa_helpers.studies.roi_roa import holding, readings
from roa_helpers.studies.roi_roa import pictures as signed
from roa_helpers.studies.roi_roa import words as roi_words

parameters.check(globals())
units = studies.finished(profile, "forensics", seed=seed)
verdicts = studies.verdicts(units) if units else None
pairs = "all ordered pairs of ten classes; intervals by a bootstrap over unordered pairs"

# %% tags=["remove-input"]
answer = forensics.answers.pictures(units)
answers.show(answer)

# %% tags=["remove-input"]
figures.show_text(words.read(units) if units else words.notice(units))

# %% [markdown]
# ## By hand
#
# What the pictures are taken to show, on handwritten ones: which way the attack moved each channel of each pixel, in
# one image (a picture shows −1 and 0 as black) and in the mean over all; the blob holds the entries whose mean is above
# θ, inside the region of importance or not. Where the mean is black, some images have a 1 all the same. Change `theta`.

# %%
from roa_helpers import attacks, regions

model, images = studies.network("roi_roa", "digits")  # trained, or read from disk
ones = images.test.of_class(1)
x, y = ones.images, ones.labels
eps, theta = 0.063, 0.1
signs = regions.attack_signs(x, attacks.fgsm(model, x, y, eps=eps))
mean = regions.signed_representative(signs)
blob = regions.signed_blob(signs, theta)
figures.show_row({"image": x[0], "its RoA": signs[0], "mean": mean, "blob": blob})
raised = (signs == 1).float().mean(0)[mean <= 0].mean()
print(f"Where the mean is black, {100 * raised:.0f} % of the images have a 1.")

# %% [markdown]
# ## How a picture is read
#
# matplotlib drew the pictures, each an array of 48×48 cells and three channels inside a frame. A sample in the middle
# of every cell gives the array back, in 256 levels; values below 0 are shown as 0. A picture of another size, without
# the frame, or with a cell of two colours is refused. Of Malaria there are screenshots, as the files themselves say in
# their metadata, cropped, of various sizes, with the colour profile of a monitor. They cannot be read this way and are
# left out.
#
# The plates show two pairs of each data set: that whose blob is rebuilt best from the representative RoA, and that
# whose is rebuilt worst; of several that are equal, those whose blob touches most and fewest pixels.

# %% tags=["hide-input"]
if units:
    figures.show(
        pictures.plates(units),
        name="pictures-plates",
        caption="As read from the pictures: the RoA of one image, the representative RoA, the published blob; then the "
        "blob rebuilt from the representative RoA by one threshold, and the entries on which the two blobs differ.",
        alt="For two pairs of classes of each data set: coloured RoA of one image, representative RoA, published blob, "
        "rebuilt blob, and their difference, which is black or nearly so.",
        data=pictures.data(units),
        units=units,
        sample="two ordered pairs a data set",
    )

# %% [markdown]
# ## What is an RoA?
#
# In the paper’s text a pixel belongs to the RoA where the attack moved it by more than a threshold. The published
# RoA of one image is coloured: each of its three channels is 0 or 1 by itself. (That the ones are where the attack
# *raised* a channel is inferred.)

# %% tags=["remove-input"]
if units:
    figures.show_text(words.on_signs(units))

# %% [markdown]
# The representative RoA of a pair is graded, and many of its entries are black. If it were the mean of RoAs of 0 and 1,
# a share v of the images would have a 1 where it shows v, and none, or nearly none, where it is black. If it is
# the mean of signs −1 and +1, of which a picture shows what is negative as black, that share is (1 + v) / 2. The one
# image whose RoA is published tells them apart.

# %% tags=["hide-input"]
if units:
    figure, data = charts.calibration(units)
    figures.show(
        figure,
        name="pictures-calibration",
        caption="Of the entries that a representative RoA shows at v, the share that is 1 in the RoA of one image; all "
        "pairs whose RoA of one image is not black. Lines: what the two ways of taking a mean predict. Leftmost: "
        "entries shown as black, most of them below 0.",
        alt="Marks along a line. Share of ones, where the representative shows the least and the most: "
        + ranges(data, "share", of=["shown"], by=["unit"]),
        data=data,
        units=units,
        sample="all entries of these pairs",
    )

# %% tags=["remove-input"]
if units:
    figures.show_text(words.on_means(units))

# %% [markdown]
# ## What is a blob?
#
# In the text a blob is where many images agree on U−V+, a set of pixels. The published blob is coloured too. It is
# rebuilt here as [representative RoA > t], channel by channel, with the t among 0, 1/255, … 254/255 that agrees best
# for each pair, the lowest of several; its agreement is the share of the 48×48×3 entries that are the same. Three
# readings that should fail get the same freedom, each its own best t: the representative RoA of another pair, the best
# of all; that of the reversed pair, which shares the network; and the pair’s own without colours, where a pixel counts
# if any channel does.

# %% tags=["hide-input"]
if units:
    figure, data = charts.agreement(units)
    figures.show(
        figure,
        name="pictures-agreement",
        caption="How well the published blobs are rebuilt, over all ordered pairs with a blob, beside the controls.",
        alt="Histograms of shares of entries that agree: "
        + ranges(
            data.melt(["unit", "source", "target"], list(charts.READINGS), value_name="agrees"),
            "agrees",
            of=["unit", "source", "target"],
            by=["variable"],
            names={column: told for column, (told, *_) in charts.READINGS.items()},
            form=".3f",
        ),
        data=data,
        units=units,
        sample="all ordered pairs with a blob",
    )

# %% tags=["remove-input"]
if units:
    figures.show_text(words.on_blobs(units))

# %% [markdown]
# Which θ it was is inferred, since no file tells; and eight bits leave it a range.
#
# ### Does it leave out the RoI?
#
# A blob of U−V+ must avoid the RoI. Where the RoI was is not published as a set; its core is taken here to be the cells
# of a heat map that are bluer than red, the upper half of its scale, once in the heat map of the representative RoI and
# once in that of one image. Heat maps of representatives that are white throughout have no core.

# %% tags=["remove-input"]
if units:
    figures.show_text(words.on_cores(units))

# %% tags=["hide-input"]
if units:
    figures.show_table(
        tables.readings(units),
        view=tables.readings_view(units),
        name="pictures-readings",
        caption="What the blob is rebuilt from, each with its own best threshold: median agreement over ordered pairs "
        "with its 95 % interval. U−V+: nothing inside the RoI’s core; pairs with entries above the threshold inside it "
        "and outside.",
        units=units,
        sample=pairs,
    )

# %% [markdown]
# Where a blob takes what lies inside the core as it takes what lies outside, it is V+, not U−V+. That is inferred: an
# RoI so small that it missed the core, or the blob, would leave no trace.
#
# ## What is the individual SSIM?
#
# In jet as OpenCV makes it low values are blue. The published heat maps are in its colours with red and blue exchanged,
# as they look where OpenCV’s order of channels is taken for another’s: blue is high.

# %% tags=["remove-input"]
if units:
    figures.show_text(words.on_colours(units))

# %% [markdown]
# Heat maps of representatives look cut off at 0 and at 1, so their values cannot be read off; those of one image can.
#
# The authors’ individual SSIM of RoI and RoA, in Table I and in their CSV files, is far above 0. The pictures come near
# it if the heat map enters in colour from 0 to 255, the RoA from 0 to 1, and SSIM assumes a range of 255: on *two
# scales*. (That this is how the numbers came about, and that the program took the range from the type of the first
# array, as older versions of scikit-image did, is inferred.) The RoA is then 255 times fainter than the heat map, and
# an RoA without any entry has nearly the same SSIM. There is one heat map a class, so this cannot tell which images
# were used, nor reproduce single numbers.

# %% tags=["hide-input"]
if units:
    figure, data = charts.similarity(units)
    figures.show(
        figure,
        name="pictures-similarity",
        caption="SSIM of heat map and RoA of one image on two scales, a dot an ordered pair. Left: beside the same "
        "with an RoA without any entry. Right: beside the authors’ mean over images; grey, from their smallest to "
        "their largest. On the line both are equal.",
        alt="Scatter plots about the line of equality. SSIM of the pictures − that of an empty RoA: "
        + ranges(
            data.assign(less=data.two_scales - data.zero),
            "less",
            of=["source", "target"],
            by=["unit"],
            form="+.4f",
            bound=0,
        ),
        data=data,
        units=units,
        sample=pairs,
    )

# %% tags=["remove-input"]
if units:
    figures.show_text(words.on_similarity(units))

# %% tags=["hide-input"]
if units:
    figures.show_table(
        tables.directions(units),
        view=tables.directions(units).round(4),
        name="pictures-table-1",
        caption="<b>Individual SSIM of Table I</b> beside the CSV files and the pictures, for the presented directions "
        "(of CIFAR-10 the paper prints none).",
        units=units,
        sample="one image a class",
    )

# %% [markdown]
# ## Verdicts
#
# *Reproduced* means that the pictures bear out a statement of this page. The statements come from a first look at the
# same pictures, and the bounds were set after it (2026-11-25; [Rules, and when they were set](../book/rules.md)): the
# table says how firmly they stand, not that they were foretold. Networks are the authors’, one for each unordered pair
# of classes; p-values are adjusted for all statements of this page.

# %% tags=["hide-input"]
if units:
    figures.show_table(
        verdicts,
        name="pictures-verdicts",
        caption="The statements of this page; values are shares, medians or differences as their rules say, below.",
        units=units,
        sample=pairs,
    )

# %% tags=["remove-input"]
if units:
    for kind in (claims.READ, claims.INFERRED):
        figures.show_text(words.findings(kind, verdicts))

# %% tags=["hide-input"]
if units:
    figures.show_table(
        tables.counts(units),
        view=tables.counts_view(units),
        name="pictures-counts",
        caption="The counts behind it, with 95 % intervals (Wilson; entries of one picture are not independent).",
        units=units,
        sample="pictures, pairs, entries or classes, as the row says",
    )

# %% [markdown]
# ## What does this procedure give on our networks?
#
# The procedure of the pictures can be run: the sign of FGSM’s step in each channel is the RoA, its mean over a class
# the representative, and every entry above θ is set to 0 or 1. θ and the value are chosen on validation images, as for
# the text’s procedure.

# %% tags=["hide-input"]
networks = studies.units("roi_roa", profile, seed=seed)
shown = holding(seeds.one_of_each(networks), "nulls")  # older results lack this procedure
figures.show(
    signed.signed_procedure(shown),
    name="pictures-procedure",
    caption="Figs 7, 9 and 10 of the paper by the procedure of its pictures, on our networks: one image, the ones of "
    "its RoA, the representative RoA (what is negative is black), the blob, and the image with the blob’s entries set.",
    alt="For each data set and class: an image, a coloured noise of ones, its mean over the class, the coloured blob, "
    "and the neutralised image.",
    data=signed.map_data(shown, "roa", definition="published"),
    units=shown,
    sample="examples stored with the results",
)

# %% [markdown]
# Every number of Tables I to III stands beside what each reading of the procedure gives on the same networks: the
# text’s RoA, the RoA by gradient, and the pictures’. For the individual SSIM there is a fourth column, of an RoA that
# has no entry.

# %% tags=["hide-input"]
rows = readings.table(networks)
if len(rows):
    figure, data = readings.chart(rows)
    figures.show(
        figure,
        name="readings",
        caption="The paper’s numbers (bars) and what each reading gives. Scores before neutralisation are left out: no "
        "reading changes them.",
        alt="Bars of the paper and marks of each reading. Ours less the paper’s, first reading: "
        + ranges(
            data.assign(less=data[list(readings.COLUMNS)[0]] - data.paper),
            "less",
            of=["data set", "direction"],
            by=["quantity"],
            bound=0,
        ),
        data=data,
        units=networks,
    )

# %% tags=["hide-input"]
if len(rows):
    figures.show_table(
        rows,
        view=rows.round(4),
        name="readings-numbers",
        caption="Tables I, II and III of the paper beside every reading, mean over networks. Nearest: the reading that "
        "comes nearest to the printed number.",
        units=networks,
    )

# %% tags=["hide-input"]
if len(rows):
    figures.show_table(
        readings.distances(rows),
        name="readings-distances",
        caption="Mean distance of each reading from the paper’s numbers, and how often each comes nearest.",
        units=networks,
    )

# %% tags=["remove-input"]
figures.show_text("\n\n".join(filter(None, (roi_words.nearest(rows), roi_words.left_out(networks)))))

# %% [markdown]
# ## What follows
#
# The text and the pictures are two procedures that share their names. The text’s RoA is a set of pixels, and its blob
# U−V+; the pictures’ RoA is a map of signs in each channel, and their blob V+ in each channel. The other pages of this
# book follow the text. Where a published number belongs to the pictures’ procedure, a difference from ours is no error
# on either side.
#
# ## Choices

# %% tags=["hide-input"]
if units:
    figures.show_table(
        open_choices(units, choices.REASONS, labels=words.LABELS),
        name="pictures-choices",
        caption="What is tried, and why.",
        units=units,
        sample="choices",
    )

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
