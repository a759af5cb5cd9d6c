"""The study on a tiny network: what it measures, what a killed run keeps, what pages say of it."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from roa_helpers import attacks, data, geometry, metrics, models, studies
from roa_helpers.errors import UserError
from roa_helpers.page import claims, tables
from roa_helpers.records import store
from roa_helpers.studies.curvature import (
    charts,
    choices,
    claims,
    compute,
    directions,
    pictures,
    published,
    subspaces,
    tables,
    words,
)

CHOICES = choices.Curvature(
    dataset="digits", network="lenet", train=30, val=5, test=12, width=0.2, epochs=4, batch=16, boundary=(4, 2, 4, 3),
    steps=(1e-3, 1.0), block=8, lanczos=4, evaluated=40, lined=20, positions=9, ranks=5, stacked=40, confined=8,
    spans=3, epochs_universal=2, bridged=4, energy=2,
)  # fmt: skip
PLAN = studies.Planned("curvature", CHOICES, 0)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("curvature")


@pytest.fixture(scope="session")
def splits():
    return compute.load(CHOICES, progress=False)


@pytest.fixture(scope="session")
def unit(folder, splits):
    """A finished unit of the tiny network."""
    models.use_threads(1)
    result, arrays, tables = compute.compute(PLAN, splits, weights=folder, progress=False)
    head = {"study": "curvature", "unit": PLAN.name, "profile": "quick", "seed": 0}
    origin = store.provenance(device="cpu", data=splits.provenance, seconds=1.0)
    whole = head | result | {"provenance": origin, "fingerprint": studies.expected(PLAN) | {"data": "made here"}}
    return store.write(folder / "quick" / "curvature" / PLAN.name, whole, arrays=arrays, tables=tables)


@pytest.fixture(scope="session")
def network(folder, unit, splits):
    return compute.train(CHOICES, splits, seed=0, path=weights(folder), progress=False)[0]


def weights(folder):
    return folder / "curvature" / f"{PLAN.name}.safetensors"


# What is measured


def test_a_unit_counts_and_has_intervals(unit):
    result = unit.result
    assert result["dataset"] == "digits" and result["model"]["network"] == "lenet" and result["dimensions"] == 64
    assert result["exact_hessian"] == 0 and result["featured"] in result["classes"]
    for found in result["coupling"].values():
        for name in ("curved_flat", "curved_random", "positive_negative", "correlation", "beyond_dimension"):
            low, high = found[f"{name}_interval"]
            assert low <= high and -1 <= found[name] <= 1
    assert list(result["coupling"]) == list(CHOICES.methods)
    assert result["model"]["test"]["n"] == 120 and result["deepfool"]["n"] == 40


def test_the_whole_space_holds_everything(unit):
    accuracy, norms = unit.table("accuracy"), unit.table("norms")
    whole = accuracy[(accuracy.dimension == 64) & (accuracy.part == "test")]
    assert whole.k.nunique() == 1 and len(whole) >= 5
    np.testing.assert_allclose(norms[norms.dimension == 64]["mean"], 1, atol=1e-4)
    nothing = norms[norms.dimension == 0]
    assert (nothing["mean"] == 0).all() and set(norms.attack) == set(charts.ATTACKS)


def test_boundary_points_lie_on_the_boundary(network, splits):
    predicted = models.predict(network, splits.train.images).argmax(1)
    found = directions.boundary(network, splits.train.images, predicted, 3, 5, CHOICES, seed=0)
    scores = geometry.scores(network, found["points"])
    assert (found["pairs"][:, 0] == 3).all() and (scores.argmax(1) == 3).all()
    gap = scores[:, 3] - scores.gather(1, found["pairs"][:, 1:])[:, 0]
    assert (gap > 0).all() and (gap <= 1.1e-3).all()
    assert found["tried"] == 5 and len(found["norms"]) <= 5


def test_extremes_come_in_the_order_of_their_curvature():
    matrix = torch.diag(torch.tensor([5.0, -4.0, 3.0, -2.0, 0.1, 0.0]).double())
    found = directions.extremes(geometry.principal_curvatures(matrix), 2, seed=0)
    assert found["values_positive"].tolist() == [5, 3] and found["values_negative"].tolist() == [-4, -2]
    assert found["positive"].abs().argmax(0).tolist() == [0, 2]
    assert found["negative"].abs().argmax(0).tolist() == [1, 3]
    assert found["flat"].abs().argmax(0).tolist() == [5, 4]


def test_without_all_eigenvectors_flat_is_what_is_left():
    vectors = torch.eye(6).double()[:, :3]
    found = directions.extremes(geometry.Curvatures(torch.tensor([2.0, 0.0, -1.0]).double(), vectors), 4, seed=0)
    assert found["positive"].shape == (6, 1) and found["flat"].shape == (6, 4)
    assert float(found["flat"][[0, 2]].abs().max()) < 1e-6  # the middle one has no curvature, so it is flat, too


def test_subspaces_of_all_classes():
    parts = [
        {kind: torch.linalg.qr(torch.randn(12, 2))[0] for kind in ("positive", "negative", "flat")} for _ in range(3)
    ]
    found = directions.spaces(parts, seed=0)
    assert found["positive"].counts == (0, 3, 6) and found["both"].counts == (0, 6, 12)
    assert found["random"].counts == (0, 3, 6, 9, 12)


class Axes(nn.Module):
    """Logits are the first two numbers of the image and a constant."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.full((1, 2, 2), 0.5))

    def forward(self, x):
        v = x.flatten(1)
        return torch.stack([v[:, 0], v[:, 1], 0 * v[:, 0] + 0.5], 1)


