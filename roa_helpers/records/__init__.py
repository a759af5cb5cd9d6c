"""Results on disk: units written whole or not at all, what they depend on, and which of them belong together.

``store`` reads and writes units, ``fingerprints`` sums up what a result depends on, ``partial`` keeps finished parts of
an unfinished unit, ``seeds`` groups units that differ in their seed alone, ``names`` names their folders.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["fingerprints", "partial", "seeds", "store"],
    submod_attrs={"names": ["stem"]},
)
