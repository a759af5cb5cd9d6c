"""Which units the profiles have."""

import pytest

from roa_helpers import studies
from roa_helpers.studies.blurring import choices


@pytest.mark.parametrize("profile", studies.PROFILES)
def test_profiles_plan_units_of_their_own_names(profile):
    plans = studies.planned(profile, "blurring")
    assert len({plan.name for plan in plans}) == len(plans) > 1
    assert {plan.choices.weights for plan in plans} >= {choices.SCRATCH, choices.PRETRAINED}
    assert choices.REASONS.keys() <= vars(plans[0].choices).keys()


def test_three_seeds_and_a_larger_version_are_planned():
    desk = [plan.choices for plan in studies.planned("desk", "blurring")]
    names = [plan.name for plan in studies.planned("desk", "blurring")]
    assert names == [
        *(f"cifar10-3-{weights}-seed{seed}" for weights in ("pretrained", "scratch") for seed in range(3)),
        "cifar10-3-scratch-full-width-seed0",
        "cifar10-all-scratch-seed0",
    ]
    paper = studies.planned("paper", "blurring")
    full = [plan.choices for plan in paper if plan.choices.classes is None]
    assert full and all(one.train is None and one.test is None for one in full)
    thesis = [one for one in desk if one.classes == 3]
    assert all((one.train, one.test, one.sigma, one.keep) == (400, 100, 4.0, 0.15) for one in thesis)
    assert all(plan.choices.width == 1 and plan.choices.blocks == (3, 4, 6, 3) for plan in paper)
