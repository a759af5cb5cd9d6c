"""Grey images as the networks of the studies take them."""

from dataclasses import replace

from .dealing import SPLITS


def in_colour(splits):
    """:class:`.splits.Splits` of grey images, each as three equal channels; those of others as they are.

    The paper's inputs are RGB, so an attack may move channels apart.
    """
    grey = {name: part for name in SPLITS if (part := getattr(splits, name)).images.shape[1] == 1}
    return replace(splits, **{
        name: replace(part, images=part.images.expand(-1, 3, -1, -1).contiguous()) for name, part in grey.items()
    })  # fmt: skip
