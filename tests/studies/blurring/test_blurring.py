"""The study of the pixel-importance thesis on pictures made here: cells from public functions again, reuse, pages."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from roa_helpers import attacks, data, errors, metrics, models, studies
from roa_helpers.data import splits
from roa_helpers.models import resnet
from roa_helpers.page import claims, tables
from roa_helpers.records import fingerprints, partial, seeds, store
from roa_helpers.studies.blurring import (
    blur,
    charts,
    choices,
    claims,
    compute,
    defence,
    heatmaps,
    results,
    tables,
    words,
)
from roa_helpers.studies.blurring.published import MODELS, ROWS, TABLES, TESTS, N

CLASSES = ("left", "right", "top", "bottom", "middle")
CHOICES = choices.Blurring(
    dataset="digits", weights=choices.PRETRAINED, train=8, val=4, test=5, blocks=(1, 1, 1, 1), width=1 / 16,
    epochs=2, batch=8, learning_rate=0.01, pretrain=8, pretrain_epochs=1, pretrain_batch=8, augment=False, mixed=False,
    trials=3, knowing=3, knowing_steps=2, newtonfool_steps=2, pgd_steps=2,
)  # fmt: skip


def pictures(classes, n, seed):
    """A bright bar whose place tells the class, with noise: (n · K, 1, 32, 32)."""
    places = {"left": (slice(4, 28), slice(2, 9)), "right": (slice(4, 28), slice(23, 30)),
              "top": (slice(2, 9), slice(4, 28)), "bottom": (slice(23, 30), slice(4, 28)),
              "middle": (slice(12, 20), slice(4, 28))}  # fmt: skip
    x = 0.4 * torch.rand(n * len(classes), 1, 32, 32, generator=torch.Generator().manual_seed(seed))
    y = torch.arange(len(classes)).repeat_interleave(n)
    for k, name in enumerate(classes):
        x[y == k, :, *places[name]] += 0.5
    return data.ImageSet(x, y, classes)


def made_here(name, *, classes=None, size=None, limit=None, root=None, progress=False):
    classes = tuple(classes or CLASSES)
    limits = limit if isinstance(limit, tuple) else (limit,) * 3
    parts = {
        part: pictures(classes, n or 6, seed) for seed, (part, n) in enumerate(zip(data.SPLITS, limits, strict=True))
    }
    counts = {part: dict.fromkeys(classes, len(found) // len(classes)) for part, found in parts.items()}
    return data.Splits(**parts, provenance={"name": name, "counts": counts})


@pytest.fixture(scope="module")
def patched():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "load", made_here)
        yield


@pytest.fixture(scope="module")
def loaded(patched):
    return compute.load(CHOICES)


@pytest.fixture(scope="module")
def outcome(loaded, tmp_path_factory):
    """(result, arrays, tables), the folder of checkpoints, and the networks that were trained, by name."""
    models.use_threads(1)
    folder, networks = tmp_path_factory.mktemp("weights"), {}
    train = compute.train

    def watched(splits, images, *rest, path, **settings):
        model, history = train(splits, images, *rest, path=path, **settings)
        networks[path.stem.rpartition("-")[2]] = model, images
        return model, history

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute, "train", watched)
        found = compute.compute(studies.Planned("blurring", CHOICES, 0), loaded, weights=folder, progress=False)
    return found, folder, networks


def stored(folder, outcome, *, dataset="digits", repeat=0, profile="quick"):
    """A unit below ``folder`` that claims to be of ``dataset``, and one of its repetitions."""
    result, arrays, tables = outcome
    plan = studies.Planned("blurring", replace(CHOICES, dataset=dataset, repeat=repeat), 0)
    head = {"study": "blurring", "unit": plan.name, "profile": profile, "seed": 0}
    origin = store.provenance(device="cpu", data=made_here(dataset, classes=CLASSES[:3], limit=(8, 4, 5)).provenance,
                              seconds=1.0)  # fmt: skip
    whole = head | result | {"dataset": dataset, "repeat": repeat, "provenance": origin}
    whole |= {"fingerprint": studies.expected(plan) | {"data": "made here"}}
    return store.write(folder / profile / "blurring" / plan.name, whole, arrays=arrays, tables=tables)


@pytest.fixture(scope="module")
def units(outcome, tmp_path_factory):
    """A unit of a data set without published values, and two repetitions that say they are of CIFAR-10."""
    folder = tmp_path_factory.mktemp("results")
    first, arrays, tables = outcome[0]
    hits = arrays["hits"].copy()
    hits[1:, 1:] = ~hits[1:, 1:]
    again = first, arrays | {"hits": hits}, tables
    return [stored(folder, outcome[0]), stored(folder, outcome[0], dataset="cifar10", profile="desk"),
            stored(folder, again, dataset="cifar10", profile="desk", repeat=1)]  # fmt: skip


# The study


def test_the_classes_and_the_others_are_disjoint(loaded):
    assert loaded.splits.train.class_names == CLASSES[:3] and loaded.others.train.class_names == CLASSES[3:]
    assert loaded.splits.train.images.shape == (24, 3, 32, 32) and len(loaded.splits.test) == 15
    assert loaded.provenance["others"]["counts"]["train"] == {"bottom": 8, "middle": 8}
    assert loaded.fingerprint == loaded.splits.fingerprint + loaded.others.fingerprint


def test_without_pretraining_no_others_are_loaded(patched):
    alone = compute.load(replace(CHOICES, weights=choices.SCRATCH, classes=None))
    assert alone.others is None and alone.splits.test.class_names == CLASSES
    assert alone.fingerprint == alone.splits.fingerprint and "others" not in alone.provenance


@pytest.mark.parametrize("bad", [{"classes": 4}, {"classes": 1}, {"classes": 6, "weights": "scratch"}])
def test_too_few_classes_are_refused(patched, bad):
    with pytest.raises(errors.UserError, match="digits has 5 classes"):
        compute.load(replace(CHOICES, **bad))


def test_every_cell_follows_from_public_functions(outcome, loaded):
    (result, arrays, tables), _, networks = outcome
    x, y = loaded.splits.test.images, loaded.splits.test.labels
    explainer = networks["original"][0]
    strengths = result["parameters"]["strengths"]

    def blurred(images):
        heat = heatmaps.importance(explainer, images, epsilon=1e-6, radius=0.5, steps=2)
        keep = {name: blur.keep_mask(one, 0.15) for name, one in heat.items()}
        return {"original": images, "blur": blur.gaussian(images, 4)} | {
            name: blur.blurred(images, mask, 4) for name, mask in keep.items()
        }

    def fgsm(model, images):
        return attacks.fgsm(model, images, models.predict(model, images).argmax(1), eps=strengths["fgsm"])

    def newtonfool(model, images):
        return attacks.newtonfool(model, images, eta=strengths["newtonfool"], steps=2)

    clean = blurred(x)
    cells = tables["cells"].set_index(["model", "row", "test"])
    assert len(cells) == 150 == arrays["hits"][..., 0].size
    for i, name in enumerate(MODELS):
        model = networks[name][0]
        expected = {
            "clean": clean,
            "blur_fgsm": {test: fgsm(model, images) for test, images in clean.items()},
            "fgsm_blur": blurred(fgsm(model, x)),
            "blur_newtonfool": {test: newtonfool(model, images) for test, images in clean.items()},
            "newtonfool_blur": blurred(newtonfool(model, x)),
        }
        for j, row in enumerate(ROWS):
            for k, test in enumerate(TESTS):
                hits = models.correct(model, expected[row][test], y)
                assert np.array_equal(arrays["hits"][i, j, k], hits.numpy()), (name, row, test)
                cell = cells.loc[name, row, test]
                assert (cell.k, cell.n, cell.accuracy) == (hits.sum(), 15, pytest.approx(hits.sum() / 15))
                assert (cell.low, cell.high) == pytest.approx(metrics.wilson(int(hits.sum()), 15))


def test_each_network_is_trained_on_its_own_images(outcome, loaded):
    _, _, networks = outcome
    x, explainer = loaded.splits.train.images, networks["original"][0]
    assert torch.equal(networks["original"][1], x)
    heat = heatmaps.importance(explainer, x, epsilon=1e-6, radius=0.5, steps=2)
    for name, one in heat.items():
        assert torch.equal(networks[name][1], blur.blurred(x, blur.keep_mask(one, 0.15), 4))


def test_attackers_of_a_defended_network(outcome, loaded):
    (result, arrays, tables), _, networks = outcome
    few = torch.cat([torch.arange(3) + 5 * k for k in range(3)])
    x, y = loaded.splits.test.images[few], loaded.splits.test.labels[few]
    guard = defence.Defence(explainer=networks["original"][0], keep=0.15, sigma=4.0, epsilon=1e-6, radius=0.5, steps=2)
    eps = result["parameters"]["strengths"]["knowing"]
    table = tables["knowing"].assign(hits=list(arrays["knowing"])).set_index(["model", "attacker"])
    assert len(table) == 3 + 4 * 6 and (table.n == 9).all()
    model = networks["pgd"][0]
    many = {"eps": eps, "steps": 2}
    expected = {
        "clean": x,
        "unaware_one": attacks.fgsm(model, x, y, eps=eps),
        "unaware_many": defence.straight_through(guard, "original", model, x, y, **many),
        "fixed": defence.fixed_mask(guard, "pgd", model, x, y, eps=eps),
        "recomputed": defence.straight_through(guard, "pgd", model, x, y, **many),
        "explainer": defence.straight_through(guard, "original", guard.explainer, x, y, **many),
    }
    for attacker, x_adv in expected.items():
        hits = models.correct(model, guard.apply(x_adv, "pgd"), y).numpy()
        assert np.array_equal(table.loc[("pgd", attacker), "hits"], hits)
    bare = models.correct(guard.explainer, attacks.fgsm(guard.explainer, x, y, eps=eps), y).numpy()
    assert np.array_equal(table.loc[("original", "unaware_one"), "hits"], bare)


def test_what_a_unit_tells(outcome, loaded):
    (result, arrays, tables), folder, networks = outcome
    assert result["classes"] == list(CLASSES[:3]) and result["model"]["initialisation"] == "pretrained"
    assert result["model"]["other_classes"] == ["bottom", "middle"] and result["model"]["other_images"] == 16
    assert set(result["kept"]) == set(heatmaps.HEATMAPS) and result["kept"]["pgd"]["min"] >= 0.15
    assert len(tables["overlap"]) == 6 and tables["overlap"]["mean"].between(0, 1).all()
    assert arrays["example_image"].shape == (3, 3, 32, 32) and arrays["example_heat_pgd"].shape == (3, 32, 32)
    assert [path.suffix for path in folder.glob("blurring/[!.]*")] == [".safetensors"]  # what others start from


def test_strengths_are_matched_on_validation_images(outcome, loaded):
    (result, _, tables), _, networks = outcome
    table, model, val = tables["strengths"], networks["original"][0], loaded.splits.val
    for name, part in table.groupby("attack"):
        assert len(part) == 3 and part.chosen.sum() == 1
        chosen = part[part.chosen].iloc[0]
        assert result["parameters"]["strengths"][name] == chosen.strength
        assert abs(chosen.accuracy - chosen.aim) == (part.accuracy - part.aim).abs().min()
        low, high = CHOICES.newtonfool_range if name == "newtonfool" else CHOICES.fgsm_range
        assert np.isclose(part.strength, (low * high) ** 0.5).any()  # where bisection begins
    eps = table[table.attack == "fgsm"].iloc[0]
    x_adv = attacks.fgsm(model, val.images, models.predict(model, val.images).argmax(1), eps=eps.strength)
    assert eps.k == models.correct(model, x_adv, val.labels).sum()


def test_the_aim_is_a_share_where_clean_accuracy_is_below_it(outcome, loaded):
    _, _, networks = outcome
    model, val = networks["original"][0], loaded.splits.val
    wrong = val.subset(slice(None))
    wrong = data.ImageSet(wrong.images, (models.predict(model, wrong.images).argmax(1) + 1) % 3, wrong.class_names)
    table = compute.match(model, wrong, CHOICES)
    assert (table.aim == 0).all()  # nothing is right, so nothing is aimed at
    some = data.ImageSet(
        val.images, torch.where(torch.arange(12) < 10, wrong.labels - 1, wrong.labels) % 3, val.class_names
    )
    aims = compute.match(model, some, CHOICES).groupby("attack").aim.first()  # 10 of 12 are right: 83 %
    expected = {"fgsm": 10 / 12 * 246 / 269, "knowing": 5 / 12, "newtonfool": 82 / 300}
    assert aims.to_dict() == pytest.approx(expected)
    right = data.ImageSet(val.images, models.predict(model, val.images).argmax(1), val.class_names)
    aims = compute.match(model, right, CHOICES).groupby("attack").aim.first()
    assert aims.to_dict() == pytest.approx({"fgsm": 0.82, "knowing": 0.5, "newtonfool": 82 / 300})


def test_newtons_first_step_by_both_readings(outcome, loaded):
    (result, _, _), _, networks = outcome
    model, x = networks["original"][0].double(), loaded.splits.test.images.double()
    eta = result["parameters"]["strengths"]["newtonfool"]
    found = compute.newton_steps(model, x, eta)
    lengths = []
    for image in x:
        y = models.predict(model, image[None]).argmax(1)
        gradient, excess, _ = attacks.probability_gradient(model, image[None], y)
        size, slope = float((image**2).sum()) ** 0.5, float((gradient**2).sum()) ** 0.5
        first = min(eta * size * slope, float(excess)) / slope**2 * slope
        second = min(eta * size**2 * slope**2, float(excess)) / slope**4 * slope
        lengths.append((first, second, second / first))
    for values, name in zip(zip(*lengths, strict=True), ("definition", "squared", "ratio"), strict=True):
        assert found[name]["median"] == pytest.approx(float(np.median(values))) and found[name]["n"] == 15
    model.float()


def test_a_killed_run_loses_no_finished_network(outcome, loaded, tmp_path, monkeypatch):
    whole = outcome[0]
    plan = studies.Planned("blurring", CHOICES, 0)
    evaluate, measured = compute.evaluate, []

    def breaking(*args):
        if len(measured) == 2:
            raise KeyboardInterrupt
        measured.append(1)
        return evaluate(*args)

    monkeypatch.setattr(compute, "evaluate", breaking)
    with pytest.raises(KeyboardInterrupt):
        compute.compute(plan, loaded, weights=tmp_path, progress=False)
    kept = {path.name for path in tmp_path.glob("blurring/[!.]*.npz")}
    assert kept == {f"{plan.name}-{name}.npz" for name in ("strengths", "original", "gradient")}
    counted = []
    monkeypatch.setattr(compute, "evaluate", lambda *args: counted.append(1) or evaluate(*args))
    resumed = compute.compute(plan, loaded, weights=tmp_path, progress=False)
    assert len(counted) == 3
    assert np.array_equal(resumed[1]["hits"], whole[1]["hits"])
    pd.testing.assert_frame_equal(resumed[2]["knowing"], whole[2]["knowing"])
    pd.testing.assert_frame_equal(resumed[2]["strengths"], whole[2]["strengths"], check_dtype=False)


def test_what_is_kept_is_read_under_its_key_alone(tmp_path):
    path = tmp_path / "a" / "part.npz"
    calls = []

    def compute():
        calls.append(1)
        return {"hits": np.array([True, False]), "names": ["x", "y"]}

    assert partial.kept(path, "one", compute)["names"].tolist() == ["x", "y"]
    assert partial.kept(path, "one", compute)["hits"].tolist() == [True, False] and len(calls) == 1
    partial.kept(path, "two", compute)
    path.write_bytes(b"broken")
    partial.kept(path, "two", compute)
    assert len(calls) == 3 and [p.name for p in path.parent.iterdir()] == ["part.npz"]


def test_imagenet_weights_that_are_missing_are_told(loaded, tmp_path, monkeypatch):
    monkeypatch.setattr(resnet, "load_imagenet_weights", lambda model: False)
    choices = replace(CHOICES, weights=choices.IMAGENET)
    state, told = compute.initial(loaded, choices, seed=0, folder=tmp_path, progress=False)
    assert state is None and told == {"initialisation": "scratch"}
    monkeypatch.setattr(resnet, "load_imagenet_weights", lambda model: True)
    state, told = compute.initial(loaded, choices, seed=0, folder=tmp_path, progress=False)
    assert "layer4.0.conv3.weight" in state and told == {"initialisation": "imagenet"}


# Choices


@pytest.mark.parametrize("profile", studies.PROFILES)
def test_profiles_plan_units_of_their_own_names(profile):
    plans = studies.planned(profile, "blurring")
    assert len({plan.name for plan in plans}) == len(plans) > 1
    assert {plan.choices.weights for plan in plans} >= {choices.SCRATCH, choices.PRETRAINED}
    assert choices.REASONS.keys() <= vars(plans[0].choices).keys()


def test_three_seeds_and_a_larger_version_are_planned():
    desk = [plan.choices for plan in studies.planned("desk", "blurring")]
    assert [one.repeat for one in desk if one.weights == choices.PRETRAINED] == [0, 1, 2]
    assert any(one.classes is None for one in desk)
    paper = studies.planned("paper", "blurring")
    full = [plan.choices for plan in paper if plan.choices.classes is None]
    assert full and all(one.train is None and one.test is None for one in full)
    thesis = [one for one in desk if one.classes == 3]
    assert all((one.train, one.test, one.sigma, one.keep) == (400, 100, 4.0, 0.15) for one in thesis)
    assert all(plan.choices.width == 1 and plan.choices.blocks == (3, 4, 6, 3) for plan in paper)


def test_the_code_of_the_study_leaves_its_presentation_out():
    found = fingerprints.files(*studies.entries("blurring"))
    assert {"attacks.py", "blur.py", "defence.py", "relevance.py", "resnet.py"} <= set(found)
    assert not {"published_blurring.py", "config_blurring.py", "blurring_results.py", "studies/partial.py"} & set(found)


# Beside the thesis


def test_repetitions_are_one_group(units):
    assert [[seeds.of(unit) for unit in group] for group in seeds.groups(units)] == [
        [0],
        [0, 1],
    ]
    assert results.label(units[1]) == "CIFAR-10, 3 classes, pre-trained"
    assert results.network(units[0]) == "bottlenecks 1-1-1-1, 0.0625 of the channels"


def test_the_table_of_150(units):
    table = tables.compare(units[1:])
    assert len(table) == 150 and not table.duplicated(["model", "row", "test"]).any()
    assert (table.thesis_n == N).all() and (table.seeds == "0, 1").all() and (table.n == 15).all()
    for _, row in table.sample(12, random_state=0).iterrows():
        place = list(MODELS).index(row.model), list(ROWS).index(row.row), list(TESTS).index(row.test)
        assert row.thesis == pytest.approx(TABLES[row.model][place[1]][place[2]] / 100, abs=1e-4)
        counts = [unit.arrays["hits"][place].sum() for unit in units[1:]]
    overlap = (table.thesis_low <= table.high) & (table.low <= table.thesis_high)
    assert ((table.verdict == "agrees") == overlap).all() and len(counts) == 2
    assert tables.compare(units[:1]).verdict.unique().tolist() == ["no published value"]


def test_the_table_of_a_model_is_set_as_in_the_thesis(units):
    wide = tables.crossed(tables.compare(units[1:]), "original")
    assert wide.shape == (5, 7) and wide.iloc[0, 1].endswith("(89.7)") and wide.iloc[3, 1].endswith("(27.3)")
    assert list(wide.columns[1:]) == list(TESTS.values())


def test_conclusions_are_judged_from_hits(units):
    table = claims.verdicts(units[:1])
    hits = units[0].arrays["hits"].astype(float)
    row = table[(table.id == "trained") & (table.model == "pgd") & (table.row == "fgsm_blur")].iloc[0]
    change = hits[4, 2].mean(0) - hits[0, 2].mean(0)
    assert row.ours == pytest.approx(change.mean()) and (row.low, row.high) == pytest.approx(metrics.bootstrap(change))
    row = table[(table.id == "early") & (table.model == "original") & (table.row == "blur_newtonfool")].iloc[0]
    assert row.ours == pytest.approx((hits[0, 0, 1:] - hits[0, 3, 1:]).mean())
    row = table[(table.id == "late") & (table.model == claims.ALL)].iloc[0]
    change = np.mean([hits[m, r, 1:] - hits[m, 0, 1:] for m in range(5) for r in (2, 4)])
    assert row.ours == pytest.approx(change)
    row = table[(table.id == "trained-loss") & (table.model == "gradient") & (table.row == "blur_fgsm")].iloc[0]
    assert row.ours == pytest.approx(((hits[0, 0] - hits[0, 1]) - (hits[1, 0] - hits[1, 1])).mean())
    assert (table["thesis's verdict"] == "").all() and len(table) == 2 * 17 + 2 * 11


def test_the_thesis_is_judged_by_the_same_rule(units):
    table = claims.verdicts(units[1:])
    row = table[(table.id == "trained") & (table.model == "lrp_epsilon") & (table.row == "fgsm_blur")].iloc[0]
    mean = {m: np.mean(TABLES[m][2]) / 100 for m in ("original", "lrp_epsilon")}
    assert row.thesis == pytest.approx(mean["lrp_epsilon"] - mean["original"])
    expected = metrics.newcombe(round(300 * mean["original"]), 300, round(300 * mean["lrp_epsilon"]), 300)
    assert (row.thesis_low, row.thesis_high) == pytest.approx(
        tuple(expected), abs=0.002
    )  # Newcombe rounds the value too
    whole = table[table.model == claims.ALL].set_index("id")["thesis's verdict"]
    assert whole["early"] == "reproduced" and whole["late"] == "undecided"  # −1.1 points, give or take six


def test_combined_is_newcombes_for_two_proportions():
    value, interval = claims.combined([(1, 0.6), (-1, 0.45)], 40)
    assert value == pytest.approx(0.15) and tuple(interval) == pytest.approx(tuple(metrics.newcombe(18, 40, 24, 40)))
    _, other = claims.combined([(-1, 0.45), (1, 0.6)], 40)
    assert tuple(other) == pytest.approx(tuple(interval))


def test_what_an_attacker_leaves(units):
    table = tables.knowing(units[:1]).set_index(["model", "attacker"])
    assert len(table) == 4 * 7
    keys = list(units[0].table("knowing")[["model", "attacker"]].itertuples(index=False, name=None))
    hits = dict(zip(keys, units[0].arrays["knowing"], strict=True))
    worst = np.logical_and.reduce([one for (model, _), one in hits.items() if model == "gradient"])
    bare = np.logical_and.reduce([one for (model, _), one in hits.items() if model == "original"])
    row = table.loc["gradient", "worst"]
    assert row.accuracy == pytest.approx(worst.mean()) and row.left == pytest.approx(worst.mean() - bare.mean())
    row = table.loc["pgd", "recomputed"]
    assert row.undefended == pytest.approx(hits["original", "unaware_many"].mean())
    assert (row.left_low, row.left_high) == pytest.approx(
        metrics.paired_difference(hits["original", "unaware_many"].astype(int), hits["pgd", "recomputed"].astype(int))
    )
    assert table.loc[("pgd", "fixed"), "undefended"] == pytest.approx(hits["original", "unaware_one"].mean())


def test_pages_are_drawn_from_units(units):
    groups = seeds.groups(units)
    figure, table = charts.bars(groups[1])
    assert len(figure.axes) == 4 and len(table) == 150
    figure, table = charts.strengths(units)
    assert len(table) == 3 * 9 and set(table.attack) == {"fgsm", "knowing", "newtonfool"}
    figure, table = charts.attackers(units)
    assert len(table) == 2 * 4 * 7
    for sheet, arrays in (charts.blur_sheet(units[0]), charts.heatmap_sheet(units[0]),
                          charts.attack_sheet(units[0])):  # fmt: skip
        assert len(sheet.strips) == 3 and all(array.shape == (3, 3, 32, 32) for array in arrays.values())
        assert sheet.markup(name="a", alt="b").count("<img") == sum(len(strip.cells) for strip in sheet.strips)
    frames = charts.frames(units[0], (0.0, 0.15), (1.0, 2.0, 4.0))
    assert (len(frames), len(frames[0]), len(frames[0][0])) == (4, 2, 3)
    assert frames[0][1][2].title == "Gradient: 15% kept, σ = 4"
    assert len(tables.overlaps(units)) == 12
    told = tables.open_choices(units, choices.REASONS).set_index("choice").value
    assert told["aims"] == "clean 0.8967, fgsm 0.82, newtonfool 0.2733" and told["keep"] == "0.15"


def test_answers_hold_the_numbers(units):
    table = tables.accuracies(units)
    assert table.thesis.iloc[1] == pytest.approx(269 / 300) and np.isnan(table.thesis.iloc[0])
    assert f"{100 * table.ours.iloc[0]:.1f} %" in words.answer_accuracy(table)
    assert "no numbers" in words.answer_cells(units[:1])
    assert "of 150 accuracies" in words.answer_cells(units[1:])
    verdicts = claims.verdicts(units)
    text = words.answer_conclusions(verdicts)
    assert text.count("Rule:") == 4 and "the thesis’s own numbers: reproduced (+32.0 [" in text
    assert len(tables.overview(verdicts)) == 4 * 3
    assert words.answer_knowing(tables.knowing(units)).count("\n") == 1
    assert "by the definition the first step" in words.answer_newton(units)


# The printed tables


def test_every_printed_accuracy_is_a_count_of_300():
    values = np.array(list(TABLES.values()))
    assert values.shape == (5, 5, 6)
    assert (np.abs(values * 3 - np.round(values * 3)) <= 0.0101).all()


def test_the_tables_are_read_right():
    values = np.array(list(TABLES.values()))
    assert values.sum((1, 2)).round(2).tolist() == [1784.65, 1979.68, 2061.0, 2071.69, 1910.99]
    assert values.sum((0, 1)).round(2).tolist() == [1470.32, 1614.68, 1694.35, 1671.98, 1686.01, 1670.67]
    assert (values[:, 1, 0] == values[:, 2, 0]).all()  # FGSM on originals is in two rows
    assert (values[[3, 4], 3, 0] != values[[3, 4], 4, 0]).all()  # NewtonFool too, but was run twice
