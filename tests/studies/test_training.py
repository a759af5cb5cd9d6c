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
