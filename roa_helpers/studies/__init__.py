"""The studies: one folder each, all with the same furniture, and what plans, computes and shows their units.

``study`` says what a study is and keeps the registry, ``profiles`` which units are planned, ``runs`` computes, stores
and finds them, ``freshness`` tells which are out of date, ``training`` trains their networks, ``networks`` hands them
out. A room holds ``choices`` (what its paper leaves open), ``compute``, ``published`` (the paper's numbers), ``claims``
(its statements, with the rules that judge them), ``words`` (sentences), and what its pages show: ``charts``,
``tables``, ``pictures``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "freshness": ["expected", "standing"],
        "networks": ["network"],
        "profiles": ["PROFILES", "RECORDED", "Planned", "Profile", "checked_seed", "planned", "profile"],
        "runs": ["apart", "finished", "of_paper", "place_of", "presented", "run", "units", "verdicts"],
        "study": ["Study", "by_name", "find", "register"],
        "training": ["trained", "training_of"],
    },
)
