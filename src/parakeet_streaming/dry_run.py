"""The parts of a model in; how they run on one second of tone, shapes checked, out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from parakeet_streaming.catalog.files import ModelParts
from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.model.features import log_mel
from parakeet_streaming.runtime.choice import choose
from parakeet_streaming.runtime.session import Array, Session, open_session
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, encoder_frames

_TONE_HZ = 440.0


@dataclass(frozen=True, slots=True)
class Trial:
    """How a model did on one second of tone."""

    load_ms: float
    """Opening all sessions."""
    encode_ms: float
    """Features and encoder, warmed up."""
    decode_ms: float
    """One decoder and joint call per frame, warmed up."""
    frames: int
    """Encoder frames of the second."""
    providers: tuple[str, ...]
    """What ran the encoder, by the runtime's names."""
    threads: int
    """Of the encoder."""


def try_out(
    parts: ModelParts, spec: ModelSpec, *, provider: str = "auto", threads: int | None = None
) -> Trial:
    """Encodes one second of tone and scores every frame of it, checking all shapes.

    Raises:
        ProviderMissingError: the provider is not offered here.
        ModelFormatError: the runtime refuses a graph or a call, or an output has another shape
            than the spec says.
    """
    started = time.perf_counter()
    runtime = choose(parts.encoder.graph, provider=provider).runtime
    encoder = open_session(parts.encoder.path, runtime=runtime, provider=provider, threads=threads)
    decoder = open_session(parts.decoder.path, provider=provider, threads=1)
    joint = decoder
    if parts.joiner is not None:
        joint = open_session(parts.joiner.path, provider=provider, threads=1)
    loaded = time.perf_counter()
    frames = _encode(encoder, spec)
    _score(decoder, joint, spec, frames[:, :, :1])
    warm = time.perf_counter()
    frames = _encode(encoder, spec)
    encoded = time.perf_counter()
    for each in range(frames.shape[2]):
        _score(decoder, joint, spec, frames[:, :, each : each + 1])
    decoded = time.perf_counter()
    return Trial(
        load_ms=1000 * (loaded - started),
        encode_ms=1000 * (encoded - warm),
        decode_ms=1000 * (decoded - encoded),
        frames=frames.shape[2],
        providers=encoder.providers,
        threads=encoder.threads,
    )


def _encode(encoder: Session, spec: ModelSpec) -> Array:
    """Frames (1, D, U) of one second of tone."""
    clock_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tone = (0.1 * np.sin(2 * np.pi * _TONE_HZ * clock_s)).astype(np.float32)
    features = log_mel(tone, spec.mel_bins)[None]
    lengths = np.array([features.shape[2]])
    names = spec.names
    outputs = encoder.run({names.features: features, names.feature_lengths: lengths})
    expected = encoder_frames(SAMPLE_RATE_HZ)
    _check(outputs, names.frames, (1, spec.encoder_width, expected))
    return outputs[names.frames]


def _score(decoder: Session, joint: Session, spec: ModelSpec, frame: Array) -> None:
    """Scores a frame (1, D, 1) behind the start symbol."""
    names = spec.names
    state = np.zeros((spec.predictor_layers, 1, spec.predictor_width), dtype=np.float32)
    feeds = {names.targets: np.array([[spec.vocabulary.blank_id]])}
    feeds |= {names.hidden: state, names.cell: state}
    if names.target_lengths is not None:
        feeds[names.target_lengths] = np.array([1])
    if names.predictions is None or names.joint_predictions is None:
        predicted = scored = decoder.run({**feeds, names.joint_frames: frame})
    else:
        predicted = decoder.run(feeds)
        predictions = predicted[names.predictions]
        scored = joint.run({names.joint_frames: frame, names.joint_predictions: predictions})
    for name in (names.next_hidden, names.next_cell):
        _check(predicted, name, state.shape)
    _check(scored, names.logits, (1, 1, 1, spec.vocabulary.size + len(spec.durations)))


def _check(outputs: Mapping[str, Array], name: str, expected: tuple[int, ...]) -> None:
    got = outputs[name].shape
    if got != expected:
        raise ModelFormatError(
            f"output {name} came out as {got} instead of {expected}; export the model again"
        )
