"""What a step costs in; how late the text of one replica is, and how many streams it carries, out.

Rules of this file:

1. A replica computes one step at a time. Every stream has a chunk ready once per `chunk_s`; a step
   takes all that are ready, `most_batch` at most, the first that were ready first, and lasts
   fixed + per stream × streams, times a random factor (log-normal, mean 1).
2. The lateness of a text is its wait for the step, the step, and `overhead_s`.
3. Voice activity looks at every stream, speaking or not: so much of the time is not there for
   steps. A chunk in which nobody speaks needs no step.
4. The load is that of `parakeet_streaming.live.admission`: the part of the time that steps take
   when streams share them as well as they can.
5. Chunks never grow here. The engine lets them grow under overload; admission prevents that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.live.arrivals import ALLOWED_S, IN_TIME_SHARE
from benchmarks.live.search import greatest
from parakeet_streaming.live.admission import MOST_LOAD

_TALK_S: Final = 4.0
"""Mean length of a stretch of speech of a stream that is quiet at times."""
_SLOT_TRIAL_S: Final = 120.0
_PLAYED_TEXTS: Final = 20_000
_PLAYED_S: Final = 60.0
_MOST_PLAYED_S: Final = 600.0
_KEPT: Final = 400


@dataclass(frozen=True)
class EngineModel:
    """One replica with one model in one context."""

    name: str
    chunk_s: float
    fixed_s: float
    """Of each step."""
    per_stream_s: float
    """Of each stream of a step."""
    overhead_s: float = 0.0
    """Lateness that does not depend on the load."""
    spread: float = 0.0
    """Standard deviation of the logarithm of a step's time."""
    listening_share: float = 0.0
    """Part of the time that voice activity takes for one stream."""
    most_batch: int = 32

    def load(self, streams: float, speaking: float) -> float:
        """Part of the time that so many streams take, of whom so many speak."""
        if streams <= 0:
            return 0.0
        shared = max(1.0, min(streams, self.most_batch))
        step_s = self.fixed_s / shared + self.per_stream_s
        return step_s * speaking / self.chunk_s + self.listening_share * streams

    @property
    def alone_share(self) -> float:
        """Part of the time that one stream takes that shares its steps with nobody."""
        return (self.fixed_s + self.per_stream_s) / self.chunk_s

    def streams_at(self, load: float, speech: float) -> int:
        """How many streams make that load, where each speaks for that part of its time."""
        return greatest(lambda count: self.load(count, speech * count) <= load, 1, 1 << 20)


def lateness(
    model: EngineModel, speech: Sequence[float], seconds: float, seed: int, *, even: bool = False
) -> NDArray[np.float64]:
    """Seconds by which texts are late, (n,), on a replica with these streams.

    Args:
        model: the replica.
        speech: for each stream, the part of its time in which it speaks.
        seconds: for which they are there.
        seed: of phases, of speech and of the times of steps.
        even: one stream in each part of a chunk, as in the trials; otherwise at any moment of it.
    """
    drawn = np.random.default_rng(seed)
    phases = drawn.random(len(speech))
    if even:
        phases = (np.arange(len(speech)) + phases) / len(speech)
    ready_s = _ready(model.chunk_s, np.asarray(speech), seconds, phases, drawn)
    normal = drawn.standard_normal(len(ready_s))
    factors = np.exp(model.spread * normal - model.spread**2 / 2).tolist()
    listening = min(0.99, model.listening_share * len(speech))
    fixed_s, per_s = model.fixed_s / (1 - listening), model.per_stream_s / (1 - listening)
    late_s = np.empty(len(ready_s))
    moments, now_s, at, steps = ready_s.tolist(), 0.0, 0, 0
    while at < len(moments):
        now_s = max(now_s, moments[at])
        end = at + 1
        most = min(len(moments), at + model.most_batch)
        while end < most and moments[end] <= now_s:
            end += 1
        now_s += (fixed_s + per_s * (end - at)) * factors[steps]
        steps += 1
        late_s[at:end] = now_s
        at = end
    return late_s - ready_s + model.overhead_s


class LatenessByLoad:
    """How late texts are under a load, for streams that speak as these do.

    For each load, so many streams are played as make it, and the answer is kept.
    """

    def __init__(self, model: EngineModel, speech: tuple[float, float], seed: int = 0) -> None:
        """`speech`: of the beta distribution of the part of its time that a stream speaks."""
        self._model = model
        self._speech = speech
        self._seed = seed
        self._found: dict[float, NDArray[np.float64]] = {}

    def __call__(self, load: float) -> NDArray[np.float64]:
        """Seconds, (400,), sorted: each as likely as the other."""
        if load not in self._found:
            self._found[load] = self._play(load)
        return self._found[load]

    def _play(self, load: float) -> NDArray[np.float64]:
        mean = self._speech[0] / sum(self._speech)
        streams = max(1, self._model.streams_at(load, mean))
        drawn = np.random.default_rng(self._seed)
        speech = drawn.beta(*self._speech, streams)
        # The mean of few streams may be far from that of all.
        speech = np.clip(speech * mean / speech.mean(), 0.01, 1.0)
        seconds = _PLAYED_TEXTS * self._model.chunk_s / (streams * mean)
        seconds = min(max(_PLAYED_S, seconds), _MOST_PLAYED_S)
        late_s = lateness(self._model, speech.tolist(), seconds, self._seed)
        parts = (np.arange(_KEPT) + 0.5) / _KEPT
        return np.quantile(late_s, parts) if len(late_s) else np.zeros(_KEPT)


def slots(model: EngineModel, seed: int = 0) -> int:
    """The greatest number of streams that are carried if all speak all the time.

    Carried: 99 % of texts late by 0.5 s at most, and a load of 0.9 at most, as the engine admits.
    """

    def carries(count: int) -> bool:
        if model.load(count, count) > MOST_LOAD:
            return False
        late_s = lateness(model, [1.0] * count, _SLOT_TRIAL_S, seed)
        return float((late_s <= ALLOWED_S).mean()) >= IN_TIME_SHARE

    return greatest(carries, 1, 1 << 16)


def _ready(
    chunk_s: float,
    speech: NDArray[np.float64],
    seconds: float,
    phases: NDArray[np.float64],
    drawn: np.random.Generator,
) -> NDArray[np.float64]:
    """When chunks with speech are ready, in order."""
    chunks = int(seconds / chunk_s)
    ready_s = chunk_s * (phases[:, None] + np.arange(1, chunks + 1))
    return np.sort(ready_s[_spoken(chunk_s, speech, chunks, drawn)])


def _spoken(
    chunk_s: float, speech: NDArray[np.float64], chunks: int, drawn: np.random.Generator
) -> NDArray[np.bool_]:
    """Which chunks have speech, (streams, chunks): stretches of `_TALK_S` on average."""
    ends = min(1.0, chunk_s / _TALK_S)
    begins = np.minimum(1.0, ends * speech / np.maximum(1e-9, 1 - speech))
    # Where pauses would be shorter than a chunk, stretches are longer instead.
    ends_of = np.where(speech >= 1, 0.0, np.minimum(ends, (1 - speech) * begins / speech))
    spoken = np.empty((len(speech), chunks), dtype=np.bool_)
    now = drawn.random(len(speech)) < speech
    for at in range(chunks):
        spoken[:, at] = now
        chance = drawn.random(len(speech))
        now = np.where(now, chance >= ends_of, chance < begins)
    return spoken
