"""The studies: one folder each, all with the same furniture, and what plans, computes and shows their units.

``study`` says what a study is and keeps the registry, ``profiles`` which units are planned, ``runs`` computes, stores
and finds them, ``own`` does so for somebody's own pictures, ``freshness`` tells which are out of date, ``training``
trains their networks, ``networks`` hands them out. A room holds ``choices`` (what its paper leaves open), ``compute``,
``published`` (the paper's numbers), ``claims`` (its statements, with the rules that judge them), ``words`` (sentences),
what its pages show (``charts``, ``tables``, ``pictures``), and what the page on somebody's own pictures shows
(``report``).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "freshness": ["expected", "standing"],
        "networks": ["network"],
        "own": ["of_images", "planned_for", "report", "shown"],
        "profiles": ["PROFILES", "RECORDED", "Planned", "Profile", "checked_seed", "jobs", "planned", "profile"],
        "runs": ["apart", "finished", "of_paper", "place_of", "presented", "run", "units", "verdicts"],
        "study": ["Study", "by_name", "find", "register"],
        "training": ["trained", "training_of"],
    },
)
