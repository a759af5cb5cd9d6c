"""Training with checkpoints: a killed run goes on where it was and ends with the same weights."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from filelock import FileLock
from safetensors import SafetensorError
from torch import nn
from tqdm.auto import tqdm

from .. import checks
from ..errors import UserError
from . import checkpoints
from .inference import correct


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network is trained: SGD with Nesterov momentum 0.9, a warm-up over half an epoch, a cosine to 0.

    With ``mixed``, convolutions and linear layers are computed in bfloat16 while training; weights stay float32.
    """

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    augment: bool
    mixed: bool
    seed: int


@dataclass(frozen=True)
class Trained:
    """A trained model with its history (a row an epoch) and whether it was read from disk."""

    model: nn.Module
    history: tuple[dict, ...]
    reused: bool


def fit(model, train, val, training, *, path, fingerprint, progress=True):
    """Train ``model``, or read it from ``path`` if it stands there with the same fingerprint.

    A checkpoint is written after each epoch, so a killed run goes on where it was; the order of the images and
    their augmentation depend on (seed, epoch) alone, so that a resumed run ends with the same weights.

    Args:
        model: as built; trained in place.
        train: ImageSet to learn from.
        val: ImageSet whose accuracy is logged each epoch; never learnt from.
        training: :class:`Training`.
        path: where the finished weights stand (safetensors); ``path`` + ``.part`` holds the unfinished run.
        fingerprint: of everything that the weights depend on.
        progress: whether to show a bar.

    Returns:
        :class:`Trained`, its model in evaluation mode.

    Raises:
        UserError: the folder cannot be written.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            finished = checkpoints.read(path, fingerprint, _shapes(model.state_dict()))
            if finished:
                model.load_state_dict(finished[0])
                return Trained(model.eval(), tuple(finished[1]["history"]), True)
            history = _train(model, train, val, training, part, fingerprint, progress)
            checkpoints.write(path, model.state_dict(), {"fingerprint": fingerprint, "history": history})
            part.unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        raise UserError(f"cannot write the checkpoint {path}\n  make its folder writable: {error}") from error
    return Trained(model.eval(), tuple(history), False)


def _train(model, train, val, training, part, fingerprint, progress):
    optimizer = torch.optim.SGD(
        model.parameters(), lr=training.learning_rate, momentum=0.9, weight_decay=training.weight_decay, nesterov=True
    )
    history = _resume(model, optimizer, part, fingerprint)
    epochs = range(len(history), training.epochs)
    for epoch in tqdm(epochs, desc="training", unit="epoch", leave=False, disable=not progress):
        loss = _epoch(model, optimizer, train, training, epoch)
        accuracy = correct(model, val.images, val.labels).double().mean().item()
        history.append({"epoch": epoch + 1, "loss": loss, "val_accuracy": accuracy})
        weights = {f"model.{k}": v for k, v in model.state_dict().items()}
        momentum = {f"momentum.{i}": optimizer.state[p]["momentum_buffer"] for i, p in enumerate(model.parameters())}
        checkpoints.write(part, weights | momentum, {"fingerprint": fingerprint, "history": history})
    return history


def _epoch(model, optimizer, train, training, epoch):
    """One pass over the training images in an order that (seed, epoch) determines; the mean loss."""
    generator = torch.Generator().manual_seed(1_000_003 * training.seed + epoch)
    order = torch.randperm(len(train), generator=generator)
    steps = max(1, len(train) // training.batch)
    where = next(model.parameters()).device
    total = 0.0
    model.train()
    for step in range(steps):
        rows = order[step * training.batch : (step + 1) * training.batch]
        images = _augmented(train.images[rows], generator) if training.augment else train.images[rows]
        rate = training.learning_rate * _schedule(epoch + step / steps, training.epochs)
        optimizer.param_groups[0]["lr"] = rate
        with torch.autocast(where.type, torch.bfloat16, enabled=training.mixed):
            logits = model(images.to(where))
            checks.logits(logits, len(rows))
            loss = F.cross_entropy(logits.float(), train.labels[rows].to(where))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    model.eval()
    return total / steps


def _schedule(epoch, epochs):
    """Factor on the learning rate at a fractional epoch: a linear warm-up over half an epoch, then a cosine to 0."""
    return min(1.0, 2 * epoch + 0.02) * 0.5 * (1 + math.cos(math.pi * epoch / epochs))


def _augmented(images, generator):
    """Random horizontal flips and shifts of up to a twelfth of the side, one draw an image."""
    n, _, height, width = images.shape
    flip = torch.rand(n, generator=generator) < 0.5
    images = torch.where(flip[:, None, None, None], images.flip(3), images)
    reach = height // 12
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    offsets = torch.randint(0, 2 * reach + 1, (n, 2), generator=generator)
    return torch.stack(
        [p[:, i : i + height, j : j + width] for p, (i, j) in zip(padded, offsets.tolist(), strict=True)]
    )


def _resume(model, optimizer, part, fingerprint):
    state = {f"model.{name}": values for name, values in model.state_dict().items()}
    state |= {f"momentum.{i}": parameter for i, parameter in enumerate(model.parameters())}
    saved = checkpoints.read(part, fingerprint, _shapes(state))
    if not saved:
        return []
    tensors, metadata = saved
    model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    for i, parameter in enumerate(model.parameters()):
        optimizer.state[parameter]["momentum_buffer"] = tensors[f"momentum.{i}"].to(parameter)
    return metadata["history"]


def _shapes(state):
    return {name: values.shape for name, values in state.items()}
