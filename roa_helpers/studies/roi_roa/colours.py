"""The colours of the authors' heat maps: OpenCV's jet, with red and blue exchanged. Needs no torch."""

import numpy as np


def jet():
    """OpenCV's colour map jet as (256, 3) uint8, red, green, blue: from dark blue (0) to dark red (255)."""
    step = 4 * np.arange(64)
    low, full = np.zeros(32), np.full(64, 255)
    red = np.concatenate([low, low, low, 2 + step, full, 252 - step[:32]])
    green = np.concatenate([low, step, full, 252 - step, low])
    blue = np.concatenate([128 + step[:32], full, np.append(254 - step[:-1], 1), low, low, low])
    return np.stack([red, green, blue], axis=1).astype(np.uint8)


def exchanged():
    """The same with red and blue exchanged, as a picture in OpenCV's order of channels looks elsewhere."""
    return jet()[:, ::-1]
