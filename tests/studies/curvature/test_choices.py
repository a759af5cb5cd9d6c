"""Which units the profiles have."""

from dataclasses import asdict, replace

import pytest

from roa_helpers import data, studies
from roa_helpers.errors import UserError
from roa_helpers.studies.curvature import choices, results, tables


def test_own_images_get_one_size(plan):
    assert plan.choices.size is None and replace(plan.choices, dataset="some/folder").size == choices.OWN_SIDE
    (own,) = studies.planned("quick", "curvature", dataset="some/folder")
    assert own.choices.size == choices.OWN_SIDE and own.name.startswith("own-folder-")


@pytest.mark.parametrize("profile", studies.PROFILES)
def test_profiles_plan_what_the_study_knows(profile):
    plans = studies.planned(profile, "curvature", seed=0)
    assert len({plan.name for plan in plans}) == len(plans) > 0
    for plan in plans:
        one = plan.choices
        assert one.dataset in data.KNOWN and len(one.methods) == len(one.boundary) == len(one.halves)
        assert all(2 * half <= max(one.boundary) for half in one.halves)
        assert set(one.methods) <= set(tables.METHODS) and one.positions % 2
        assert one.network in results.NETWORKS
    assert set(choices.REASONS) <= set(asdict(plans[0].choices))


def test_the_paper_profile_has_all_networks_of_the_paper():
    plans = {(plan.choices.dataset, plan.choices.network) for plan in studies.planned("paper", "curvature")}
    assert {("mnist", "lenet"), ("cifar10", "nin"), ("cifar10", "alexnet"), ("cifar100", "alexnet")} < plans


def test_the_desk_profile_has_three_seeds_of_what_is_trained_and_one_of_what_is_not():
    seeds = {}
    for plan in studies.planned("desk", "curvature"):
        seeds.setdefault(plan.choices.name, []).append(plan.seed)
    assert seeds == {
        "mnist-lenet": [0, 1, 2], "cifar10-nin": [0, 1, 2], "cifar10-alexnet": [0, 1, 2], "cifar100-alexnet": [0],
        "imagenette-imagenet-squeezenet": [0],
    }  # fmt: skip
    assert [plan.seed for plan in studies.planned("desk", "curvature", dataset="imagenette", seed=7)] == [7]


def test_the_study_is_found_by_its_name():
    assert [plan.name for plan in studies.planned("quick", "curvature")] == ["digits-lenet-seed0"]
    with pytest.raises(UserError, match="not of a pair"):
        studies.planned("quick", "curvature", dataset="digits", classes=("0", "1"))
