"""Numbers go in one at a time; how many there were, their mean and percentiles come out.

Rules of this file:

1. Memory is bounded: numbers are counted in buckets, none is kept. Each bucket reaches from above
   one bound up to and including the next.
2. A percentile is the bound at or above the number that has that rank, or the greatest number seen
   if that is less. So it is never too low, and too high by at most one bucket: `SECONDS` has
   48 bounds per decade, which is 4.9 % between 10 µs and 10,000 s; `COUNTS` is exact up to 128.
3. One thread records; any thread may take a snapshot, without a lock. The buckets and the sum are
   one list, which is copied in one call that CPython makes whole (under the GIL, or under the
   list's own lock in the free-threaded build). The count is the sum of the copied buckets, so it
   always agrees with them. A number that is being recorded at that moment may be counted and
   not yet be in the mean.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.errors import OptionError

_PER_DECADE: Final = 48
_LISTED_PER_DECADE: Final = 4
_FEW: Final = 24
"""Numbers that are sooner counted one by one."""

SECONDS: Final = tuple(10 ** (step / _PER_DECADE) for step in range(-5 * _PER_DECADE, 193))
"""Bounds for times: 10 µs to 10,000 s, 48 per decade."""
COUNTS: Final = tuple(float(count) for count in range(129))
"""Bounds for small whole numbers: each is its own bucket."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram held at one moment. Without numbers, mean and percentiles are None."""

    count: int
    sum: float
    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    buckets: tuple[tuple[float, int], ...] = field(repr=False)
    """A few bounds, and how many numbers were at most as great; `count` is what lies below ∞."""


class Histogram:
    """Counts numbers in buckets. One thread records."""

    __slots__ = ("_bounds", "_cells", "_listed", "_max", "help")

    def __init__(
        self, bounds: Sequence[float] = SECONDS, listed: Sequence[float] = (), *, help: str = ""
    ) -> None:
        """`bounds` are the buckets' upper ends, ascending; a snapshot lists only those of `listed`.

        Raises:
            OptionError: bounds that do not ascend, or listed ones that are no bounds.
        """
        self.help = help
        self._bounds = tuple(bounds)
        self._listed = _listed_buckets(self._bounds, tuple(listed))
        self._cells: list[float] = [0.0] + [0] * (len(bounds) + 1)  # the sum, then the buckets
        self._max = -math.inf

    def record(self, number: float) -> None:
        """Counts a number. Below the lowest bound it counts as that; above the highest, as max."""
        # Before the bucket: a number that is seen there is within max.
        self._max = max(self._max, number)
        cells = self._cells
        cells[bisect_left(self._bounds, number) + 1] += 1
        cells[0] += number

    def record_all(self, numbers: Sequence[float]) -> None:
        """Counts each of them; many at once take a fraction of the time of one by one."""
        if len(numbers) < _FEW:
            for number in numbers:
                self.record(number)
            return
        self._max = max(self._max, *numbers)
        cells, places = self._cells, np.searchsorted(_array_of(self._bounds), numbers)
        for place, count in zip(*np.unique(places, return_counts=True), strict=True):
            cells[int(place) + 1] += int(count)
        cells[0] += sum(numbers)

    def snapshot(self) -> Distribution:
        """What was recorded until now."""
        cells = self._cells.copy()
        greatest = self._max
        at_most = [0]  # numbers up to and including each bucket, after a 0
        for count in cells[1:]:
            at_most.append(at_most[-1] + int(count))
        count = at_most[-1]

        def percentile(share: float) -> float | None:
            if not count:
                return None
            bucket = bisect_left(at_most, math.ceil(share * count)) - 1
            return min(self._bounds[bucket], greatest) if bucket < len(self._bounds) else greatest

        return Distribution(
            count=count,
            sum=cells[0],
            mean=cells[0] / count if count else None,
            p50=percentile(0.50),
            p95=percentile(0.95),
            p99=percentile(0.99),
            max=greatest if count else None,
            buckets=tuple((self._bounds[index], at_most[index + 1]) for index in self._listed),
        )


@lru_cache(maxsize=32)
def _array_of(bounds: tuple[float, ...]) -> NDArray[np.float64]:
    return np.array(bounds)


@lru_cache(maxsize=32)
def _listed_buckets(bounds: tuple[float, ...], listed: tuple[float, ...]) -> tuple[int, ...]:
    """Where the listed bounds are; checked once for all histograms of the same bounds."""
    if not bounds or any(low >= high for low, high in pairwise(bounds)):
        raise OptionError("the bounds of a histogram must ascend, each above the one before")
    listed = listed or bounds[:: _PER_DECADE // _LISTED_PER_DECADE]
    if not set(listed) <= set(bounds):
        raise OptionError("a histogram can only list bounds that it has")
    return tuple(bisect_left(bounds, bound) for bound in listed)
