"""Replicas and how many streams each has in; the replica that a new stream is sent to out.

Rules of this file:

1. A balancer counts only the connections that went through itself. One balancer, or several that
   share their counts, see all; of several that do not, each sees its part.
2. It does not know how busy a replica is; whether a stream is let in is the replica's decision.
3. Every choice costs about the same, however many replicas there are.
"""

from __future__ import annotations

import bisect
import random
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

_POINTS: Final = 64
"""Of each replica on the ring of the consistent hash."""
_RING: Final = 1 << 64


class Placement(Protocol):
    """Where streams go. Replicas and keys of sessions are numbers."""

    def add(self, replica: int) -> None:
        """A replica takes streams from now on."""

    def remove(self, replica: int) -> None:
        """A replica takes no more streams."""

    def changed(self, replica: int, by: int) -> None:
        """A replica has one stream more, or one less; one that was removed is no error."""

    def choose(self, key: int, tries: int) -> int | None:
        """A replica for a session that so many refused before; None if there is none."""


class Counts:
    """How many streams each replica has, ordered by that."""

    def __init__(self) -> None:
        self.of: dict[int, int] = {}
        self._with: dict[int, OrderedDict[int, None]] = {}
        self._used = 0
        """A bit for each count that some replica has."""

    def add(self, replica: int) -> None:
        self.of[replica] = 0
        self._enter(replica, 0)

    def remove(self, replica: int) -> None:
        self._leave(replica, self.of.pop(replica))

    def changed(self, replica: int, by: int) -> None:
        if replica in self.of:
            count = self.of[replica]
            self._leave(replica, count)
            self.of[replica] = count + by
            self._enter(replica, count + by)

    def least(self) -> int | None:
        """One with the fewest; equal ones take turns."""
        return self._one_with((self._used & -self._used).bit_length() - 1)

    def fullest_below(self, count: int) -> int | None:
        """One with the most streams below that number; None if there is none."""
        return self._one_with((self._used & ((1 << max(0, count)) - 1)).bit_length() - 1)

    def _one_with(self, count: int) -> int | None:
        if count < 0:
            return None
        turns = self._with[count]
        replica = next(iter(turns))
        turns.move_to_end(replica)
        return replica

    def _enter(self, replica: int, count: int) -> None:
        self._with.setdefault(count, OrderedDict())[replica] = None
        self._used |= 1 << count

    def _leave(self, replica: int, count: int) -> None:
        turns = self._with[count]
        del turns[replica]
        if not turns:
            del self._with[count]
            self._used &= ~(1 << count)


class LeastConnections:
    """The one with the fewest connections."""

    def __init__(self) -> None:
        self._counts = Counts()
        self.add, self.remove = self._counts.add, self._counts.remove
        self.changed = self._counts.changed

    def choose(self, key: int, tries: int) -> int | None:
        return self._counts.least()


class Packing:
    """The fullest that has room; `room_below` is the count from which it is spared."""

    def __init__(self, room_below: int) -> None:
        self._counts = Counts()
        self._room_below = room_below
        self.add, self.remove = self._counts.add, self._counts.remove
        self.changed = self._counts.changed

    def choose(self, key: int, tries: int) -> int | None:
        fullest = None if tries else self._counts.fullest_below(self._room_below)
        return self._counts.least() if fullest is None else fullest


class AtRandom:
    """Any one, or the one with fewer connections of `looks_at` that are drawn."""

    def __init__(self, drawn: random.Random, looks_at: int = 1) -> None:
        self._drawn = drawn
        self._looks_at = looks_at
        self._replicas: list[int] = []
        self._at: dict[int, int] = {}
        self._counts: dict[int, int] = {}

    def add(self, replica: int) -> None:
        self._at[replica] = len(self._replicas)
        self._replicas.append(replica)
        self._counts[replica] = 0

    def remove(self, replica: int) -> None:
        at, last = self._at.pop(replica), self._replicas.pop()
        if last != replica:
            self._replicas[at], self._at[last] = last, at
        del self._counts[replica]

    def changed(self, replica: int, by: int) -> None:
        if replica in self._counts:
            self._counts[replica] += by

    def choose(self, key: int, tries: int) -> int | None:
        replicas, drawn = self._replicas, self._drawn
        if not replicas:
            return None
        found = replicas[int(drawn.random() * len(replicas))]
        for _ in range(self._looks_at - 1):
            other = replicas[int(drawn.random() * len(replicas))]
            found = min(found, other, key=self._counts.__getitem__)
        return found


class RoundRobin:
    """One after the other."""

    def __init__(self) -> None:
        self._turns: OrderedDict[int, None] = OrderedDict()

    def add(self, replica: int) -> None:
        self._turns[replica] = None

    def remove(self, replica: int) -> None:
        del self._turns[replica]

    def changed(self, replica: int, by: int) -> None:
        """It does not count."""

    def choose(self, key: int, tries: int) -> int | None:
        if not self._turns:
            return None
        replica = next(iter(self._turns))
        self._turns.move_to_end(replica)
        return replica


class ConsistentHash:
    """The one whose point on a ring comes after the session's; after a refusal, the next one."""

    def __init__(self) -> None:
        self._points: list[tuple[int, int]] = []

    def add(self, replica: int) -> None:
        for each in range(_POINTS):
            bisect.insort(self._points, (_hashed(replica, each), replica))

    def remove(self, replica: int) -> None:
        for each in range(_POINTS):
            del self._points[bisect.bisect_left(self._points, (_hashed(replica, each), replica))]

    def changed(self, replica: int, by: int) -> None:
        """It does not count."""

    def choose(self, key: int, tries: int) -> int | None:
        points = self._points
        if not points:
            return None
        at = bisect.bisect_left(points, (_hashed(key, -1), 0))
        met: list[int] = []
        for step in range(len(points)):
            replica = points[(at + step) % len(points)][1]
            if replica not in met:
                met.append(replica)
                if len(met) > tries:
                    break
        return met[-1]


POLICIES: Final[dict[str, Callable[[random.Random, int], Placement]]] = {
    "random": lambda drawn, _: AtRandom(drawn),
    "round robin": lambda *_: RoundRobin(),
    "consistent hash": lambda *_: ConsistentHash(),
    "power of two choices": lambda drawn, _: AtRandom(drawn, 2),
    "least connections": lambda *_: LeastConnections(),
    "fullest with room": lambda _, slots: Packing(slots - max(1, slots // 10)),
}
"""By name: random numbers and the slots of a replica in, a placement out."""


def _hashed(number: int, part: int) -> int:
    # splitmix64: Python's own hash of a number is the number.
    z = (number * 0x9E3779B97F4A7C15 + (part + 2) * 0xBF58476D1CE4E5B9) % _RING
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % _RING
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % _RING
    return z ^ (z >> 31)
