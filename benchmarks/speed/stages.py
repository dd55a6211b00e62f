"""Sessions and ports in; the same with a stopwatch around each, and the time of every stage, out.

What is inside what:

```
step ─┬─ encoder port ──┬─ features and padding
      │                 └─ encoder graph
      ├─ decoder port ──┬─ prediction network
      │                 ├─ joint
      │                 └─ feeding the two
      └─ the rest: windows, label-looping, confidence, words
```
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from numpy.typing import NDArray

from parakeet_streaming.ports import (
    CachedEncoder,
    Counts,
    DecoderJoint,
    Encoder,
    EncoderStep,
    Floats,
)
from parakeet_streaming.runtime.session import Session

ENCODER, PREDICTOR, JOINT = "encoder", "predictor", "joint"
_ENCODER_PORT, _DECODER_PORT = "encoder port", "decoder port"

ENCODER_GRAPH = "encoder graph"
OUTSIDE = ("features", "prediction network", "joint", "feeding these two", "the rest")
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
        graph, predictor, joint, encoder_port, decoder_port = (
            self.seconds.get(name, 0.0)
            for name in (ENCODER, PREDICTOR, JOINT, _ENCODER_PORT, _DECODER_PORT)
        )
        outside = (
            encoder_port - graph,
            predictor,
            joint,
            decoder_port - predictor - joint,
            total_s - encoder_port - decoder_port,
        )
        return {ENCODER_GRAPH: graph, **dict(zip(OUTSIDE, outside, strict=True))}


class TimedSession:
    """A session, timed."""

    def __init__(self, session: Session, stopwatch: Stopwatch, name: str) -> None:
        self.inputs = session.inputs
        self.outputs = session.outputs
        self._session = session
        self._stopwatch = stopwatch
        self._name = name

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """As the session."""
        with self._stopwatch.timing(self._name):
            return self._session.run(feeds)


class TimedEncoder:
    """An encoder, timed."""

    def __init__(self, encoder: Encoder, stopwatch: Stopwatch) -> None:
        self.max_samples = encoder.max_samples
        self._encoder = encoder
        self._stopwatch = stopwatch

    def encode(self, windows: Sequence[Floats]) -> tuple[Floats, Counts]:
        """As the encoder."""
        with self._stopwatch.timing(_ENCODER_PORT):
            return self._encoder.encode(windows)


class TimedCachedEncoder(TimedEncoder):
    """An encoder that keeps its past, timed."""

    def __init__(self, encoder: CachedEncoder, stopwatch: Stopwatch) -> None:
        super().__init__(encoder, stopwatch)
        self._cached_encoder = encoder

    def encode_steps(self, steps: Sequence[EncoderStep]) -> tuple[Floats, Counts, list[object]]:
        """As the encoder."""
        with self._stopwatch.timing(_ENCODER_PORT):
            return self._cached_encoder.encode_steps(steps)


def timed_encoder(encoder: Encoder, stopwatch: Stopwatch) -> TimedEncoder:
    """An encoder of either kind, timed."""
    if isinstance(encoder, CachedEncoder):
        return TimedCachedEncoder(encoder, stopwatch)
    return TimedEncoder(encoder, stopwatch)


class TimedDecoderJoint:
    """A decoder_joint, timed."""

    def __init__(self, decoder_joint: DecoderJoint, stopwatch: Stopwatch) -> None:
        self.blank_id = decoder_joint.blank_id
        self.durations = decoder_joint.durations
        self.frames_per_call = decoder_joint.frames_per_call
        """May be set to another number."""
        self._decoder_joint = decoder_joint
        self._stopwatch = stopwatch

    def start(self) -> tuple[Floats, Floats, Floats]:
        """As the decoder_joint."""
        with self._stopwatch.timing(_DECODER_PORT):
            return self._decoder_joint.start()

    def advance(
        self, tokens: Sequence[int], hidden: Floats, cell: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """As the decoder_joint."""
        with self._stopwatch.timing(_DECODER_PORT):
            return self._decoder_joint.advance(tokens, hidden, cell)

    def score(self, frames: Floats, output: Floats) -> tuple[Floats, Floats | None]:
        """As the decoder_joint."""
        with self._stopwatch.timing(_DECODER_PORT):
            return self._decoder_joint.score(frames, output)
