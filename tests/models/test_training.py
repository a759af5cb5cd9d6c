"""Training: what is learnt, what a checkpoint holds, what a killed run goes on with."""

import logging
from dataclasses import dataclass, replace

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from roa_helpers import models
from roa_helpers.errors import UserError
from roa_helpers.models import checkpoints, training

TRAINING = models.Training(epochs=3, batch=8, learning_rate=0.02, weight_decay=5e-4, augment=True, mixed=False, seed=0)


@dataclass(frozen=True)
class Batch:
    """All that training needs of an ImageSet."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self):
        return len(self.labels)


@pytest.fixture(scope="module")
def sets():
    """Bright left halves against bright right halves, with noise."""

    def made(n, seed):
        noise = torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
        labels = torch.arange(n) % 2
        noise[labels == 0, :, :, :16] += 1
        noise[labels == 1, :, :, 16:] += 1
        return Batch(noise / 2, labels)

    return made(24, 0), made(8, 1)


def small(seed=0):
    return models.vgg16(2, width=1 / 32, seed=seed)


def fit(path, sets, *, fingerprint="f", training=TRAINING):
    return models.fit(small(), *sets, training, path=path, fingerprint=fingerprint, progress=False)


def content(model):
    return {name: tensor.contiguous().numpy().tobytes() for name, tensor in model.state_dict().items()}


def leftovers(path):
    return sorted(p.name for p in path.parent.iterdir() if p != path and p.suffix != ".lock")


class Killed(BaseException):
    """Not an Exception, as a signal is none."""


def killed_after(monkeypatch, epochs, *, in_the_middle=False):
    """Training that dies once ``epochs`` have been written, or halfway through the next."""
    epoch_of, step_of = training._epoch, torch.optim.SGD.step
    steps = 0

    def epoch(*args):
        if args[-1] == epochs and not in_the_middle:
            raise Killed
        return epoch_of(*args)

    def step(self, *args):
        nonlocal steps
        steps += 1
        if in_the_middle and steps == 3 * epochs + 2:  # 24 images in batches of 8: three steps an epoch
            raise Killed
        return step_of(self, *args)

    monkeypatch.setattr(training, "_epoch", epoch)
    monkeypatch.setattr(torch.optim.SGD, "step", step)


def test_the_learning_rate_warms_up_and_falls_to_zero():
    rates = [training._schedule(k / 100, 4) for k in range(401)]
    assert rates[0] == 0.02 and 0.94 < max(rates) <= 1 and abs(rates[-1]) < 1e-12
    assert rates.index(max(rates)) == 49 and sorted(rates[50:], reverse=True) == rates[50:]


def test_augmentation_shifts_and_flips_without_new_values():
    x = torch.arange(24 * 24.0).view(1, 1, 24, 24).expand(50, 1, 24, 24) / 576
    out = training._augmented(x, torch.Generator().manual_seed(0))
    assert out.shape == x.shape
    assert torch.isin(out, x).all()
    centre = out[:, 0, 12, 12] * 576
    rows, columns = centre // 24, centre % 24
    assert set(rows.tolist()) == {10.0, 11.0, 12.0, 13.0, 14.0}  # a twelfth of the side is 2
    flipped = out[:, 0, 12, 13] < out[:, 0, 12, 12]
    assert 10 < flipped.sum() < 40
    assert set(columns[~flipped].tolist()) == {10.0, 11.0, 12.0, 13.0, 14.0}


def test_training_learns_and_is_read_back(tmp_path, sets):
    path = tmp_path / "models" / "m.safetensors"
    first, again = fit(path, sets), fit(path, sets)
    assert (first.reused, again.reused) == (False, True)
    assert [row["epoch"] for row in first.history] == [1, 2, 3] and again.history == first.history
    assert first.history[-1]["loss"] < first.history[0]["loss"]
    assert content(again.model) == content(first.model) != content(small())
    assert leftovers(path) == []


def test_a_model_read_back_answers_with_the_same_bits(tmp_path, sets):
    path = tmp_path / "m.safetensors"
    wide = replace(TRAINING, epochs=1)
    answers = []
    for _ in range(2):
        trained = models.fit(models.vgg16(2, width=1 / 8), *sets, wide, path=path, fingerprint="f", progress=False)
        assert not trained.model.training
        answers.append(models.predict(trained.model, sets[1].images))
    assert torch.equal(*answers)


def test_the_seed_decides_the_weights(tmp_path, sets):
    one, same, other = (
        fit(tmp_path / f"{i}", sets, training=replace(TRAINING, epochs=1, seed=s)) for i, s in enumerate((0, 0, 1))
    )
    assert content(one.model) == content(same.model) != content(other.model)


def test_each_epoch_sees_every_image_once_in_an_order_of_its_own(tmp_path, sets):
    model, seen = small(), []
    model.register_forward_pre_hook(
        lambda module, x: seen.extend(x[0].sum((1, 2, 3)).tolist()) if module.training else None
    )
    plain = replace(TRAINING, epochs=2, augment=False)
    models.fit(model, *sets, plain, path=tmp_path / "m", fingerprint="f", progress=False)
    first, second = seen[:24], seen[24:]
    assert sorted(first) == sorted(second) == sorted(sets[0].images.sum((1, 2, 3)).tolist())
    assert first != second


def test_mixed_training_computes_in_bfloat16_and_keeps_float32_weights(tmp_path, sets):
    model, seen = small(), []
    model.features.register_forward_hook(lambda module, x, y: seen.append(y.dtype) if module.training else None)
    one_step = replace(TRAINING, epochs=1, batch=24, augment=False)
    path = tmp_path / "m"
    mixed = models.fit(model, *sets, replace(one_step, mixed=True), path=path, fingerprint="f", progress=False)
    assert set(seen) == {torch.bfloat16}
    assert all(p.dtype == torch.float32 for p in mixed.model.parameters())
    loss = fit(tmp_path / "plain", sets, training=one_step).history[0]["loss"]
    assert 0 < abs(mixed.history[0]["loss"] - loss) < 2**-6 * loss  # bfloat16 keeps 8 bits


@pytest.mark.parametrize("in_the_middle", [False, True])
@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, sets, monkeypatch, epochs, in_the_middle):
    whole = fit(tmp_path / "whole", sets)
    path = tmp_path / "killed" / "m.safetensors"
    with monkeypatch.context() as patch:
        killed_after(patch, epochs, in_the_middle=in_the_middle)
        with pytest.raises(Killed):
            fit(path, sets)
    assert not path.exists() and leftovers(path) == ["m.safetensors.part"] * (epochs > 0)

    done = []
    epoch_of = training._epoch
    monkeypatch.setattr(training, "_epoch", lambda *args: done.append(args[-1]) or epoch_of(*args))
    resumed = fit(path, sets)
    assert done == list(range(epochs, 3))
    assert content(resumed.model) == content(whole.model) and resumed.history == whole.history
    assert leftovers(path) == []


def test_a_run_killed_before_its_last_write_trains_no_more(tmp_path, sets, monkeypatch):
    path = tmp_path / "m.safetensors"
    write_of = checkpoints.write

    def write(place, *rest):
        if place == path:
            raise Killed
        write_of(place, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write", write)
        with pytest.raises(Killed):
            fit(path, sets)
    monkeypatch.setattr(training, "_epoch", lambda *args: pytest.fail("trained again"))
    resumed = fit(path, sets)
    assert len(resumed.history) == 3 and leftovers(path) == []


def test_a_run_killed_while_writing_leaves_nothing_temporary(tmp_path, sets, monkeypatch):
    def save(tensors, place, metadata):
        place.write_bytes(b"half")
        raise Killed

    monkeypatch.setattr(checkpoints, "save_file", save)
    with pytest.raises(Killed):
        fit(tmp_path / "m", sets)
    assert leftovers(tmp_path / "m") == []


@pytest.mark.parametrize("unfinished", [False, True])
def test_a_checkpoint_of_another_fingerprint_is_not_used(tmp_path, sets, monkeypatch, unfinished):
    path, short = tmp_path / "m", replace(TRAINING, epochs=2)
    if unfinished:
        with monkeypatch.context() as patch, pytest.raises(Killed):
            killed_after(patch, 1)
            fit(path, sets, fingerprint="another", training=replace(short, seed=9))
    else:
        fit(path, sets, fingerprint="another", training=replace(short, seed=9))
    trained = fit(path, sets, training=short)
    assert not trained.reused
    assert content(trained.model) == content(fit(tmp_path / "fresh", sets, training=short).model)


@pytest.mark.parametrize("damage", ["cut short", "empty", "noise", "without its fingerprint"])
@pytest.mark.parametrize("suffix", ["", ".part"])
def test_a_corrupt_checkpoint_is_trained_anew_with_a_warning(tmp_path, sets, caplog, damage, suffix):
    path, short = tmp_path / "m", replace(TRAINING, epochs=1)
    good = fit(path, sets, training=short)
    place = tmp_path / f"m{suffix}"
    path.rename(place)
    raw = place.read_bytes()
    if damage == "without its fingerprint":
        save_file({"a": torch.zeros(1)}, place)
    else:
        place.write_bytes({"cut short": raw[: len(raw) // 2], "empty": b"", "noise": raw[::-1]}[damage])
    with caplog.at_level(logging.WARNING):
        trained = fit(path, sets, training=short)
    assert "unreadable" in caplog.text and str(place) in caplog.text
    assert not trained.reused and content(trained.model) == content(good.model)
    assert fit(path, sets, training=short).reused and leftovers(path) == []


def test_a_place_that_cannot_be_written_is_a_user_error(tmp_path, sets):
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "m", tmp_path / "file" / "deeper" / "m"):
        with pytest.raises(UserError, match="cannot write the checkpoint"):
            fit(path, sets)


def test_a_full_disk_is_a_user_error(tmp_path, sets, monkeypatch):
    def full(*args, **kwargs):
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(UserError, match="No space left"):
        fit(tmp_path / "m", sets)
    assert leftovers(tmp_path / "m") == []


class Handing(torch.nn.Module):
    """A network whose logits are handed on as something else."""

    def __init__(self, change):
        super().__init__()
        self.network, self.change = small(), change

    def forward(self, x):
        return self.change(self.network(x))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda z: (z, z), "got tuple of torch.float32"),
        (lambda z: z[:, :1], "at least two classes"),
        (lambda z: z / 0, "NaN or infinite logits"),
        (lambda z: z.softmax(1), "returns probabilities"),
    ],
)
def test_what_is_no_logits_is_not_learnt_from(tmp_path, sets, change, said):
    path = tmp_path / "model.safetensors"
    with pytest.raises(ValueError, match=said):
        models.fit(Handing(change), *sets, TRAINING, path=path, fingerprint="f", progress=False)
    assert not path.exists() and not leftovers(path)
