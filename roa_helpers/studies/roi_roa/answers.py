"""What each page about the paper comes to, from the units of its own data sets. Needs no torch."""

from itertools import chain

import pandas as pd

from ... import metrics, studies
from ...data import title_of
from ...page import answers, claims, words
from ...records import seeds
from . import readings
from . import words as spoken
from .claims import EXCESS, by_class
from .comparison import accuracy, compare
from .results import holding


def _answer(units, paper, found):
    """An answer: what the paper says, and ``found(units)`` = (ours, why, open), unless no unit is of its data."""
    if not units:
        return answers.nothing(paper)
    ours, why, open_ = found(units)
    return answers.Answer(paper, ours, why, tuple(filter(None, open_)))


def _judged(units):
    """The verdicts on all claims."""
    return claims.judged(studies.verdicts(units))


def _stands(verdicts, *ids):
    """How claims stand, and what is open because few networks were trained."""
    rows = verdicts[verdicts.id.isin(ids)]
    told = [f"“{rows[rows.id == one].claim.iloc[0]}”: {answers.standing(rows[rows.id == one])}" for one in ids]
    return "; ".join(told), answers.networks(rows)


#: The claims about single regions, by name.
_REGIONS = ("roi-colocated", "roa-colocated", "roi-aligned", "roa-aligned")


def _shown(rows, *ids, noun="data set"):
    """“1 of the 2 data sets (1 undecided)”: how many of those that could be tested reproduce the claim.

    Where too few networks were trained for a verdict, the interval points to it (see :func:`_pointed`).
    """
    tested = rows[rows.id.isin(ids) & (rows.verdict != claims.NOT_TESTABLE)]
    found = tested.verdict.where(~tested.networks.isin(claims.FEW), tested.toward)
    held, open_ = (int((found == verdict).sum()) for verdict in (claims.REPRODUCED, claims.UNDECIDED))
    return f"{held} of the {words.counted(len(tested), noun)}" + (f" ({open_} undecided)" if open_ else "")


def _excess(verdicts, *ids):
    """By how much regions exceed the strongest null, in words; empty where no null is recorded."""
    known = verdicts[verdicts.id.isin(ids)].ours.dropna()
    if known.empty:
        return ""
    return (
        " Beyond the strongest null (maps of untrained networks, random maps, the other class) regions have between "
        f"{words.minus(known.min(), '.3f')} and {words.minus(known.max(), '.3f')}; more than {EXCESS} is asked for."
    )


def _shares(units):
    """Mean share of an image (%) that RoI, RoA and U−V+ take: a span over data sets and directions each, in words."""
    images = [unit.table("images").query("definition == 'perturbation'").groupby("direction") for unit in units]
    means = pd.concat([table[["uv", "u_not_v", "not_u_v"]].mean() for table in images])
    shares = {"RoI": means.uv + means.u_not_v, "RoA": means.uv + means.not_u_v, "U−V+": means.not_u_v}
    return {name: words.span(100 * values, ".0f") for name, values in shares.items()}


def _pointed(rows):
    """On which data sets too few networks were trained for a verdict, in words; empty where on none."""
    known = rows[rows.networks > 0]
    few = known[known.networks.isin(claims.FEW)]["where"].unique()
    if not len(few):
        return ""
    where = f"On {words.listed(few)} that" if len(few) < known["where"].nunique() else "That"
    return f" {where} is where intervals point; a verdict needs three networks."


def costly(units):
    """The classes on which neutralisation clearly costs clean accuracy, which the mean over both can hide, in words."""
    told = []
    for group in seeds.groups(units):
        changes = [by_class(unit, "clean", "mod, held out") for unit in group]
        for name in dict.fromkeys(chain(*changes)):
            found = [one[name] for one in changes if name in one]
            lost = [100 * one.value for one in found if one.interval[1] < 0]
            networks = f" in {len(lost)} of {len(found)} networks" if len(found) > 1 else ""
            if lost:
                title = title_of(group[0].result["dataset"])
                told.append(f"{title}, {name} ({words.span(lost, '+.1f')} points{networks})")
    return f" By itself the clean accuracy of these classes clearly falls: {'; '.join(told)}." if told else ""


