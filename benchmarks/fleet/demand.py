"""How many people want to speak and for how long in; sessions, in order of time, out.

Rules of this file:

1. Sessions begin as a Poisson process. Its rate follows a day (a cosine between night and peak),
   and is higher during a burst.
2. Sessions last log-normal times, cut at `longest_s`. Each speaks for its own part of its time
   (beta).
3. Sessions that are there at the start have what is left of a session that is met at a random
   moment: long ones are met more often.
4. Equal seeds give equal sessions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

DAY_S: Final = 86_400.0
HOUR_S: Final = 3_600.0
_BIN_S: Final = 10.0
_POOL: Final = 200_000
"""Lengths from which those of the first sessions are drawn."""


class Session(NamedTuple):
    """Someone who wants to speak."""

    begins_s: float
    lasts_s: float
    speech: float
    """Part of its time."""


@dataclass(frozen=True)
class Burst:
    """More people than the day explains."""

    at_s: float
    lasts_s: float = 600.0
    times: float = 2.0
    """The rate of arrivals, in times of the day's."""


@dataclass(frozen=True)
class Demand:
    """Who comes."""

    streams: float
    """Open at the peak of the day, on the average, if all are served."""
    median_s: float = 300.0
    sigma: float = 1.4
    """Standard deviation of the logarithm of a session's length."""
    longest_s: float = 6 * HOUR_S
    night: float = 0.3
    """Part of the peak's rate that is left at the lowest; 1 for a day without a curve."""
    peak_at_s: float = 14 * HOUR_S
    burst: Burst | None = None
    speech: tuple[float, float] = (2.25, 2.75)
    """Of the beta distribution; 45 % on the average."""

    @property
    def mean_s(self) -> float:
        """Mean length of a session."""
        mu, sigma, log_longest = math.log(self.median_s), self.sigma, math.log(self.longest_s)
        below = math.exp(mu + sigma**2 / 2) * _normal((log_longest - mu - sigma**2) / sigma)
        return below + self.longest_s * (1 - _normal((log_longest - mu) / sigma))

    @property
    def mean_speech(self) -> float:
        """Part of the time in which a stream speaks, on the average."""
        return self.speech[0] / sum(self.speech)

    def curve(self, at_s: float) -> float:
        """The day's rate in parts of the peak's, without a burst."""
        phase = math.cos(2 * math.pi * (at_s - self.peak_at_s) / DAY_S)
        return self.night + (1 - self.night) * (1 + phase) / 2

    def rate(self, at_s: float) -> float:
        """Arrivals a second."""
        burst = self.burst
        more = (
            burst.times
            if burst is not None and burst.at_s <= at_s < burst.at_s + burst.lasts_s
            else 1.0
        )
        return self.streams / self.mean_s * self.curve(at_s) * more

    def forecast(self, at_s: float) -> float:
        """Streams that the day's curve lets expect, without a burst."""
        return self.streams * self.curve(at_s)


def standing(demand: Demand, at_s: float, drawn: np.random.Generator) -> list[Session]:
    """Sessions that are there already at that moment, with what is left of them."""
    count = int(drawn.poisson(demand.forecast(at_s)))
    pool_s = _lengths(demand, _POOL, drawn)
    met_s = drawn.choice(pool_s, count, p=pool_s / pool_s.sum()) * drawn.random(count)
    speech = drawn.beta(*demand.speech, count)
    return [
        Session(at_s, left_s, part)
        for left_s, part in zip(met_s.tolist(), speech.tolist(), strict=True)
    ]


def arrivals(
    demand: Demand, from_s: float, to_s: float, drawn: np.random.Generator
) -> Iterator[Session]:
    """Sessions that begin between two moments, in order; the rate is constant for ten seconds."""
    bins = math.ceil((to_s - from_s) / _BIN_S)
    for each in range(bins):
        begins_s = from_s + each * _BIN_S
        length_s = min(_BIN_S, to_s - begins_s)
        count = int(drawn.poisson(demand.rate(begins_s + length_s / 2) * length_s))
        moments = begins_s + np.sort(drawn.random(count)) * length_s
        lengths = _lengths(demand, count, drawn)
        speech = drawn.beta(*demand.speech, count)
        yield from map(Session, moments.tolist(), lengths.tolist(), speech.tolist())


def _lengths(
    demand: Demand, count: int, drawn: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    drawn_s = drawn.lognormal(math.log(demand.median_s), demand.sigma, count)
    lengths: np.ndarray[tuple[int], np.dtype[np.float64]] = np.minimum(drawn_s, demand.longest_s)
    return lengths


def _normal(at: float) -> float:
    return (1 + math.erf(at / math.sqrt(2))) / 2
