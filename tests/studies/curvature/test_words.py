"""Sentences about a finished unit."""

import pandas as pd

from roa_helpers.studies.curvature import tables, words


def test_what_halves_share_is_told_with_what_the_last_step_added(unit, changed):
    def halved(rows):
        table = pd.DataFrame(rows, columns=["method", "class", "points", "dimension", "overlap", "expected"])
        return changed(files=unit.files | {"halves.csv": table.to_csv(index=False).encode()})

    rows = [("softmax", 0, 4, 10, 0.2, 0.1), ("softmax", 1, 4, 10, 0.4, 0.1), ("softmax", 0, 8, 10, 0.5, 0.1),
            ("softmax", 1, 8, 10, 0.3, 0.1), ("twin", 0, 1, 10, 0.7, 0.1)]  # fmt: skip
    assert words.enough([halved(rows)]).splitlines() == [
        "- Digits, LeNet, closed form, softmax: two sets of 8 boundary points share 0.40 (random: 0.10), +0.10 to two "
        "sets of 4; the directions rest on up to 4 a class.",
        "- Digits, LeNet, smooth twin, Lanczos: two sets of 1 boundary points share 0.70 (random: 0.10); the "
        "directions rest on up to 3 a class.",
    ]
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


def test_sentences_about_a_unit(unit):
    assert "norm 0." in words.asymmetry([unit])
    told = words.depends(tables.dependence([unit]))
    assert told.count("\n") == 0 and told.count(" directions, ") == 2 and told.count("Compared up to dimension") == 1
    assert words.bridged([unit]).count("the pixels") == 3
    assert "at f = 10 they have 2.4 % of the norm" in words.beyond([unit])
    assert "of 2 dimensions" in words.at_one_dimension([unit])
    libraries = tables.libraries([unit])
    assert "nothing to compare" in words.on_libraries(libraries[libraries.library == "roa-helpers"])