def whole(units):
    """The whole paper: segregation, isolation, neutralisation."""

    def found(units):
        rows = _judged(units)
        few = answers.networks(rows)
        return (
            f"Neutralising U−V+ keeps accuracy on {_shown(rows, 'keeps-accuracy')} and weakens the attack on "
            f"{_shown(rows, 'weakens-attack')} on which that can be tested. Regions lie together, or share a place, by "
            f"clearly more than {EXCESS} (of 1) beyond those of untrained networks in "
            f"{_shown(rows, *_REGIONS, noun='case')}." + _pointed(rows),
            "Regions are held against those of untrained networks, and the defence is judged on both classes at once, "
            "with a blob from images that are not scored.",
            (few, "Whether larger networks and images behave like these is not asked here."),
        )

    return _answer(
        units,
        "The pixels that a classifier uses (RoI) and those that an attacker moves (RoA) lie together, in the same "
        "place for all images of a class. Blocking out what only the attacker uses, U−V+, keeps accuracy and weakens "
        "the attack.",
        found,
    )


def features(units):
    """Section II-C: useful features and robust ones."""

    def found(units):
        shares = [
            (title, *seeds.across([(k / n, metrics.wilson(k, n), n) for k, n in each], limits=(0, 1)))
            for title, each in spoken.fragile(units)
        ]
        listed = ", ".join(f"{title} {words.percent(share, *ends)} %" for title, share, ends, _ in shares)
        return (
            f"The attack makes {words.span([100 * share for _, share, *_ in shares], '.1f')} % of the sampled "
            f"useful features useless or misleading ({listed}; 95 % intervals over features, and over networks where "
            "there are several).",
            "The paper prints no number, so nothing can differ. The search for the worst image is an attack, so γ̂ is "
            "an upper bound: a feature counted as non-robust is so on these images, one counted as robust may not be.",
            (
                "The paper goes from features to pixels by analogy. Whether an important and vulnerable pixel belongs "
                "to a useful, non-robust feature is not tested here or there.",
            ),
        )

    return _answer(
        units,
        "Features can help a classifier and stop helping once an attacker may move the image inside an ε-ball. The "
        "same two questions, how useful and how vulnerable, can be asked of every pixel.",
        found,
    )


def segregation(units):
    """Findings about single images: regions of neighbouring pixels."""

    def found(units):
        rows = _judged(units)
        stands, few = _stands(rows, "roi-colocated", "roa-colocated")
        return (
            f"{stands}.{_excess(rows, 'roi-colocated', 'roa-colocated')}",
            "FGSM steps as far wherever it steps, so an RoA by that size tells where clipping or a zero gradient got "
            f"in the way: it takes {_shares(units)['RoA']} % of an image. And Grad-CAM on 3×3 cells is smooth whatever "
            "was learnt: untrained networks give patches too. The rule asks for more than those have.",
            (few, "An RoA of stronger attacks, which move fewer pixels, was not segregated."),
        )

    return _answer(
        units,
        "Every image has a region of importance and a region of attack, each of pixels that lie together.",
        found,
    )


def representatives(units):
    """Regions of a class."""

    def found(units):
        rows = _judged(units)
        stands, few = _stands(rows, "roi-aligned", "roa-aligned")
        return (
            f"{stands}.{_excess(rows, 'roi-aligned', 'roa-aligned')}",
            "The edges of the image and the coarse grid of Grad-CAM put every image’s region in similar places, and "
            "images of one class resemble each other before any network sees them: untrained networks align regions "
            "too. The rule asks for more.",
            (few, "Moved digits show whether registration is what matters; other objects were not moved."),
        )

    return _answer(
        units,
        "Superimposed, the RoIs of a class share a place, and so do its RoAs, where images are registered.",
        found,
    )


