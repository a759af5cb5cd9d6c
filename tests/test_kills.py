"""Whatever writes is killed a few times: see ``kills``, which also does so a hundred times."""

import random

import kills
import pytest

pytestmark = pytest.mark.end_to_end


@pytest.mark.parametrize("way", kills.WAYS, ids=lambda way: way.__name__)
def test_after_a_kill_the_next_call_ends_with_the_same_bytes(way, tmp_path):
    assert sum(kills.run(way, 3, random.Random(0), tmp_path).values()) == 3
