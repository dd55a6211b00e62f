"""How many rows a call has, and which sizes there are, in; the parts it is run in out. Pure.

Work at fixed places has a fixed number of rows. A call takes the smallest size that holds its rows,
and what is over is padding; a call that is larger than all sizes is run in parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ROWS: Final = (8, 16, 32, 64, 128, 256, 512)
"""Sizes of a call. At most half of one is padding, from 8 rows on."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a call, one after the other."""

    first: int
    count: int
    size: int
    """Of the work that takes them."""


def sizes_up_to(most_rows: int) -> tuple[int, ...]:
    """The sizes for calls of up to so many rows, the largest first: it needs most memory."""
    needed = [
        size for size, smaller in zip(ROWS, (0, *ROWS), strict=False) if smaller < max(1, most_rows)
    ]
    return tuple(reversed(needed))


def parts_of(count: int, sizes: Sequence[int]) -> list[Part]:
    """The parts that a call of so many rows is run in; `sizes` are those there are, in any order.

    Without any, it is one part that is just as large.
    """
    if not sizes:
        return [Part(0, count, count)] if count else []
    most, parts, first = max(sizes), [], 0
    while first < count:
        rows = min(count - first, most)
        size = min(each for each in sizes if each >= rows)
        parts.append(Part(first, rows, size))
        first += rows
    return parts
