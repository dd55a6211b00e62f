"""Time, streams and load in; how many replicas are wanted out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True)
class Seen:
    """What a scaler is told."""

    now_s: float
    streams: int
    """That are open."""
    slots: int
    """Streams that it counts on for one replica."""
    load: float = 0.0
    """Of all replicas together."""


class Scaling(Protocol):
    """A rule for the number of replicas."""

    def wanted(self, seen: Seen) -> int:
        """Replicas, at least 1."""


@dataclass(frozen=True)
class Fixed:
    """Always so many."""

    replicas: int

    def wanted(self, seen: Seen) -> int:
        return self.replicas


@dataclass(frozen=True)
class Occupancy:
    """So many that this part of all slots is taken."""

    target: float

    def wanted(self, seen: Seen) -> int:
        return max(1, math.ceil(seen.streams / (seen.slots * self.target)))


@dataclass(frozen=True)
class Spare:
    """So many that some slots are free: a part of the streams, and no less than a number."""

    share: float
    least: int

    def wanted(self, seen: Seen) -> int:
        spare = max(self.least, math.ceil(self.share * seen.streams))
        return max(1, math.ceil((seen.streams + spare) / seen.slots))


@dataclass(frozen=True)
class Ahead:
    """What another rule wants of the streams now, or of those that are expected soon, if more."""

    rule: Scaling
    forecast: Callable[[float], float]
    """Of a moment: streams."""
    ahead_s: float

    def wanted(self, seen: Seen) -> int:
        expected = math.ceil(self.forecast(seen.now_s + self.ahead_s))
        return self.rule.wanted(replace(seen, streams=max(seen.streams, expected)))


@dataclass(frozen=True)
class Load:
    """So many that each has this load on the average."""

    target: float

    def wanted(self, seen: Seen) -> int:
        return max(1, math.ceil(seen.load / self.target))


@dataclass(frozen=True)
class Greatest:
    """As many as the rule that wants most."""

    rules: tuple[Scaling, ...]

    def wanted(self, seen: Seen) -> int:
        return max(rule.wanted(seen) for rule in self.rules)
