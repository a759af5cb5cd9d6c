"""What the page on one's own photos shows of this study: the figures of the book, from these units. Needs no torch."""

from ...page import Section, figures, ranges, tables
from . import STUDY, charts, choices, words
from .tables import attempts, mean_ranks, questions

EXAMPLES = "all successful attacks in a region; intervals by a bootstrap over photos"


def _attacked(units):
    figures.show_text(words.network(units))
    figures.show_table(
        attempts(units),
        name="own-localized-attempts",
        caption="Attacks tried and how they ended; the share that succeeded with its 95 % interval (Wilson).",
        units=units,
        sample="all regions of all photos",
    )


def _process(units):
    sheet, data = charts.process(units)
    figures.show(
        sheet,
        name="own-localized-process",
        caption="In a region of a photo pixels are changed until the network sees the target; nothing outside moves. "
        "<i>Figures 1 and 2 of the paper.</i>",
        alt="For each of a few photos: the photo, the attacked region outlined, the attacked photo, the difference.",
        data=data,
        units=units,
        sample="stored examples",
    )


def _explained(units):
    sheet, data = charts.partial_explanations(units)
    figures.show(
        sheet,
        name="own-localized-partial",
        caption="The attacked region and, in white, as many pixels as each explainer holds most relevant for the "
        "target: a good explanation covers the region. The last two average a gradient over LIME’s superpixels. "
        "<i>Figure 3 of the paper.</i>",
        alt="For each of a few photos: the attacked region and the pixels that five explainers hold most relevant.",
        data=data,
        units=units,
        sample="stored examples",
    )


def _scored(units):
    figure, data = charts.curves(units)
    figures.show(
        figure,
        name="own-localized-curves",
        caption="How far explanation and region overlap: median, and quartiles (shaded), over all examples. The dashed "
        "line is what an explanation of that size could reach at best.",
        alt="Curves over the number of superpixels, their medians: "
        + ranges(data, "q50", of=["unit", "n"], by=["metric", "explainer"]),
        data=data,
        units=units,
        sample=EXAMPLES,
    )
    figure, data = charts.ranks(units, "all")
    figures.show(
        figure,
        name="own-localized-ranks",
        caption="Mean rank among all explainers by Jaccard, 1 the best, with its 95 % interval; dotted: no better than "
        "the others. Hollow: averaged over superpixels.",
        alt="Mean ranks with intervals: " + ranges(data, "rank", of=["unit"], by=["explainer"], form=".1f"),
        data=data,
        units=units,
        sample=EXAMPLES,
    )
    ranks = mean_ranks(units)
    figures.show_table(
        ranks,
        view=tables.present(ranks).drop(columns=["paper", "verdict"]),
        name="own-localized-rank-table",
        caption="Mean rank of the paper’s three explainers over all explanations, with its 95 % interval.",
        units=units,
        sample=EXAMPLES,
    )


def _answered(units):
    figures.show_text(
        "R1: an explainer finds the attacked region better than chance. R2: guided backpropagation and LIME rank "
        "better than saliency. Table 1: LIME ranks better than guided backpropagation."
    )
    figures.show_text(words.answer(units, STUDY.verdicts(units, of_paper=lambda unit: False)))
    figures.show_text(words.answer_superpixels(units, questions(units)))
    figures.show_text(
        "All photos are attacked on one network, and another may rank explainers otherwise: *reproduced* and "
        "*contradicted* need three, so this says where the interval over photos points."
    )


def _choices(units):
    reasons = {name: why for name, why in choices.REASONS.items() if name != "dataset"}
    figures.show_table(
        tables.open_choices(units, reasons),
        name="own-localized-choices",
        caption="What the paper leaves open: what was used here, and why.",
        units=units,
        sample="choices",
    )


SECTIONS = (
    Section("What was attacked", _attacked),
    Section("From a photo to an adversarial example", _process),
    Section("What the explainers say", _explained),
    Section("Who finds the attack?", _scored),
    Section("In words", _answered),
    Section("Choices", _choices),
)
