"""What the page on one's own pictures shows of this study: the figures of the book, of these units. Needs no torch."""

import pandas as pd

from ...page import Section, claims, figures, open_choices
from ...page import tables as page_tables
from ...page import words as spoken
from . import STUDY, charts, choices, comparison, pictures, tables, words
from .claims import CLAIMS

STORED = "examples stored with the results"


def _network(units):
    networks = "A network M" if len(units) == 1 else f"{len(units)} networks M"
    figures.show_text(
        f"{networks} learnt to tell the two classes apart from a part of the pictures. What follows is about pictures "
        "that M had not seen. Another start of the training gives another network: `--seed 1` shows how far that moves "
        "the numbers."
    )
    accuracy = comparison.accuracy(units)
    figures.show_table(
        accuracy,
        view=page_tables.present(accuracy).drop(columns="verdict"),
        name="own-accuracy",
        caption="Accuracy (%) of M on test images of both classes, with its 95 % interval. Where it is low, the rest "
        "of this page says little.",
        units=units,
        sample="accuracy on all test images",
    )
    whys = [claims.untrained(unit.result["model"]["test"], len(unit.result["classes"])) for unit in units]
    for why in dict.fromkeys(filter(None, whys)):
        figures.show_text(
            f"**Nothing shows that M tells these classes apart**: {why}. What follows shows what the methods do, and "
            "says nothing of these pictures. More pictures of each class may help."
        )


def _attack(units):
    sheet, data = pictures.adversarial(units)
    figures.show(
        sheet,
        name="own-attack",
        caption="Of each class, among the stored examples that FGSM turns, the one that M was surest of, at the "
        "smallest ε of the grid that turns it (if none is turned, the largest ε). P is M’s probability of the true "
        "class. Middle: grey channels stay, bright ones rise, dark ones fall. <i>Fig. 1 of the paper.</i>",
        alt="For each class: an image, the direction in which each of its channels is moved, and the attacked image, "
        "with what the network says.",
        data=data,
        units=units,
        sample=STORED,
    )


def _plate(units):
    for unit in units:
        figures.show(
            pictures.plate(unit),
            name=f"own-plate-{unit.result['seed']}",
            caption="One image of each class through the pipeline. Vulnerability is the size of the attack’s step, "
            "importance is Grad-CAM; two thresholds make the four regions of them. The blob belongs to the class. "
            "<i>Fig. 3 of the paper.</i>",
            alt="Two rows of eight pictures: image, attacked image, perturbation, vulnerability, Grad-CAM, the four "
            "regions in colour, the blob of the class, and the neutralised image.",
            data=pictures.example_data([unit], "image", "perturbation", "importance", "vulnerability_perturbation"),
            units=[unit],
            sample=STORED,
        )


def _regions(units):
    kinds = {
        "importance": ("Where M looks: Grad-CAM, and the region of importance (RoI) above its threshold", "Fig. 6"),
        "vulnerability": ("Where FGSM moves pixels most, and the region of attack (RoA)", "Fig. 7"),
    }
    for kind, (caption, number) in kinds.items():
        figures.show(
            pictures.individual_regions(units, kind),
            name=f"own-{kind}",
            caption=f"{caption}, on one image of each class. <i>{number} of the paper.</i>",
            alt=f"For each class: an image, its map of {kind}, and the border of the region on the image.",
            data=pictures.example_data(units, "image", "importance", "vulnerability_perturbation"),
            units=units,
            sample=STORED,
        )


def _blobs(units):
    maps = {
        "roi": ("The RoIs of a class laid over each other", "Fig. 8"),
        "roa": ("The RoAs of a class laid over each other", "Fig. 9"),
        "blob": ("The blob of each class (black): pixels that only the attacker uses in many of its images", "Fig. 10"),
    }
    for name, (caption, number) in maps.items():
        figures.show(
            pictures.representatives(units, name),
            name=f"own-class-{name}",
            caption=f"{caption}. <i>{number} of the paper.</i>",
            alt=f"One map for each class: {caption}.",
            data=pictures.map_data(units, name),
            units=units,
        )


def _scores(units):
    sheet, data = pictures.neutralisation_flow(units)
    figures.show(
        sheet,
        name="own-flow",
        caption="One test image of each class clean, attacked, neutralised, and neutralised and attacked, with the "
        "accuracy of M on all of that kind. <i>Fig. 5 of the paper.</i>",
        alt="For each direction four pictures: clean image, attacked image, neutralised image, neutralised image "
        "attacked again, each with the accuracy of the network.",
        data=data,
        units=units,
    )
    scores = pd.concat([comparison.compare(row, units) for row in ("A10", "A11")], ignore_index=True)
    figures.show_table(
        scores,
        view=page_tables.present(scores).drop(columns="verdict"),
        name="own-scores",
        caption="Accuracy (%) on images of the source class with 95 % intervals: clean, neutralised, attacked, "
        "neutralised and attacked.",
        units=units,
    )


def _defence(units):
    cost, gain = (charts.change_plot(units, *scores)[1] for scores in (("clean", "mod"), ("adv", "mod_adv")))
    both = {"clean images": charts.tilts(cost), "under attack": charts.tilts(gain)}
    data = pd.concat([table.assign(images=images) for images, table in both.items()])
    figures.show(
        charts.tilt_plot(both),
        name="own-tilt",
        caption="Change of accuracy by the blob, one direction against the other; lines: 95 % intervals. A defence "
        "raises both: upper right. Upper left and lower right: M is tilted toward one class.",
        alt="Two scatters with one mark. Change, first class → second, in points: "
        + spoken.ranges(data, "change, first", of=["data set"], by=["images"], form="+.1f", scale=100, bound=0),
        data=data,
        units=units,
    )
    figures.show_text(
        "By 95 % intervals, accuracy after neutralisation changes like this.\n\n"
        + f"- On clean images {words.tilt(both['clean images'])}.\n"
        + f"- Under attack {words.tilt(both['under attack'])}."
    )
    verdicts = STUDY.verdicts(units, of_paper=lambda unit: False)
    judged = verdicts[verdicts.id.isin(("keeps-accuracy", "weakens-attack"))]
    figures.show_table(
        judged,
        name="own-verdicts",
        caption="Both directions together, in points, with a blob from images that are not scored: the rules of the "
        "book. A verdict needs three trained networks; of one, or of two, this says where the interval points.",
        units=units,
    )
    for claim in CLAIMS:
        if claim.id in set(judged.id):
            figures.show_text(words.findings(claim, judged))


def _choices(units):
    reasons = {name: why for name, why in choices.REASONS.items() if name != "seed"}
    figures.show_table(
        open_choices(units, reasons, used=tables.used, labels=choices.LABELS),
        name="own-choices",
        caption="What the paper leaves open: what was used here, and why.",
        units=units,
        sample="choices",
    )


SECTIONS = (
    Section("The network", _network),
    Section("What an attack does", _attack),
    Section("From image to neutralised image", _plate),
    Section("Where the network looks, and where the attacker changes pixels", _regions),
    Section("What the images of a class have in common", _blobs),
    Section("What blocking out the blob does to the scores", _scores),
    Section("A defence, or a tilt toward one class?", _defence),
    Section("Choices", _choices),
)
