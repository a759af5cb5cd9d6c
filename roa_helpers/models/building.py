"""What the builders of networks share: how ImageNet's images are normalised, and initialisations that repeat."""

from contextlib import contextmanager

import torch

#: Of the three channels of ImageNet's images in [0, 1].
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@contextmanager
def seeded(seed):
    """Draw from ``seed`` meanwhile; the caller's random numbers go on as if nothing had been drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
