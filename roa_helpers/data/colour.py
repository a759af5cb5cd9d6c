"""Grey images as the networks of the studies take them."""

from dataclasses import replace


def in_colour(image_set):
    """Grey images as three equal channels: the paper's inputs are RGB, so an attack may move channels apart."""
    if image_set.images.shape[1] != 1:
        return image_set
    return replace(image_set, images=image_set.images.expand(-1, 3, -1, -1).contiguous())
