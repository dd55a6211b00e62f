"""What happened to all sessions in; the figures of a policy out.

Rules of this file:

1. Everybody who came has finished, gave up before the first word, lost the stream for good, is
   open, or waits: `Outcome.balance` is 0.
2. Lateness is that of the speech that was transcribed, each second of it under the load that its
   replica had. Speech of a stream that came back counts as well: what was said as it was lost is
   late by all of the time until it had caught up, what was said last by nothing.
3. Lost time is from the loss to the moment at which the text is on time again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.fleet.fleet import BINS, Totals

Lateness = Callable[[float], NDArray[np.float64]]
"""Of a load: seconds by which texts are late, each as likely as the other, sorted."""
_OUTAGE_PARTS: Final = 20
_MOST_OUTAGES: Final = 20_000


@dataclass
class Outcome:
    """Counts of one simulation."""

    arrived: int = 0
    finished: int = 0
    gave_up: int = 0
    """Never got in."""
    lost: int = 0
    """Got in, and could not go on before the client's audio was used up."""
    open: int = 0
    waiting: int = 0
    """For a place, at the end; new ones and lost ones."""
    refused_at_first: int = 0
    """New sessions whose first try was refused."""
    attempts: Counter[int] = field(default_factory=Counter)
    """To connect, by second."""
    refusals: int = 0
    lost_s: list[float] = field(default_factory=list)
    """Of each stream that came back."""
    lost_speech: list[float] = field(default_factory=list)
    """The part of its time that each of these speaks."""
    moved: int = 0
    """Streams that moved by themselves before their replica ended."""
    deaths: int = 0
    most_replicas: int = 0
    most_streams: int = 0
    totals: Totals = field(default_factory=Totals)

    @property
    def balance(self) -> int:
        """Sessions that came and are unaccounted for: 0."""
        ended = self.finished + self.gave_up + self.lost
        return self.arrived - ended - self.open - self.waiting

    @property
    def refused_share(self) -> float:
        """Of new sessions: those whose first try was refused."""
        return self.refused_at_first / self.arrived if self.arrived else 0.0

    @property
    def gave_up_share(self) -> float:
        """Of new sessions: those that never got in."""
        return self.gave_up / self.arrived if self.arrived else 0.0

    @property
    def replica_hours_per_stream_hour(self) -> float:
        return self.totals.replica_s / self.totals.stream_s if self.totals.stream_s else 0.0

    @property
    def most_attempts(self) -> int:
        """To connect, in one second."""
        return max(self.attempts.values(), default=0)

    def lost_time_s(self, quantiles: Sequence[float]) -> list[float]:
        """Of streams that came back; empty where none was lost."""
        return np.quantile(self.lost_s, quantiles).tolist() if self.lost_s else []

    def late_s(self, lateness: Lateness, quantiles: Sequence[float]) -> list[float]:
        """Quantiles of the lateness of all speech."""
        values: list[NDArray[np.float64]] = []
        weights: list[NDArray[np.float64]] = []
        for at in range(BINS + 1):
            if self.totals.speech_s[at] > 0:
                found = lateness((at + 0.5) / 100)
                values.append(found)
                weights.append(np.full(len(found), self.totals.speech_s[at] / len(found)))
        for lost_s, speech in self._outages():
            parts = (np.arange(_OUTAGE_PARTS) + 0.5) / _OUTAGE_PARTS
            values.append(lost_s * parts)
            weights.append(np.full(_OUTAGE_PARTS, lost_s * speech / _OUTAGE_PARTS))
        return _quantiles(values, weights, quantiles)

    def _outages(self) -> list[tuple[float, float]]:
        """Lost time and speech of streams; of very many, evenly chosen ones that stand for more."""
        pairs = list(zip(self.lost_s, self.lost_speech, strict=True))
        each = max(1, len(pairs) // _MOST_OUTAGES)
        return [(lost_s, each * speech) for lost_s, speech in pairs[::each]]


def _quantiles(
    values: Sequence[NDArray[np.float64]],
    weights: Sequence[NDArray[np.float64]],
    quantiles: Sequence[float],
) -> list[float]:
    if not values:
        return []
    all_values, all_weights = np.concatenate(values), np.concatenate(weights)
    order = np.argsort(all_values)
    below = np.cumsum(all_weights[order])
    at = np.searchsorted(below, np.asarray(quantiles) * below[-1])
    found: list[float] = all_values[order][np.minimum(at, len(order) - 1)].tolist()
    return found
