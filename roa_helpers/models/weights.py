"""ImageNet's weights, as torchvision publishes them: from torch's cache, or downloaded and checked by torch.hub."""

import logging

from ..compat import torchvision

log = logging.getLogger(__name__)


def state(name, version="DEFAULT"):
    """The weights of one of torchvision's networks by parameter; None where they can neither be found nor fetched."""
    weights = torchvision.models.get_model_weights(name)[version]
    return _had(name, lambda: weights.get_state_dict(progress=True, check_hash=True))


def network(name):
    """One of torchvision's networks with its weights, and the names of its classes; None where these cannot be had."""
    weights = torchvision.models.get_model_weights(name).DEFAULT
    found = _had(name, lambda: torchvision.models.get_model(name, weights=weights))
    return None if found is None else (found, tuple(weights.meta["categories"]))


def _had(name, get):
    try:
        return get()
    except (OSError, RuntimeError) as error:
        log.warning("ImageNet weights of %s could not be loaded (%s)", name, error)
        return None