def test_accuracy_inside_a_subspace_by_hand():
    x = torch.tensor([[0.9, 0.1, 0.3, 0.3], [0.6, 0.8, 0.3, 0.3]]).reshape(2, 1, 2, 2)
    hits = subspaces.hits_inside(Axes(), x, torch.tensor([0, 1]), torch.eye(4), [0, 1, 2])
    # at the mean all scores are equal and class 0 wins the tie; with the first axis alone class 0 wins twice
    assert hits.tolist() == [[True, True, True], [False, False, True]]


def test_scores_along_a_direction_and_what_they_move():
    x = torch.full((2, 1, 2, 2), 0.4)
    logits = directions.along(Axes(), x, torch.tensor([1.0, 0, 0, 0]), np.array([-1.0, 0.0, 1.0]))
    assert logits[0, :, 0].tolist() == pytest.approx([-0.6, 0.4, 1.4])
    table = directions.population(logits, torch.tensor([2, 2]), 0, np.array([-1.0, 0.0, 1.0]))
    assert table.moved.tolist() == [0, 0, 2] and (table.others == 2).all() and (table.own == 0).all()
    assert table.target_50.tolist() == pytest.approx([-0.6, 0.4, 1.4]) and table.other_50.tolist() == [0.5] * 3


def test_energy_sums_to_one_and_is_even_for_a_whole_basis():
    basis = torch.linalg.qr(torch.randn(12, 5))[0]
    assert float(subspaces.energy(basis, (3, 2, 2)).sum()) == pytest.approx(1, abs=1e-6)
    whole = subspaces.energy(torch.linalg.qr(torch.randn(12, 12))[0], (3, 2, 2))
    torch.testing.assert_close(whole, torch.full((2, 2), 0.25).double(), atol=1e-6, rtol=0)


def test_places_are_whole_increasing_and_end_where_they_should():
    assert subspaces.places(100, 3) == [0, 1, 10, 100]
    assert subspaces.places(2, 9) == [0, 1, 2]


