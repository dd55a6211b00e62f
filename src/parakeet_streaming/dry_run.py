"""A model's folder in; how it runs on one second of tone, as the product runs it, out.

Rules of this file:

1. `load()` loads the model: sessions, runtimes, threads and decoder are those of every stream.
2. Every output of every call is checked: its shape against what the graph declares, the encoder's
   also against the audio, and its numbers, which must be finite.
3. A model whose encoder keeps a past runs in both modes: one whole window, then cached steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from parakeet_streaming.catalog.graph import TensorSpec
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.precision import stored_precision
from parakeet_streaming.catalog.roles import TensorNames
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.load import load
from parakeet_streaming.ports import Floats
from parakeet_streaming.runtime.session import Array, Session
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, SUBSAMPLING, ContextConfig

CACHED_CONTEXT: Final = ContextConfig(left=1.0, chunk=0.4, right=0.16)
"""Of the cached steps: a second has two of them, and what is left at the end."""

_TONE_HZ: Final = 440.0
_LEVEL: Final = 0.1


@dataclass(frozen=True, slots=True)
class DryRun:
    """How a model did on one second of tone."""

    load_ms: float
    encode_ms: float
    """Features and encoder, in one window, not the first one."""
    decode_ms: float
    """Decoder, likewise."""
    frames: int
    """Encoder frames of the second."""
    cached_steps: int
    """Steps of a cached stream; 0 where the encoder keeps no past."""
    providers: tuple[str, ...]
    """What ran the encoder, by the runtime's names."""
    threads: int
    """Of the encoder."""


def dry_run(
    folder: str | Path,
    *,
    precision: str = "auto",
    provider: str = "auto",
    threads: int | None = None,
) -> DryRun:
    """Loads the model in a folder and runs it; the options are those of `load`.

    Raises:
        ModelFormatError: an output of the wrong shape, or with numbers that are not finite.
        ComputeError: the runtime could not run a call.
        ParakeetError: any error that `load` raises.
    """
    names = read_spec(find_parts(folder, stored_precision(precision))).names
    sessions: dict[str, _CheckedSession] = {}

    def checked(session: Session, role: str) -> Session:
        sessions[role] = _CheckedSession(session, role, names)
        return sessions[role]

    started_s = time.perf_counter()
    recognizer = load(folder, precision=precision, provider=provider, threads=threads, wrap=checked)
    loaded_s = time.perf_counter()
    window = recognizer.offline_context(1.0)
    _run(recognizer, window)
    (whole,) = _run(recognizer, window)
    steps = _run(recognizer, CACHED_CONTEXT, cached=True) if names.cached else []
    encoder = sessions["encoder"]
    return DryRun(
        load_ms=1000 * (loaded_s - started_s),
        encode_ms=1000 * whole.encode_s,
        decode_ms=1000 * whole.decode_s,
        frames=encoder.most_frames,
        cached_steps=len(steps),
        providers=encoder.providers,
        threads=encoder.threads,
    )


@dataclass(frozen=True, slots=True)
class _StepTimes:
    encode_s: float
    decode_s: float


def _run(
    recognizer: Recognizer, context: ContextConfig, *, cached: bool = False
) -> list[_StepTimes]:
    """Recognises the tone; the times of every step."""
    stream = recognizer.stream(context, cached=cached)
    stream.push(_tone())
    stream.end()
    steps = []
    while not stream.closed:
        began_s = time.perf_counter()
        step = recognizer.prepare([stream.windowed])
        step.encode()
        encoded_s = time.perf_counter()
        step.decode()
        step.commit()
        ended_s = time.perf_counter()
        steps.append(_StepTimes(encoded_s - began_s, ended_s - encoded_s))
    return steps


def _tone() -> Floats:
    """(16000,) float32."""
    clock_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    return (_LEVEL * np.sin(2 * np.pi * _TONE_HZ * clock_s)).astype(np.float32)


class _CheckedSession:
    """A session whose outputs are checked; rule 2."""

    def __init__(self, session: Session, role: str, names: TensorNames) -> None:
        self.inputs: Mapping[str, TensorSpec] = session.inputs
        self.outputs: Mapping[str, TensorSpec] = session.outputs
        self.providers: tuple[str, ...] = session.providers
        self.threads: int = session.threads
        self.most_frames = 0
        """Encoder frames of the longest window so far."""
        self._run: Callable[[Mapping[str, Array]], dict[str, Array]] = session.run
        self._role = role
        self._names = names

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """As `Session.run`.

        Raises:
            ModelFormatError: an output that is not what it should be.
        """
        outputs = self._run(feeds)
        for name, values in outputs.items():
            self._check_shape(name, values, self.outputs[name].shape)
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise ModelFormatError(
                    f"output {name} of the {self._role} is not finite; its weights are broken: "
                    "fetch or export the model again"
                )
        if self._role == "encoder":
            self._check_frames(feeds, outputs[self._names.frames])
        return outputs

    def _check_frames(self, feeds: Mapping[str, Array], frames: Array) -> None:
        """Frames (B, D, U): one for every 8 feature frames of the longest row."""
        look_back = SUBSAMPLING if self._names.cached else 0
        features = int(feeds[self._names.feature_lengths].max()) - look_back
        expected = -(-features // SUBSAMPLING)
        self._check_shape(self._names.frames, frames, (*frames.shape[:2], expected))
        self.most_frames = max(self.most_frames, expected)

    def _check_shape(self, name: str, values: Array, expected: tuple[int | str, ...]) -> None:
        """Refuses another shape; open dimensions, and a shape that is not declared, fit all."""
        found = values.shape
        sizes = [
            size if isinstance(size, int) else own
            for size, own in zip(expected, found, strict=False)
        ]
        if expected and (len(found) != len(expected) or list(found) != sizes):
            there = ", ".join(str(size) for size in expected)
            raise ModelFormatError(
                f"output {name} of the {self._role} came out as {found} instead of ({there}); "
                "export the model again"
            )
