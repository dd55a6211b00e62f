"""A model's name in; a recognizer of which every stage of a step is timed, out.

The phases of a step are timed around `Recognizer.prepare`, and within them the graphs that run:

```
step ─┬─ prepare ─ the rest: windows cut
      ├─ encode ─┬─ encoder graph
      │          └─ features: log-mel, padding, batches put together
      ├─ decode ─┬─ prediction network
      │          ├─ joint
      │          └─ label-looping, confidence
      └─ commit ── the rest: words, events
```
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from numpy.typing import NDArray

from benchmarks.models.runtimes import open_model
from parakeet_streaming import Event, Stream
from parakeet_streaming.runtime.session import Session

ENCODER, PREDICTOR, JOINT = "encoder", "predictor", "joint"
"""The names by which `load` hands its sessions over."""
_ENCODE, _DECODE = "encode", "decode"

ENCODER_GRAPH: Final = "encoder graph"
OUTSIDE: Final = ("features", "prediction network", "joint", "label-looping", "the rest")
"""Stages that are not the encoder's graph."""


class Stopwatch:
    """Seconds and calls by name, since the last reset."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, int] = {}

    def reset(self) -> None:
        """Forgets everything."""
        self.seconds.clear()
        self.calls.clear()

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        """Adds the time of what is done within."""
        started_s = time.perf_counter()
        yield
        took_s = time.perf_counter() - started_s
        self.seconds[name] = self.seconds.get(name, 0.0) + took_s
        self.calls[name] = self.calls.get(name, 0) + 1

    def stages(self, total_s: float) -> dict[str, float]:
        """Seconds of each stage, out of `total_s`; their sum is that."""
        graph, predictor, joint, encode, decode = (
            self.seconds.get(name, 0.0) for name in (ENCODER, PREDICTOR, JOINT, _ENCODE, _DECODE)
        )
        outside = (
            encode - graph,
            predictor,
            joint,
            decode - predictor - joint,
            total_s - encode - decode,
        )
        return {ENCODER_GRAPH: graph, **dict(zip(OUTSIDE, outside, strict=True))}


class TimedSession:
    """A session, timed."""

    def __init__(self, session: Session, stopwatch: Stopwatch, name: str) -> None:
        self.inputs = session.inputs
        self.outputs = session.outputs
        self.providers = session.providers
        self.threads = session.threads
        self._session = session
        self._stopwatch = stopwatch
        self._name = name

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """As the session."""
        with self._stopwatch.timing(self._name):
            return self._session.run(feeds)


class TimedModel:
    """A recognizer, and a stopwatch around every stage of its steps."""

    def __init__(
        self, model: str, runtime: str, *, cached: bool = False, threads: int | None = None
    ) -> None:
        """Loads a model; arguments and errors as in `open_model`."""
        self.stopwatch = Stopwatch()
        self.recognizer = open_model(
            model,
            runtime,
            cached=cached,
            threads=threads,
            wrap=lambda session, name: TimedSession(session, self.stopwatch, name),
        )

    def step(self, streams: Sequence[Stream]) -> list[tuple[Event, ...]]:
        """One step of all streams, its phases timed."""
        step = self.recognizer.prepare([stream.windowed for stream in streams])
        with self.stopwatch.timing(_ENCODE):
            step.encode()
        with self.stopwatch.timing(_DECODE):
            step.decode()
        return step.commit()
