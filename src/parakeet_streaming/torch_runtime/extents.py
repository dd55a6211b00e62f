"""A length in; where so much of a line of places is free, for as long as somebody holds it, out.

Rules of this file:

1. A stretch of places belongs to who holds its `Extent`; when nobody does, it is free again.
2. Nothing is ever moved. So room may be there in pieces, none of which is long enough.
"""

from __future__ import annotations

from collections import deque


class Extent:
    """Places one after the other, while somebody holds this."""

    __slots__ = ("_free", "count", "first")

    def __init__(self, first: int, count: int, free: deque[tuple[int, int]]) -> None:
        self.first = first
        self.count = count
        self._free = free

    def __del__(self) -> None:
        # Of any thread: a deque's append is one operation.
        self._free.append((self.first, self.count))

    @property
    def places(self) -> slice:
        """All of them, of a tensor that has one entry for each."""
        return slice(self.first, self.first + self.count)


class Extents:
    """So many places, some of which are held. One thread at a time takes."""

    def __init__(self, first: int, end: int) -> None:
        """Those from `first` to before `end`."""
        self._given_back: deque[tuple[int, int]] = deque()
        self._free = [(first, end - first)]
        """(first, count) of each stretch, in order; no two touch."""

    def take(self, count: int) -> Extent | None:
        """The first so many places that are free in one piece; None where there are none."""
        self._collect()
        for number, (first, free) in enumerate(self._free):
            if free >= count:
                self._free[number] = (first + count, free - count)
                return Extent(first, count, self._given_back)
        return None

    @property
    def free(self) -> int:
        """How many nobody holds."""
        self._collect()
        return sum(count for _, count in self._free)

    def _collect(self) -> None:
        """Joins what was given back with what lies beside it."""
        known = self._free
        while self._given_back:
            known.append(self._given_back.popleft())
        self._free = []
        for first, count in sorted(known):
            if self._free and sum(self._free[-1]) == first:
                before, free = self._free[-1]
                self._free[-1] = (before, free + count)
            elif count:
                self._free.append((first, count))
