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
# # What holds of the paper’s findings?
#
# The paper closes with key findings: segregation is possible, regions of a class lie over each other where images are
# free of translational variance, an image splits into four regions, and neutralising U−V+ keeps accuracy and weakens
# the attack. Here they become claims, each with a rule that stands beside it.
#
# The unit of evidence is a trained network. A claim is *reproduced* or *contradicted* on a data set by at least three
# of them, with an interval over networks and images and a p-value that is adjusted for all claims of this page;
# otherwise it is *undecided*. With fewer the verdict is *one network* or *two networks*, and the table says no more
# than where the interval over images points. A claim is *not testable* where nothing could speak against it: no attack
# to weaken, another attack than the paper’s, no null that the rule must not pass, a network that does not classify.
# [Rules, and when they were set](../book/rules.md) says how intervals are made, and when rules were set and changed.

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
from roa_helpers.page import answers, claims, figures, parameters, ranges, seeds_note
from roa_helpers.studies import roi_roa
from roa_helpers.studies.roi_roa import CLAIMS, EXCESS, by_definition, charts, where, words

parameters.check(globals())
units = studies.units("roi_roa", profile, seed=seed)
own, others = studies.apart(units)  # the paper's data sets, and those that only show that the code runs
everything = studies.verdicts(units)
both, verdicts = claims.apart(everything), claims.counted(everything)

# %% tags=["remove-input"]
answer = roi_roa.answers.findings(own)
answers.show(answer)

# %% [markdown]
# ## By hand
#
# The rule of “neutralisation weakens the attack” on three made-up networks, each asked about the same 200 attacked
# images before and after neutralisation. Of each: the change of its accuracy and the interval over images; then of all:
# the interval over networks and images, and the p-value against no change. Change a number, or leave a network out:
# where networks differ, more images make the interval no narrower than their difference.

# %%
import numpy as np

from roa_helpers import evidence, metrics

n, withstood_before, withstood_after = 200, (60, 64, 58), (92, 101, 80)
gains, spreads = [], []
for before, after in zip(withstood_before, withstood_after, strict=True):
    first, then = np.arange(n) < before, np.arange(n) < after  # none is lost
    gains.append((after - before) / n)
    spreads.append(metrics.paired_difference(first, then))
    low, high = spreads[-1]
    print(f"one network: {gains[-1]:+.3f}, from {low:+.3f} to {high:+.3f}")
mean, (low, high) = evidence.over_networks(gains, spreads)
p = evidence.p_value(gains, spreads, 0.0)
print(f"all: {mean:+.3f}, from {low:+.3f} to {high:+.3f}, p = {p:.3f}")

# %% [markdown]
# ## At a glance

# %% tags=["hide-input"]
figures.show_apart(
    both,
    view=lambda table: claims.grid(claims.judged(table)),
    name="verdict-grid",
    caption=f"Verdicts: {claims.legend(*both)}.",
    units=(own, others),
)

# %% [markdown]
# ## The rules, and what they say

# %% tags=["remove-input"]
figures.show_text(words.rules())
for claim in CLAIMS:
    figures.show_text(words.findings(claim, verdicts))

# %% [markdown]
# ## The intervals behind the verdicts

# %% tags=["hide-input"]
figure, data = charts.verdict_plot(verdicts)
figures.show(
    figure,
    name="verdict-intervals",
    caption="The quantity that each claim is judged by, its interval, and the bound (black line). Right of the line: "
    "toward reproduced. Claims without a number here are not testable." + seeds_note(verdicts),
    alt="Intervals against the bound of each rule: "
    + ranges(data, "ours", of=["where", "case"], by=["claim"], form=".3f"),
    data=data,
    units=own or others,
)

# %% [markdown]
# ## Do representatives need registered images?
#
# The paper notes that “the co-location of regions at the representative level holds good only for samples which are
# free of translational variance”. Digits, clothes, single cells and aligned faces are; pets, vehicles and arbitrary
# crops are not. Alignment, the share of the regions’ variance that survives superposition, should then be larger for
# the first kind. These data sets differ in much else; the verdict rests on the same digits moved by more and more
# ([Do the images of a class share their regions?](03_representatives.ipynb)).

