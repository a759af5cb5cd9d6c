"""Sentences follow from their numbers."""

from roa_helpers.studies import roi_roa


def test_counts_of_several_networks_are_told_once_where_they_are_of_as_many():
    several = [{"k": 99, "n": 100}, {"k": 98, "n": 100}, {"k": 100, "n": 100}]
    assert roi_roa.words.of_each(several) == "99, 98 and 100 of 100"
    assert roi_roa.words.of_each(several[:1]) == "99 of 100"
    assert roi_roa.words.of_each([{"k": 9, "n": 10}, {"k": 8, "n": 9}]) == "9 of 10 and 8 of 9"
