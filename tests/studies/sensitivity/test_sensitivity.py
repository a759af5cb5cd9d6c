"""How much results move with open choices: exact changes on made-up units, and the study that trains anew."""

from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import samples
from matplotlib.figure import Figure

from roa_helpers import attacks, explain, metrics, models, regions, studies
from roa_helpers.records import store
from roa_helpers.studies.roi_roa import search
from roa_helpers.studies.roi_roa.choices import LABELS, RoiRoa
from roa_helpers.studies.sensitivity import changes, charts, choices, compute, words

#: delta1, delta2, theta, value, blob, mod, mod_adv, feasible, chosen; clean 1.0 and adv 0.4 throughout.
GRID = (
    (0.3, 0.5, 0.2, 0.0, 0.3, 0.95, 0.50, True, True),
    (0.6, 0.5, 0.2, 0.0, 0.2, 0.70, 0.45, False, False),
    (0.3, 0.9, 0.2, 0.0, 0.2, 0.98, 0.40, True, False),
    (0.3, 0.5, 0.7, 0.0, 0.1, 1.00, 0.45, True, False),
    (0.3, 0.5, 0.2, 1.0, 0.3, 0.50, 0.90, False, False),
    (0.6, 0.9, 0.7, 1.0, 0.1, 0.00, 0.00, False, False),
)


class Made:
    """A unit with tables and a result that are written down here."""

    def __init__(self, *, dataset="digits", seed=0, tables=None, **result):
        counts = {"val": {"0": 20, "1": 25}}
        self.path = SimpleNamespace(name=f"{dataset}-0-1-seed{seed}")
        self.tables = tables
        self.result = {"dataset": dataset, "seed": seed, "profile": "quick", "classes": ["0", "1"],
                       "provenance": {"data": {"counts": counts}}} | result  # fmt: skip

    def table(self, name):
        return self.tables[name]


def grid(definition):
    names = ["delta1", "delta2", "theta", "value", "blob", "mod", "mod_adv", "feasible", "chosen"]
    return pd.DataFrame(GRID, columns=names).assign(clean=1.0, adv=0.4, definition=definition)


@pytest.fixture
def searched():
    """A unit of ``roi_roa`` with one direction: two images on the curves, three measured."""
    gradient = grid("gradient").assign(mod=[1.0, 1.0, 0.9, 1.0, 1.0, 1.0])
    curves = pd.DataFrame(
        [("eps", 0.1, "adv", 1), ("eps", 0.1, "mod_adv", 2), ("eps", 0.2, "adv", 0), ("eps", 0.2, "mod_adv", 0),
         ("theta", 0.2, "mod", 2), ("theta", 0.2, "mod_adv", 2),
         ("theta", 0.7, "mod", 1), ("theta", 0.7, "mod_adv", 1)],
        columns=["axis", "at", "score", "k"],
    ).assign(n=2, direction="0 to 1")  # fmt: skip
    images = pd.DataFrame({"image": [0, 1, 2], "adv": [1, 0, 1], "mod": [1, 1, 0], "mod_adv": [1, 1, 0]})
    images = pd.concat([images.assign(definition="perturbation"), (1 - images).assign(definition="gradient")])
    tables = {"tuning": pd.concat([grid("perturbation"), gradient]), "curves": curves,
              "images": images.assign(direction="0 to 1")}  # fmt: skip
    parameters = {"choices": {"tune": 32, "clean_loss": 0.05}}
    return Made(tables=tables, directions={"0 to 1": {}}, parameters=parameters)


def trained(scores, individual, representative, *, n=10, **named):
    """A unit of ``sensitivity`` with one direction."""
    counts = {name: {"k": k, "n": n} for name, k in zip(("clean", "adv", "mod", "mod_adv"), scores, strict=True)}
    block = {"scores": counts, "ssim": {"individual": {"mean": individual}, "representative": representative}}
    return Made(**{"varied": "", "value": None} | named, directions={"0 to 1": block})


BASE = trained((10, 5, 9, 5), 0.2, 0.1)
SEED = trained((10, 5, 9, 6), 0.25, 0.1, varied="seed_offset", value=2)
SLOW = trained((10, 5, 9, 3), 0.22, 0.1, varied="learning_rate", value=0.01)
FAST = trained((10, 4, 6, 5), 0.2, 0.4, varied="learning_rate", value=0.04)


def found(table, measured, choice, result):
    rows = table[(table.measured == measured) & (table.choice == choice) & (table.result == result)]
    return dict(zip(rows.value, rows.change.round(9), strict=True))


