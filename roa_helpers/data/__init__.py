"""Data: which sets are known, where they lie, how they are fetched, read and split.

``known`` declares the sets, ``downloads`` fetches them, ``archives`` reads folders, zips and official files, ``splits``
makes three disjoint parts of them, ``photos`` takes single pictures. What needs torch is loaded when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["archives", "photos"],
    submod_attrs={
        "colour": ["in_colour"],
        "downloads": ["download", "fetch"],
        "known": [
            "KNOWN",
            "TITLES",
            "Dataset",
            "Download",
            "Files",
            "available",
            "data_root",
            "find",
            "registered",
            "title_of",
        ],
        "splits": ["ImageSet", "Splits", "check", "load"],
    },
)
