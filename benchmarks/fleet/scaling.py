"""Streams and time in; how many replicas are wanted out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Scaling(Protocol):
    """A rule for the number of replicas."""

    def wanted(self, now_s: float, streams: int, slots: int) -> int:
        """Replicas, at least 1.

        Args:
            now_s: the time.
            streams: that are open.
            slots: streams that one replica carries.
        """


@dataclass(frozen=True)
class Fixed:
    """Always so many."""

    replicas: int

    def wanted(self, now_s: float, streams: int, slots: int) -> int:
        return self.replicas


@dataclass(frozen=True)
class Occupancy:
    """So many that this part of all slots is taken."""

    target: float

    def wanted(self, now_s: float, streams: int, slots: int) -> int:
        return max(1, math.ceil(streams / (slots * self.target)))


@dataclass(frozen=True)
class Spare:
    """So many that some slots are free: a part of the streams, and no less than a number."""

    share: float
    least: int

    def wanted(self, now_s: float, streams: int, slots: int) -> int:
        spare = max(self.least, math.ceil(self.share * streams))
        return max(1, math.ceil((streams + spare) / slots))


@dataclass(frozen=True)
class Ahead:
    """What another rule wants of the streams now, or of those that are expected soon, if more."""

    rule: Scaling
    forecast: Callable[[float], float]
    """Of a moment: streams."""
    ahead_s: float

    def wanted(self, now_s: float, streams: int, slots: int) -> int:
        expected = math.ceil(self.forecast(now_s + self.ahead_s))
        return self.rule.wanted(now_s, max(streams, expected), slots)