@pytest.mark.parametrize(
    ("choice", "cost", "gain"),
    [
        ("delta1", {0.3: 0, 0.6: -0.25}, {0.3: 0, 0.6: -0.05}),
        ("delta2", {0.5: 0, 0.9: 0.03}, {0.5: 0, 0.9: -0.1}),
        ("theta", {0.2: 0, 0.7: 0.05}, {0.2: 0, 0.7: -0.05}),
        ("value", {0.0: 0, 1.0: -0.45}, {0.0: 0, 1.0: 0.4}),
        ("delta2_gradient", {0.5: 0, 0.9: -0.1}, {0.5: 0, 0.9: -0.1}),
    ],
)
def test_a_threshold_is_varied_with_the_others_as_chosen(searched, choice, cost, gain):
    table = changes.moves([searched])
    assert found(table, "validation", choice, "cost") == cost
    assert found(table, "validation", choice, "gain") == gain
    assert set(table[table.measured == "validation"].n) == {20}


def test_a_smaller_loss_allows_fewer_settings(searched):
    table = changes.moves([searched])
    assert {round(k, 2): v for k, v in found(table, "validation", "clean_loss", "cost").items()} == {
        0: 0.05, 0.02: 0.05, 0.05: 0,
    }  # fmt: skip
    assert list(found(table, "validation", "clean_loss", "gain").values()) == [-0.05, -0.05, 0]


@pytest.mark.parametrize("seed", range(5))
def test_with_the_whole_loss_allowed_the_rule_is_that_of_tuning(seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.integers(1, 5, (30, 3)) / 5, columns=["mod", "mod_adv", "blob"])
    table = table.assign(clean=1.0, feasible=table["mod"] >= 0.6)
    _, last = changes.stricter(table)[-1]
    assert last == table.loc[search._best(table)].to_dict()


def test_curves_are_held_against_the_scores_of_the_same_images(searched):
    table = changes.moves([searched])
    assert found(table, "test", "eps", "gain") == {0.1: 0, 0.2: -0.5}
    assert found(table, "test", "eps", "cost") == {}
    assert found(table, "test", "theta", "cost") == {0.2: 0, 0.7: -0.5}
    assert found(table, "test", "theta", "gain") == {0.2: 0, 0.7: -0.5}


def test_a_network_trained_anew_is_held_against_the_base():
    table = changes.moves([], [SLOW, BASE, FAST, SEED])
    assert found(table, "retrained", "learning_rate", "cost") == {0.01: 0, 0.04: -0.3}
    assert found(table, "retrained", "learning_rate", "gain") == {0.01: -0.2, 0.04: 0.1}
    assert found(table, "retrained", "learning_rate", "individual") == {0.01: 0.02, 0.04: 0}
    assert found(table, "retrained", "learning_rate", "representative") == {0.01: 0, 0.04: 0.3}
    assert found(table, "retrained", "seed", "individual") == {2: 0.05}


def test_only_the_base_of_the_same_pair_and_seed_counts():
    other = trained((10, 5, 5, 5), 0.2, 0.1, seed=1)
    table = changes.moves([], [other, BASE, FAST])
    assert found(table, "retrained", "learning_rate", "cost") == {0.04: -0.3}
    assert changes.moves([], [other, FAST]).empty


def test_a_range_holds_the_value_that_was_used():
    spans = changes.ranges(changes.moves([], [BASE, SLOW, FAST, SEED])).set_index(["choice", "result"])
    assert spans.loc[("learning_rate", "cost"), ["low", "high", "largest"]].tolist() == pytest.approx([-0.3, 0, -0.3])
    assert spans.loc[("learning_rate", "gain"), ["low", "high", "largest"]].tolist() == pytest.approx([-0.2, 0.1, -0.2])
    assert spans.loc[("seed", "gain"), ["low", "high", "largest"]].tolist() == pytest.approx([0, 0.1, 0.1])


def test_what_moves_more_than_between_seeds():
    table = changes.moves([], [BASE, SLOW, FAST, SEED])
    assert changes.beyond_chance(table) == [
        ("Digits", "learning_rate", result) for result in ("cost", "gain", "representative")
    ]
    assert changes.beyond_chance(changes.moves([], [BASE, SLOW])) == []
    (told,) = words.exceeding(table)
    assert told.startswith("**Digits**: of 1 choices of the training,") and told.count(": learning rate") == 3


def test_the_plot_has_a_panel_a_result_and_a_row_a_choice(searched):
    table = changes.moves([searched], [BASE, SLOW, FAST, SEED])
    figure, data = charts.moves_plot(table[table.measured == "retrained"])
    assert [axis.get_title() for axis in figure.axes] == list(changes.RESULTS.values())
    assert [label.get_text() for label in figure.axes[0].texts] == ["seed", "learning rate"]
    line = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 2 and min(line.get_xdata()) < -1)
    assert list(line.get_xdata()) == pytest.approx([-30, 0]) and len(data) == 8
    figure, _ = charts.moves_plot(table[table.measured != "retrained"])
    labels = [label.get_text() for label in figure.axes[0].texts]
    assert labels.count("θ") == 1 and labels.count("θ on test images") == 1


