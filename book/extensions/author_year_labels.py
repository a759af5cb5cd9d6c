"""Sphinx extension: the list of references names authors and year, where other styles show a key such as [GWH19]."""

from collections import Counter

from pybtex.plugin import register_plugin
from pybtex.style.formatting.unsrt import Style as Unsorted
from pybtex.style.labels import BaseLabelStyle


class AuthorYear(BaseLabelStyle):
    """“Jetley et al., 2018”; a letter tells works of the same authors and year apart."""

    def format_labels(self, sorted_entries):
        labels = [_label(entry) for entry in sorted_entries]
        counts, seen = Counter(labels), Counter()
        for label in labels:
            seen[label] += 1
            yield label if counts[label] == 1 else f"{label}{chr(ord('a') + seen[label] - 1)}"


def _label(entry):
    names = [
        " ".join(str(part) for part in (*person.rich_prelast_names, *person.rich_last_names))
        for person in entry.persons["author"]
    ]
    first = names[0] if len(names) == 1 else " and ".join(names) if len(names) == 2 else f"{names[0]} et al."
    return f"{first}, {entry.fields['year']}"


class Style(Unsorted):
    """Entries in the order of their authors, with these labels."""

    default_label_style = AuthorYear
    default_sorting_style = "author_year_title"


def setup(app):
    register_plugin("pybtex.style.formatting", "authors-and-year", Style)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
