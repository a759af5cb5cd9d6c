"""How studies train: what the choices say, and a checkpoint that is of what it was trained with."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
import samples
import torch

from roa_helpers import data, models, studies


@dataclass(frozen=True)
class Choices:
    epochs: int = 2
    batch: int = 8
    learning_rate: float = 0.02
    weight_decay: float = 5e-4
    augment: bool = True
    mixed: bool = True


@pytest.mark.parametrize("able", [True, False])
def test_the_choices_say_how_and_the_machine_whether_in_bfloat16(monkeypatch, able):
    monkeypatch.setattr(models, "has_bfloat16", lambda: able)
    fields = {"epochs": 2, "learning_rate": 0.02, "weight_decay": 5e-4, "augment": True, "mixed": able}
    assert studies.training_of(Choices(), seed=3, batch=4) == models.Training(**fields, batch=4, seed=3)
    assert not studies.training_of(replace(Choices(), mixed=False), seed=3).mixed


def test_what_a_study_does_not_leave_open_is_no_choice():
    choices = SimpleNamespace(**{name: value for name, value in vars(Choices()).items() if name != "augment"})
    assert studies.training_of(choices, seed=0, augment=False).augment is False
    with pytest.raises(AttributeError, match="augment"):
        studies.training_of(choices, seed=0)


def test_a_checkpoint_is_read_only_for_what_it_depends_on(tmp_path):
    splits = data.in_colour(samples.splits())
    training = studies.training_of(Choices(mixed=False, epochs=1), seed=0)

    def trained(depends=("a",), makers=(models.vgg16,), training=training):
        model = models.vgg16(2, width=1 / 64, seed=training.seed)
        return studies.trained(model, splits.train, splits.val, training, path=tmp_path / "m.safetensors",
                               depends=depends, makers=makers, progress=False)  # fmt: skip

    first, again = trained(), trained()
    assert not first.reused and again.reused and not again.model.training
    for own, same in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(own, same)
    changes = {"depends": ("b",)}, {"makers": (models.fit,)}, {"training": replace(training, batch=4)}
    assert not any(trained(**change).reused for change in changes)


class Asked(Exception):
    """Training was asked for."""


@pytest.mark.parametrize(("study", "dataset"), [("roi_roa", "digits"), ("curvature", "digits")])
def test_a_network_for_trying_out_is_that_of_the_study(results, monkeypatch, study, dataset):
    """Same choices, images, seed and checkpoint: what the study has trained is read."""
    compute, calls = studies.find(study).part("compute"), []

    def train(choices, splits, *, seed, path, progress):
        calls.append((choices, splits.fingerprint, seed, path))
        raise Asked

    monkeypatch.setattr(compute, "train", train)
    with pytest.raises(Asked):
        studies.network(study, dataset)
    with pytest.raises(Asked):
        studies.run(studies.planned("quick", study, dataset=dataset)[0], profile="quick", progress=False)
    assert calls[0] == calls[1] and calls[0][3].is_relative_to(results / "quick" / "models")


def test_a_network_for_trying_out_can_be_asked(results, monkeypatch):
    choices = replace(studies.planned("quick", "roi_roa", dataset="digits")[0].choices, epochs=1, width=1 / 64)
    monkeypatch.setattr(studies.find("roi_roa").part("choices"), "UNITS", {"quick": (choices,)})
    model, images = studies.network("roi_roa", "digits", progress=False)
    again, _ = studies.network("roi_roa", "digits", progress=False)
    x = images.test.images[:2]
    assert not model.training and x.shape[1:] == (3, 48, 48)
    assert torch.equal(models.predict(model, x), models.predict(again, x))