def test_areas_and_correlations_of_known_curves():
    early, middle, late = (np.array([[0, *row]] * 6, dtype=bool) for row in ((1, 1, 1), (0, 1, 1), (0, 0, 1)))
    kept = {"early": [0, 0.8, 0.9, 1], "late": [0, 0.1, 0.2, 1], "middle": [0, 0.4, 0.5, 1]}
    kept = {name: np.tile(values, (6, 1)) for name, values in kept.items()}
    counts = [0, 2, 8, 32]
    raw = {
        "positive": (counts, early, kept["early"]), "negative": (counts, early, kept["early"]),
        "both": (counts, early, kept["early"]), "flat": (counts, late, kept["late"]),
        "random": (counts, middle, kept["middle"]),
    }  # fmt: skip
    found = subspaces.coupling(raw)
    assert found["curved_flat"] == pytest.approx((6 + 24 / 2) / 30, abs=0.01) and found["positive_negative"] == 0
    assert found["curved_random"] == pytest.approx(6 / 2 / 30, abs=0.01) and found["curved_flat_range"] == [2, 32]
    assert found["beyond_dimension"] > 0.8 and found["correlation"] > 0.5 and found["images"] == 6
    assert found["curved_flat_interval"] == pytest.approx([found["curved_flat"]] * 2)
    with pytest.raises(ValueError, match="no range of dimensions: 32 to 32"):
        subspaces.coupling(raw | {"flat": ([0, 32], late[:, :2], kept["late"][:, :2])})


