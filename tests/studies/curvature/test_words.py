"""Sentences about a finished unit."""

from roa_helpers.studies.curvature import tables, words


def test_sentences_about_a_unit(unit):
    assert "norm 0." in words.asymmetry([unit])
    assert words.depends(tables.dependence([unit])).count("\n") == 1
    assert words.bridged([unit]).count("the pixels") == 3
    assert "at f = 10 they have 2.4 % of the norm" in words.beyond([unit])
    assert "of 2 dimensions" in words.at_one_dimension([unit])
    libraries = tables.libraries([unit])
    assert "nothing to compare" in words.on_libraries(libraries[libraries.library == "roa-helpers"])