# %% tags=["hide-input"]
figure, kinds = charts.registration_plot(units)
figures.show(
    figure,
    name="registration",
    caption="Alignment of the regions of each class beyond the strongest null, or, where none is recorded, beyond "
    "that of the same regions rolled to random places, which smooth maps pass whatever the network; line: mean over "
    "the data sets of a kind. Own images are left out: of them it is not known.",
    alt="Marks about 0, a mark a class. Alignment beyond its null: "
    + ranges(
        kinds,
        "excess",
        of=["data set", "direction"],
        by=["region", "registered"],
        names={True: "registered", False: "not registered", "roi": "RoI", "roa": "RoA"},
        bound=0,
    ),
    data=kinds,
    units=units,
)

# %% tags=["remove-input"]
loose = kinds[~kinds.registered][["data set", "direction"]].apply(tuple, axis=1)
shared = verdicts[verdicts.id.isin(["roi-aligned", "roa-aligned"])]
shared = shared[shared[["where", "case"]].apply(tuple, axis=1).isin(loose)]
testable = shared[shared.why == ""]
if len(testable):
    above = (testable.toward == claims.REPRODUCED).groupby(testable.id).sum().to_dict()
    figures.show_text(
        f"“Only” is a strong word: of the {len(testable) // 2} classes whose images are not registered and whose nulls "
        f"are recorded, the RoIs of {above.get('roi-aligned', 0)} and the RoAs of {above.get('roa-aligned', 0)} exceed "
        f"the strongest null by more than {EXCESS}."
    )
elif len(shared):
    figures.show_text(
        f"Whether the regions of the {len(shared) // 2} classes shown whose images are not registered share a place "
        f"cannot be told here: {', '.join(shared.why.unique())}."
    )
else:
    figures.show_text("All classes shown have registered images, so there is nothing to compare them with here.")

# %% [markdown]
# ## What is not judged
#
# The paper also says that shapes and sizes of the four regions vary and depend on how RoI and RoA overlap, and that
# neutralisation is more effective on some data sets than on others. Both follow for nearly any maps and any defence:
# no outcome would contradict them, so they have no rule. The shares of the four regions ([Where is the
# vulnerable, useless region?](05_isolation_and_blobs.ipynb)) and the gains of each data set
# ([Does neutralising U−V+ defend?](06_neutralisation.ipynb)) show how much they vary.
#
# ## Every data set and direction
#
# A data set has one verdict; its directions, and the paper’s own way to score the defence, stand beside it without one.
# Where the paper prints both scores and its sample size is known, the table says what its own numbers point to
# (difference of two proportions, Newcombe’s interval). They rest on one network.

# %% tags=["hide-input"]
figures.show_apart(
    both,
    name="verdicts",
    caption="All claims, by the paper’s definition of the RoA. Next network: where the number of one more trained "
    "network is expected.",
    units=(own, others),
)

# %% tags=["remove-input"]
if told := words.on_paper(verdicts):
    figures.show_text(told)

# %% [markdown]
# ## With the RoA by gradient
#
# The paper’s RoA is where FGSM moves a pixel, and FGSM moves almost all. The RoA by gradient magnitude, which the paper
# does not use, is judged by the same rules.

# %% tags=["hide-input"]
by_gradient = claims.apart(claims.verdicts(by_definition("gradient"), units, where=where, of_paper=studies.of_paper))
figures.show_apart(
    by_gradient,
    view=lambda table: claims.grid(claims.judged(table)),
    name="verdict-grid-gradient",
    caption=f"The same with the RoA by gradient magnitude: {claims.legend(*by_gradient)}.",
    units=(own, others),
)

# %% tags=["hide-input"]
figures.show_apart(
    by_gradient,
    name="verdicts-gradient",
    caption="All claims with the RoA by gradient magnitude.",
    units=(own, others),
)

# %% [markdown]
# ## What remains open

# %% tags=["remove-input"]
answers.show_open(answer)