def test_the_bare_network_is_the_first_row_of_table_one(unit, network, splits):
    counts, norms = unit.table("compression"), unit.table("compressed")
    whole = counts[counts.side == 8]
    assert (whole[whole.measured != "accuracy"].k == whole[whole.measured != "accuracy"].n).all()
    first = norms[norms.side == 8].iloc[0]
    assert first.ratio == pytest.approx(1) and first.loss == 0
    assert list(norms.side) == sorted(set(norms.side), reverse=True)
    aware = counts[counts.measured == "aware"].pivot(index="side", columns="f", values="k")
    assert (aware.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_an_image_counts_as_fooled_where_the_prediction_behind_the_unit_changes(network, splits):
    x, labels = compute.sample(splits.test, 10, seed=0)
    found = attacks.deepfool(network, x, steps=30, overshoot=0.02, clip=False)
    counts, _ = subspaces.table_one(network, x, labels, found, CHOICES)
    behind = subspaces.networks.Resampled(network, 5)
    done = found.success
    moved = x[done] + 3 * (found.x_adv - x)[done]
    expected = (behind(moved).argmax(1) != behind(x[done]).argmax(1)).sum()
    row = counts[(counts.side == 5) & (counts.measured == "unaware") & (counts.f == 3)].iloc[0]
    assert row.k == int(expected) and row.n == int(done.sum())


# A killed run, other data


def test_a_killed_run_keeps_its_parts_and_ends_alike(unit, folder, splits, monkeypatch, tmp_path):
    calls, whole = [], directions.curvatures

    def counting(method, *rest):
        calls.append(method)
        if len(calls) == 13:
            raise KeyboardInterrupt
        return whole(method, *rest)

    path = tmp_path / "curvature" / f"{PLAN.name}.safetensors"
    path.parent.mkdir()
    path.write_bytes(weights(folder).read_bytes())
    monkeypatch.setattr(directions, "curvatures", counting)
    with pytest.raises(KeyboardInterrupt):
        compute.compute(PLAN, splits, weights=tmp_path, progress=False)
    result, _, tables = compute.compute(PLAN, splits, weights=tmp_path, progress=False)
    assert len(calls) == 13 + 4 * 10 - 12
    assert not (tmp_path / "curvature" / f"{PLAN.name}.parts").exists()
    assert result["coupling"]["twin"]["curved_flat"] == unit.result["coupling"]["twin"]["curved_flat"]
    pd.testing.assert_frame_equal(
        tables["accuracy"].reset_index(drop=True), unit.table("accuracy"), check_dtype=False, rtol=1e-5
    )


def test_one_class_is_not_enough(tmp_path):
    from PIL import Image

    (tmp_path / "own" / "only").mkdir(parents=True)
    for k in range(8):
        Image.new("RGB", (8, 8), (k, 0, 0)).save(tmp_path / "own" / "only" / f"{k}.png")
    with pytest.raises(UserError, match="one class"):
        compute.load(replace(CHOICES, dataset=str(tmp_path / "own")), progress=False)


def test_own_images_get_one_size():
    assert CHOICES.size is None and replace(CHOICES, dataset="some/folder").size == choices.OWN_SIDE
    (plan,) = studies.planned("quick", "curvature", dataset="some/folder")
    assert plan.choices.size == choices.OWN_SIDE and plan.name.startswith("own-folder-")


def test_imagenet_weights_that_cannot_be_had_are_said(monkeypatch, splits, tmp_path):
    monkeypatch.setattr(compute.networks, "imagenet_alexnet", lambda: None)
    monkeypatch.setitem(compute.networks.BUILDERS, "alexnet", compute.networks.lenet)
    choices = replace(CHOICES, network="imagenet-alexnet", epochs=1)
    _, told = compute.train(choices, splits, seed=0, path=tmp_path / "model.safetensors", progress=False)
    assert told["initialisation"] == "scratch" and told["network"] == "alexnet"


def test_cifar100_is_read_from_class_folders_and_known_by_its_official_file(tmp_path):
    known = data.KNOWN["cifar100"]
    assert len(known.classes) == 100 and list(known.classes) == sorted(known.classes)
    with pytest.raises(UserError, match="cifar-100-python"):
        data.load("cifar100", root=tmp_path)
    (tmp_path / "cifar-100-python").mkdir()
    for name in ("meta", "train", "test"):
        (tmp_path / "cifar-100-python" / name).write_bytes(b"not whole")
    with pytest.raises(UserError, match="is not whole"):
        data.load("cifar100", root=tmp_path)


@pytest.mark.parametrize("profile", studies.PROFILES)
def test_profiles_plan_what_the_study_knows(profile):
    plans = studies.planned(profile, "curvature", seed=0)
    assert len({plan.name for plan in plans}) == len(plans) > 0
    for plan in plans:
        choices = plan.choices
        assert choices.dataset in data.KNOWN and len(choices.methods) == len(choices.boundary)
        assert set(choices.methods) <= set(tables.METHODS) and choices.positions % 2
        assert choices.network in published.NETWORKS
    assert set(choices.REASONS) <= set(asdict(plans[0].choices))


def test_the_paper_profile_has_all_networks_of_the_paper():
    plans = {(plan.choices.dataset, plan.choices.network) for plan in studies.planned("paper", "curvature")}
    assert {("mnist", "lenet"), ("cifar10", "nin"), ("cifar10", "alexnet"), ("cifar100", "alexnet")} < plans


# The paper's values, claims and pages


def test_table_one_as_printed():
    rows = {row.side: row for row in published.TABLE_ONE}
    assert list(rows) == [227, 200, 150, 120, 100]
    assert rows[200].fooled[1] == 0.3275 and rows[100].fooled[10] == 0.883 and rows[227].accuracy == 0.5775
    assert rows[120].perturbation == 41.92 and rows[150].image == 26327.03
    assert rows[200].interval(1) == metrics.wilson(655, 2000)
    assert tables.widest() == pytest.approx(2.19, abs=0.01)


def test_each_claim_is_judged_by_its_own_interval(unit):
    table = claims.verdicts([unit])
    own = table[table.profile != ""]
    assert set(own.id) == {claim.id for claim in claims.CLAIMS}
    bounds = {claim.id: (claim.bound, claim.above) for claim in claims.CLAIMS}
    for row in table.itertuples():
        bound, above = bounds[row.id]
        holds, fails = (row.low > bound, row.high < bound) if above else (row.high < bound, row.low > bound)
        expected = claims.REPRODUCED if holds else claims.CONTRADICTED if fails else claims.UNDECIDED
        assert row.verdict == expected
    paper = table[table.profile == ""]
    assert len(paper) == 8 and (paper.verdict == claims.REPRODUCED).all() and (paper.n == 2000).all()


def test_a_claim_that_holds_below_its_bound():
    claim = next(claim for claim in claims.CLAIMS if claim.id == "symmetric")
    assert claims.verdict(claim, (0.0, 0.1)) == claims.REPRODUCED
    assert claims.verdict(claim, (0.3, 0.4)) == claims.CONTRADICTED
    assert claims.verdict(claim, (0.2, 0.4)) == claims.UNDECIDED


def test_every_claim_belongs_to_a_statement_and_is_told(unit):
    table = claims.verdicts([unit])
    told = "\n".join(words.findings(statement, table) for statement in claims.STATEMENTS)
    for claim in claims.CLAIMS:
        assert claim.rule in told
    counts = claims.summary(table)
    assert counts.iloc[:, 1:].to_numpy().sum() == (table.profile != "").sum()
    grid = claims.grid(table, claims.MARKS)
    assert "Digits, LeNet" in grid and len(grid) == len(claims.CLAIMS)


CHARTS = ("single_curves", "shapes", "steps", "figure_three", "by_method", "areas", "figure_four", "figure_five",
          "compression", "bridge")  # fmt: skip


@pytest.mark.parametrize("name", CHARTS)
def test_charts_give_a_figure_and_its_data(unit, name):
    figure, table = getattr(charts, name)([unit])
    assert isinstance(figure, Figure) and len(table) and figure.axes


@pytest.mark.parametrize("kind", charts.DIRECTIONS)
def test_the_population_has_a_chart_for_every_kind(unit, kind):
    figure, table = charts.population([unit], kind)
    assert set(table.kind) == {kind} and len(table) == CHOICES.positions
    below = figure.axes[1]
    assert below.get_ylim()[1] > 100


def test_pictures_of_directions_and_confined_perturbations(unit):
    sheet = pictures.directions([unit])
    assert len(sheet.strips) == pictures.CLASSES and unit.result["featured"] in sheet.strips[0].title
    assert len(pictures.confined([unit]).strips) == len(unit.table("confined"))
    grey = pictures.direction(np.array([[[0.0, 2.0], [-2.0, 1.0]]]))
    assert grey[..., 0].tolist() == [[0.5, 1.0], [0.0, 0.75]]


def test_the_widget_moves_an_image_and_says_what_the_network_says(unit):
    frames = pictures.frames(unit, "positive")
    assert len(frames) == pictures.IMAGES and len(frames[0]) == pictures.POSITIONS
    places = pictures.offered(unit)
    assert places[0] == 0 and places[-1] == CHOICES.positions - 1 and CHOICES.positions // 2 in places
    middle = pictures.shifted(unit, 0, "positive", CHOICES.positions // 2)
    np.testing.assert_allclose(middle, unit.arrays["shown_images"][0], atol=1e-3)
    said = unit.result["classes"][int(unit.arrays["shown_scores"][0, 0, 0].argmax())]
    assert frames[0][0].cells[0].label.endswith(said)


def test_tables_and_sentences(unit):
    table = tables.table_one([unit])
    assert len(table) == 5 + len(unit.table("compressed")) and table["f = 1"].iloc[1] == "32.75"
    assert table["ratio (%)"].iloc[0] == round(100 * 63.96 / 26798.72, 2)
    costs = tables.costs([unit])
    assert costs["gradients a class"].iloc[0] == "2 n D = 512" and costs["numbers held"].iloc[0] == "D² = 4,096"
    assert "norm 0." in words.asymmetry([unit])
    assert words.depends(tables.dependence([unit])).count("\n") == 1
    assert words.bridged([unit]).count("the pixels") == 3
    assert len(tables.hessians([unit])) == 4 and len(tables.accuracies([unit])) == 1
    assert "of 2 dimensions" in words.at_one_dimension([unit])
    assert set(tables.open_choices([unit], choices.REASONS).choice) == set(choices.REASONS)
    log = tables.universal([unit])
    assert list(log.epoch) == list(range(1, len(unit.result["universal"]) + 1)) and (log.n == 40).all()
    libraries = tables.libraries([unit])
    assert libraries["ratio to ours"].iloc[0] == pytest.approx(1, abs=1e-4)
    assert "nothing to compare" in words.on_libraries(libraries[libraries.library == "roa-helpers"])


def test_the_study_is_found_by_its_name(results):
    assert [plan.name for plan in studies.planned("quick", "curvature")] == ["digits-lenet-seed0"]
    with pytest.raises(UserError, match="not of a pair"):
        studies.planned("quick", "curvature", dataset="digits", classes=("0", "1"))
