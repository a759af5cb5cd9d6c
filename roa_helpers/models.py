"""Networks: built, trained, checkpointed. Every model takes images in [0, 1], normalises inside, returns logits."""

import json
import logging
import math
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from tqdm.auto import tqdm

from . import checks
from ._torchvision import torchvision
from .errors import UserError

log = logging.getLogger(__name__)

CHUNK = 64
_VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")


class Classifier(nn.Module):
    """Normalise → features → pool → head.

    Attributes:
        features: convolutions, (N, C, H, W) → (N, D, h, w).
        head: linear layer on the pooled features (N, D) → logits (N, K).
        cam_layer: the module whose output Grad-CAM looks at.
    """

    def __init__(self, features, head, *, cam_layer, mean, std):
        super().__init__()
        self.features = features
        self.head = head
        self._cam_index = next(i for i, m in enumerate(features) if m is cam_layer)
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    @property
    def cam_layer(self):
        return self.features[self._cam_index]

    def penultimate(self, x):
        """The flattened features (N, D) that the linear head reads, for images (N, C, H, W) in [0, 1]."""
        return self.features((x - self.mean) / self.std).mean((2, 3))

    def forward(self, x):
        return self.head(self.penultimate(x))


def vgg16(class_count, *, width=1.0, channels=3, seed=0):
    """VGG16 with batch normalisation and one linear layer behind global average pooling.

    Simonyan and Zisserman (2015), configuration D, as torchvision builds it. With 48×48 images the last block is
    3×3 before its pooling and 1×1 after it. The paper does not say which head it used.

    Args:
        class_count: K, at least 2.
        width: factor on the channels of every layer.
        channels: C of the images.
        seed: seed of the initialisation.

    Returns:
        :class:`Classifier` for images of at least 32×32 pixels.

    Raises:
        ValueError: fewer than two classes, or a width that leaves a layer without channels.
    """
    if class_count < 2 or not 512 * width >= 8:
        raise ValueError(f"need at least 2 classes and a width of at least 1/64, got {class_count} and {width}")
    plan = ["M" if n == "M" else max(1, round(n * width)) for n in _VGG16]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        features = torchvision.models.vgg.make_layers(plan, batch_norm=True)
        if channels != 3:
            features[0] = nn.Conv2d(channels, plan[0], 3, padding=1)
        head = nn.Linear(plan[-2], class_count)
        for module in features.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    if channels != 3:
        mean, std = (0.5,) * channels, (0.25,) * channels
    model = Classifier(features, head, cam_layer=features[-2], mean=mean, std=std)
    return model.to(memory_format=torch.channels_last)


def load_imagenet_features(model):
    """Fill the convolutions of a full-width :func:`vgg16` with torchvision's ImageNet weights.

    Returns:
        Whether they could be loaded (from torch's cache, or downloaded and checked by torch.hub).
    """
    try:
        weights = torchvision.models.VGG16_BN_Weights.IMAGENET1K_V1
        state = weights.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:
        log.warning("ImageNet weights could not be loaded (%s); training from scratch", error)
        return False
    prefix = "features."
    model.features.load_state_dict({k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)})
    return True


def device():
    """The GPU if there is one, otherwise the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def use_threads(count):
    """Fix the number of CPU threads and ask for reproducible kernels, so that equal seeds give equal bytes."""
    torch.set_num_threads(count)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def device_name():
    """What results say of the device they were computed on: the GPU's name, or ``cpu``."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def has_bfloat16():
    """Whether :func:`device` computes in bfloat16 by itself: emulated, it would be slower than float32."""
    if device().type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


@contextmanager
def frozen(model):
    """``model`` in evaluation mode with parameters that take no gradient; afterwards as it was found."""
    modes = [(m, m.training) for m in model.modules()]
    flags = [(p, p.requires_grad) for p in model.parameters()]
    try:
        model.eval().requires_grad_(False)
        yield model
    finally:
        for module, training in modes:
            module.training = training
        for parameter, flag in flags:
            parameter.requires_grad_(flag)


def chunks(model, *tensors, size=CHUNK):
    """Tuples of slices of ``tensors``, ``size`` rows each, on the device of ``model``."""
    if not all(torch.is_tensor(t) and t.ndim for t in tensors):
        raise ValueError("images and labels must be tensors with a row for each image")
    lengths = {len(t) for t in tensors}
    if len(lengths) != 1:
        raise ValueError(f"all tensors must have one length, got {sorted(lengths)}")
    parameter = next(model.parameters(), None)
    target = tensors[0].device if parameter is None else parameter.device
    for start in range(0, len(tensors[0]), size):
        yield tuple(t[start : start + size].to(target) for t in tensors)


def predict(model, x):
    """Logits (N, K) of images (N, C, H, W) in [0, 1], without gradients, on the device of ``x``."""
    checks.images(x)
    parts = []
    with frozen(model), torch.no_grad():
        for (images,) in chunks(model, x):
            logits = model(images)
            checks.logits(logits, len(images))
            parts.append(logits.to(x.device))
    return torch.cat(parts)


def input_gradient(model, x, y, objective):
    """Gradient of an objective with respect to the images, each image by itself, in chunks.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: a tensor (N, …) that the objective reads, usually labels.
        objective: (logits, y) → one number, the sum over the images.

    Returns:
        (N, C, H, W), on the device of ``x``.
    """
    checks.images(x)
    parts = []
    with frozen(model), torch.enable_grad():
        for images, values in chunks(model, x, y):
            images = images.detach().requires_grad_()
            logits = model(images)
            checks.logits(logits.detach(), len(images))
            parts.append(torch.autograd.grad(objective(logits, values), images)[0].to(x.device))
    return torch.cat(parts)


def correct(model, x, y):
    """Whether the largest logit is that of ``y``: (N,) bool. Ties go to the lowest class index."""
    return predict(model, x).argmax(1) == y


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
            finished = _read(path, fingerprint)
            if finished:
                model.load_state_dict(finished[0])
                return Trained(model.eval(), tuple(finished[1]["history"]), True)
            history = _train(model, train, val, training, part, fingerprint, progress)
            _write(path, model.state_dict(), {"fingerprint": fingerprint, "history": history})
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
        _write(part, weights | momentum, {"fingerprint": fingerprint, "history": history})
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
            loss = F.cross_entropy(model(images.to(where)).float(), train.labels[rows].to(where))
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
    saved = _read(part, fingerprint)
    if not saved:
        return []
    tensors, metadata = saved
    model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    for i, parameter in enumerate(model.parameters()):
        optimizer.state[parameter]["momentum_buffer"] = tensors[f"momentum.{i}"].to(parameter)
    return metadata["history"]


def _read(path, fingerprint):
    """(tensors, metadata) of a checkpoint, or None if it is absent, unreadable or of another fingerprint."""
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads(file.metadata()["roa"])
        if metadata["fingerprint"] != fingerprint:
            return None
        return load_file(path), metadata
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        log.warning("checkpoint %s is unreadable (%s); training anew", path, error)
        return None


def _write(path, tensors, metadata):
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        tensors = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
        save_file(tensors, temporary, metadata={"roa": json.dumps(metadata)})
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
