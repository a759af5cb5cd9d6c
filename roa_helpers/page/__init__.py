"""What a reader sees: figures and tables with caption, data and origin; sheets of pictures, widgets, verdicts, words.

``figures`` puts things on a page, ``schemes`` draws a chart for dark pages too, ``sheets`` and ``pictures`` make
pictures of arrays, ``tables`` and ``words`` set numbers, ``widgets`` needs no kernel, ``claims`` judges the statements
of a paper, ``answers`` says what a page comes to, ``beside`` sets the paper's numbers beside ours, ``parameters``
refuses those that a notebook does not have, ``report`` makes a page of its own. No study is known here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "answers",
        "beside",
        "claims",
        "figures",
        "parameters",
        "pictures",
        "report",
        "schemes",
        "sheets",
        "tables",
        "widgets",
        "words",
    ],
    submod_attrs={
        "figures": [
            "MAPS",
            "NARROW",
            "REGION_COLOURS",
            "REGION_LABELS",
            "drawing",
            "look",
            "name_rows",
            "panels",
            "place",
        ],  # fmt: skip
        "pictures": ["bordered", "heat", "picture"],
        "report": ["Section"],
        "sheets": ["Bar", "Cell", "Sheet", "Strip"],
        "tables": ["in_brackets", "open_choices"],
        "words": [
            "an",
            "capitalised",
            "levels",
            "listed",
            "minus",
            "parts_of",
            "percent_of",
            "ranges",
            "seeds_note",
            "span",
        ],
    },
)
