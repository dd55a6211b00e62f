"""Sizes of calls, and the parts that they are run in."""

from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.torch_runtime.buckets import ROWS, Part, parts_of, sizes_up_to


def test_sizes():
    assert sizes_up_to(1) == (8,)
    assert sizes_up_to(8) == (8,)
    assert sizes_up_to(9) == (16, 8)
    assert sizes_up_to(0) == (8,)
    assert sizes_up_to(10_000) == tuple(reversed(ROWS))


def test_parts():
    assert parts_of(9, (8, 32)) == [Part(0, 9, 32)]
    assert parts_of(70, (32, 8)) == [Part(0, 32, 32), Part(32, 32, 32), Part(64, 6, 8)]
    assert parts_of(7, ()) == [Part(0, 7, 7)]
    assert parts_of(0, ()) == parts_of(0, (8,)) == []


@given(st.integers(0, 2000), st.integers(1, 600))
def test_every_row_is_in_one_part(count, most):
    sizes = sizes_up_to(most)
    parts = parts_of(count, sizes)
    rows = [row for part in parts for row in range(part.first, part.first + part.count)]
    assert rows == list(range(count))
    assert all(part.size in sizes and 0 < part.count <= part.size for part in parts)
    # From 8 rows on, no more than half is padding.
    assert all(part.count > part.size // 2 for part in parts if part.count > 8)
