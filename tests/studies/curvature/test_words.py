"""Sentences about a finished unit."""

import pandas as pd

from roa_helpers.studies.curvature import tables, words


def test_what_halves_share_is_told_with_what_fewer_points_shared(unit, changed):
    def halved(rows):
        table = pd.DataFrame(rows, columns=["method", "class", "points", "dimension", "overlap", "expected"])
        return changed(files=unit.files | {"halves.csv": table.to_csv(index=False).encode()})

    rows = [("softmax", 0, 4, 10, 0.2, 0.1), ("softmax", 1, 4, 10, 0.4, 0.1), ("softmax", 0, 8, 10, 0.5, 0.1),
            ("softmax", 1, 8, 10, 0.3, 0.1), ("twin", 0, 1, 10, 0.7, 0.1)]  # fmt: skip
    *lines, _, closing = words.enough([halved(rows)]).splitlines()
    assert lines == [
        "- Digits, LeNet, closed form, softmax: two sets of 8 points share 0.40 (random: 0.10), two sets of 4 points "
        "0.30; the directions rest on up to 4 points a class.",
        "- Digits, LeNet, smooth twin, Lanczos: two sets of 1 point share 0.70 (random: 0.10); the directions rest on "
        "up to 3 points a class.",
    ]
    assert closing.startswith("The two largest sets share half of their subspace or more in 1 of 2 lines.")
    bare = changed(files={name: raw for name, raw in unit.files.items() if name != "halves.csv"})
    assert [one is unit for one in tables.halved([unit, bare, halved([])])] == [True]


def test_networks_that_were_not_trained_here_are_told(unit, changed):
    assert words.untaught([unit]) == ""
    model = unit.result["model"] | {"initialisation": "imagenet", "network": "imagenet-squeezenet",
                                    "weights": {"source": "a file in the data folder", "sha256": "5"}}  # fmt: skip
    other = changed(dataset="imagenette", model=model)
    told = words.untaught([unit, other])
    assert told.startswith("Not trained here: Imagenette, SqueezeNet 1.1, whose weights are from a file in the data")
    assert "says nothing about new pictures" in told and "LeNet" not in told
    assert tables.accuracies([other])["initial weights"].tolist() == ["ImageNet"]


def of_seed(unit, changed, seed, *, norm, right=None):
    """The unit as one of another seed: norms of perturbations as given, and what accuracy curved directions hold."""
    table = unit.table("accuracy")
    if right is not None:
        table["k"] = table.k.where(table.kind != "both", right)
    found = unit.result["deepfool"] | {"norm": norm, "image": 1.0}
    path = unit.path.with_name(unit.path.name.replace("seed0", f"seed{seed}"))
    return changed(path=path, seed=seed, deepfool=found, files=unit.files | {"accuracy.csv": table.to_csv().encode()})


def test_networks_of_one_kind_are_told_together(unit, changed):
    assert words.drawn([unit]) == ""
    several = [of_seed(unit, changed, seed, norm=norm) for seed, norm in enumerate((0.1, 0.25, 0.2))]
    assert "trained of Digits, LeNet, seeds 0, 1 and 2, on" in words.drawn(several)
    assert "Ours have: Digits, LeNet, 3 networks, 100% to 250%." in words.beyond(several)
    for text in (words.asymmetry(several), words.at_one_dimension(several), words.bridged(several)):
        assert text.count("- Digits, LeNet, 3 networks: ") == 1
    assert tables.accuracies(several).seed.tolist() == [0, 1, 2]


def test_how_few_dimensions_hold_the_accuracy_is_told_for_all_networks(unit, changed):
    (one,) = words.held([unit])
    bare = unit.table("compression").query("measured == 'accuracy'").sort_values("side").iloc[-1]
    all_ = of_seed(unit, changed, 0, norm=0.1, right=bare.k)
    none = of_seed(unit, changed, 1, norm=0.1, right=0)
    (both,), (missed,), (same,) = (list(words.held(units)) for units in ([all_, none], [none], [all_]))
    least = unit.table("accuracy").query("kind == 'both' and part == 'test'").dimension.min()
    size = unit.result["dimensions"]
    assert one.startswith("Digits, LeNet: ") and same.startswith(f"Digits, LeNet: {least} of {size} dimensions (")
    assert missed.startswith("Digits, LeNet: not reached (0% accuracy at ")
    assert both.startswith(f"Digits, LeNet, 2 networks: {least} of {size} dimensions (") and "; random ones: " in both
    assert "), not reached by 1 of them (0% accuracy at" in both


def test_networks_that_differ_in_where_energy_lies_are_told_apart(unit, changed):
    def where(seed, *, difference):
        table = unit.table("bridge").assign(low=difference - 0.01, high=difference + 0.01)
        path = unit.path.with_name(unit.path.name.replace("seed0", f"seed{seed}"))
        return changed(path=path, seed=seed, files=unit.files | {"bridge.csv": table.to_csv(index=False).encode()})

    more, less, none = (where(seed, difference=one) for seed, one in enumerate((0.1, -0.1, 0.0)))
    assert ", by 1 more than, by 1 less than, by 1 not clearly other than its " in words.bridged([more, less, none])
    assert words.bridged([more, where(1, difference=0.2)]).count(" %, more than its ") == 3


def test_halves_of_several_networks_are_told_as_spans(unit, changed):
    def halved(seed, last):
        rows = [("softmax", 0, 4, 10, 0.2, 0.1), ("softmax", 0, 8, 10, last, 0.1)]
        table = pd.DataFrame(rows, columns=["method", "class", "points", "dimension", "overlap", "expected"])
        path = unit.path.with_name(unit.path.name.replace("seed0", f"seed{seed}"))
        return changed(path=path, seed=seed, files=unit.files | {"halves.csv": table.to_csv().encode()})

    line, _, closing = words.enough([halved(0, 0.5), halved(1, 0.3)]).splitlines()
    assert line == (
        "- Digits, LeNet, 2 networks, closed form, softmax: two sets of 8 points share 0.30 to 0.50 (random: 0.10), "
        "two sets of 4 points 0.20; the directions rest on up to 4 points a class."
    )
    assert "or more in 0 of 1 line." in closing


def test_symmetry_beyond_a_random_direction_is_counted_by_network(unit, changed):
    odd = {kind: {"mean": 0.1, "low": low, "high": low + 0.1, "n": 2}
           for kind, low in (("positive", 0.0), ("negative", 0.3), ("random", 0.2))}  # fmt: skip
    one = changed(shapes=unit.result["shapes"] | {"odd": odd})
    assert words.more_symmetric([one]) == "Digits, LeNet: 1 of 2"
    assert "of symmetry in 1 of 2 (random: 0.10)" in words.beside_random([one])


def test_sentences_about_a_unit(unit, changed):
    assert "norm 0." in words.asymmetry([unit])
    table = unit.table("steps")
    flat = table.assign(asymmetry=table.asymmetry.where(table.quantity != "logits", 0.0))
    nowhere = changed(files=unit.files | {"steps.csv": flat.to_csv(index=False).encode()})
    assert words.asymmetry([nowhere]).endswith(" find none at any step.")
    told = words.depends(tables.dependence([unit]))
    assert told.count("\n") == 0 and told.count(" directions, ") == 2 and told.count("Compared up to dimension") == 1
    assert words.bridged([unit]).count("the pixels") == 3
    assert "at f = 10 they have 2.4 % of the norm" in words.beyond([unit])
    assert "of 2 dimensions" in words.at_one_dimension([unit])
    libraries = tables.libraries([unit])
    assert "nothing to compare" in words.on_libraries(libraries[libraries.library == "roa-helpers"])