def overlap(units):
    """Table I."""

    def found(units):
        table = compare("A9", units)
        one, many = (table[table.quantity == name] for name in ("individual", "representative"))
        told = readings.distances(readings.table(units))
        near = told[told.quantity == "individual"]
        zero = f"{near[readings.ZERO].iloc[0]:.3f}" if len(near) else ""
        pictures = f"{near[readings.READINGS['published']].iloc[0]:.3f}" if len(near) else ""
        agree = answers.agreeing(table)
        return (
            f"Single images have {words.span(one.ours, '.2f')}, representatives {words.span(many.ours, '.2f')}. "
            + (f"Ours agree with {agree} that the paper prints{spoken.in_supplement(table)}." if agree else ""),
            "The text does not say how regions were compared. By the procedure that the authors’ own pictures show the "
            f"mean SSIM of single images comes within {pictures} of {near.n.iloc[0]} numbers of Table I on average, "
            f"and an RoA without a single entry within {zero}: that number tells of the heat map, not of an overlap."
            if zero
            else "The text does not say whether regions or graded maps were compared, nor on what scale.",
            (answers.networks(table), "Which images the paper’s means are over is not known."),
        )

    return _answer(
        units,
        "The structural similarity of RoI and RoA is about .2 to .3 for single images and near 0 for the "
        "representatives of most classes (Table I).",
        found,
    )


def isolation(units):
    """Four regions, and the blob of a class."""

    def found(units):
        rows = _judged(units)
        stands, few = _stands(rows, "isolation")
        shares = _shares(units)
        return (
            f"{stands}.{_excess(rows, 'isolation')}",
            f"On average an RoI takes {shares['RoI']} % of an image, an RoA {shares['RoA']} % and U−V+ "
            f"{shares['U−V+']} %, depending on data set and direction. Regions of any origin can cut an image into "
            "four; the rule asks for more such images than maps of untrained networks give.",
            (few, "The paper calls δ₁, δ₂ and θ tuned and gives no values: others are possible."),
        )

    return _answer(
        units,
        "Utility and vulnerability cut an image into four disjoint regions; where many images of a class agree on U−V+ "
        "lies a blob.",
        found,
    )


def neutralisation(units):
    """Tables II and III."""

    def found(units):
        rows = _judged(units)
        stands, few = _stands(rows, "keeps-accuracy", "weakens-attack")
        agree = [answers.agreeing(compare(row, units)) for row in ("A10", "A11")]
        numbers = f" Ours agree with {agree[0]} of Table II and {agree[1]} of Table III." if all(agree) else ""
        weak = rows[rows.id == "weakens-attack"]
        reasons = [f"{row['where']}, {row.why.partition(': ')[2] or row.why}" for _, row in weak.iterrows() if row.why]
        models = accuracy(units)
        short = models[(models.ours - models.paper) < -0.02]
        return (
            f"{stands}.{costly(units)}{numbers}",
            (f"There is no attack of the paper’s strength to weaken on some sets ({'; '.join(reasons)}). "
             if reasons else "")
            + "Scored one direction at a time, pixels set to one value can tilt the network toward a class, which "
            "looks like a gain there and is a loss in the other direction; both count here. "
            + (f"M is less accurate than the paper’s on {words.listed(list(short['where']))}." if len(short) else ""),
            (few, "The blob is chosen by the true class of an image, which a defender would not know."),
        )  # fmt: skip

    return _answer(
        units,
        "With the blob set to black or white, accuracy on clean images stays (Table II) and accuracy under the same "
        "attack rises, to 100 % for MNIST and from 6 to 46 % for Malaria (Table III); for Cats vs Dogs it stays low.",
        found,
    )


def findings(units):
    """All claims together."""

    def found(units):
        rows = _judged(units)
        told = answers.standing(rows, noun="verdict")
        without = [title_of(unit.result["dataset"]) for unit in units if unit not in holding(units, "nulls")]
        return (
            f"{told}, over all claims and data sets.",
            "The paper looks at the maps of one network. Here a claim must beat what untrained networks and random "
            "maps reach, count both classes, and hold over three networks.",
            (
                answers.networks(rows),
                "The paper states neither ε nor δ₁, δ₂ and θ; here they are chosen on validation images.",
                f"No nulls are recorded for {words.listed([*dict.fromkeys(without)])}." if without else "",
            ),
        )

    return _answer(
        units,
        "Regions of importance and of attack exist, lie together, share a place within a class, and can be told "
        "apart; neutralising U−V+ keeps accuracy and weakens the attack.",
        found,
    )
