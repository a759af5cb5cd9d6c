"""Data: which sets are known, where they lie, how they are fetched, read and split.

``known`` declares the sets, ``downloads`` fetches them. ``places`` looks at what lies at a path, ``archives`` reads the
files of folders and zips, ``pictures`` decodes them, ``layouts`` tells classes and parts by their folders, ``official``
reads the known sets' own files. ``splits`` makes three disjoint parts, which ``dealing`` deals out; ``photos`` takes
single pictures. ``names`` spells names one way, ``telling`` says what was understood and what was passed over. What
needs torch is loaded when it is first used.
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
            "find",
            "registered",
            "title_of",
        ],
        "names": ["readable", "shown"],
        "places": ["data_root", "expanded", "kind"],
        "splits": ["ImageSet", "Splits", "check", "classes_of", "enough", "load"],
        "telling": ["listed"],
    },
)