def test_surfaces_leave_out_settings_without_a_blob(searched):
    tuning = searched.tables["tuning"]
    without = tuning.iloc[[3]].assign(theta=0.9, blob=0.0, feasible=False)
    searched.tables["tuning"] = pd.concat([tuning, without])
    figure, data = charts.tuning_surfaces([searched])
    assert isinstance(figure, Figure) and len(data) == len(GRID) and data.chosen.sum() == 1
    assert sum(axis.get_visible() for axis in figure.axes) == 2  # the panel and the colour bar


def differing(base, variant):
    before, after = asdict(base), asdict(variant)
    return {name for name in before if before[name] != after[name]} - {"varied"}


@pytest.mark.parametrize("profile", studies.PROFILES)
def test_a_variant_differs_from_its_base_in_the_one_choice_it_names(profile):
    plans = studies.planned(profile, "sensitivity", seed=0)
    bases = {(plan.choices.dataset, plan.choices.classes): plan.choices for plan in plans if not plan.choices.varied}
    assert len({plan.name for plan in plans}) == len(plans)
    for plan in plans:
        base = bases[plan.choices.dataset, plan.choices.classes]
        assert differing(base, plan.choices) == ({plan.choices.varied} if plan.choices.varied else set())
        assert plan.choices.varied in {"", "seed_offset", *LABELS}


def test_variants_halve_and_double():
    base = RoiRoa(dataset="digits", classes=("0", "1"), epochs=3, batch=32, width=1.0, learning_rate=0.02)
    made = choices.variants(replace(base, weights="imagenet", mixed=True))
    tried = {(one.varied, getattr(one, one.varied)) for one in made[1:]}
    assert {v for name, v in tried if name == "epochs"} == {2, 6}
    assert {v for name, v in tried if name == "batch"} == {16, 64}
    assert {v for name, v in tried if name == "learning_rate"} == {0.01, 0.04}
    assert {("width", 0.5), ("mixed", False), ("weights", "scratch"), ("seed_offset", 2)} <= tried
    assert not any(name == "augment" for name, _ in tried) and made[0].delta2_gradient == ()
    assert next(one for one in made if one.varied == "weights").name == "digits-0-1-weights-scratch"


@pytest.fixture(scope="module")
def plan():
    base = replace(samples.CHOICES, theta=(0.2, 0.6))
    return studies.Planned("sensitivity", choices.variants(base)[0], 0)


def test_the_study_measures_what_public_functions_say(computed, plan):
    model, splits, _, _ = computed
    result = compute.measurements(model, splits, plan.choices, seed=0)
    assert list(result["directions"]) == samples.DIRECTIONS
    for k, block in enumerate(result["directions"].values()):
        setting, images = block["parameters"], splits.test.of_class(k)
        x, y = images.images, images.labels
        x_adv = attacks.fgsm(model, x, y, eps=setting["eps"])
        roi = regions.region_of_importance(explain.grad_cam(model, x, y), setting["delta1"])
        roa = regions.region_of_attack(x, x_adv, setting["delta2"])
        blob = regions.blob(regions.isolate(roi, roa).not_u_v, setting["theta"])
        x_mod = regions.neutralise(x, blob, setting["value"])
        sets = {"clean": x, "adv": x_adv, "mod": x_mod, "mod_adv": attacks.fgsm(model, x_mod, y, eps=setting["eps"])}
        counts = {name: {"k": int(models.correct(model, s, y).sum()), "n": 12} for name, s in sets.items()}
        assert block["scores"] == counts and block["blob"]["pixels"] == int(blob.sum())
        single = metrics.ssim(roi.numpy(), roa.numpy())
        assert block["ssim"]["individual"]["mean"] == pytest.approx(single.mean())
        assert block["ssim"]["individual"]["sd"] == pytest.approx(single.std(ddof=1))
        whole = [regions.representative(maps)[None].numpy() for maps in (roi, roa)]
        assert block["ssim"]["representative"] == pytest.approx(metrics.ssim(*whole)[0], abs=1e-6)
    test = splits.test
    assert result["model"]["test"] == {"k": int(models.correct(model, test.images, test.labels).sum()), "n": 24}


def test_a_unit_is_trained_with_its_own_seed_and_says_what_varied(computed, plan, tmp_path):
    _, splits, _, _ = computed
    varied = replace(plan, choices=replace(plan.choices, varied="seed_offset", seed_offset=1))
    outcomes = [
        compute.compute(p, splits, checkpoints=tmp_path, progress=False) for p in (plan, replace(plan, seed=1), varied)
    ]
    base, moved, offset = (result for result, _, _ in outcomes)
    assert (base["varied"], base["value"], offset["varied"], offset["value"]) == ("", None, "seed_offset", 1)
    assert offset["model"] == moved["model"] != base["model"] and offset["directions"] == moved["directions"]
    assert all(arrays == tables == {} for _, arrays, tables in outcomes)
    assert len(list((tmp_path / "sensitivity").glob("*.safetensors"))) == 3
    unit = store.write(tmp_path / "unit", offset | {"fingerprint": {}}, arrays={}, tables={})
    assert store.read(unit.path).result["directions"].keys() == offset["directions"].keys()
