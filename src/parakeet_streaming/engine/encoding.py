"""The windows of one step in; their encoder frames, one row each, out.

Rules of this file:

1. Streams that keep a past are encoded together, and so are those that do not: one call each.
2. A row begins with the window's left context, or with the chunk where the past stands for it.
3. A stream that has lost its past, as it passed over a stretch, encodes its left context again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.engine.window import Window
from parakeet_streaming.ports import CachedEncoder, Counts, Encoder, EncoderStep, Floats
from parakeet_streaming.timeline import FRAME_SAMPLES

Due = Sequence[tuple[Stream, Window]]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Rows of frames and where the chunk lies in each."""

    frames: Floats
    """(B, U, D) float32."""
    lengths: Counts
    """(B,)"""
    starts: list[int]
    """First frame of each chunk."""
    ends: list[int]
    """Frame behind each chunk; the last window's chunk is all it has."""
    pasts: list[object | None]
    """What each stream keeps for its next step."""


def encode(encoder: Encoder, due: Due) -> Encoded:
    """Encodes the windows of one step."""
    cached = [at for at, (stream, _) in enumerate(due) if stream.options.cached]
    whole = [at for at, (stream, _) in enumerate(due) if not stream.options.cached]
    if not cached:
        return _whole(encoder, due)
    assert isinstance(encoder, CachedEncoder)
    if not whole:
        return _cached(encoder, due)
    return _merged(
        (whole, _whole(encoder, [due[at] for at in whole])),
        (cached, _cached(encoder, [due[at] for at in cached])),
    )


def _whole(encoder: Encoder, due: Due) -> Encoded:
    frames, lengths = encoder.encode([window.samples for _, window in due])
    starts = [window.left_frames for _, window in due]
    ends = [
        start + window.chunk_frames(int(length))
        for start, (_, window), length in zip(starts, due, lengths, strict=True)
    ]
    return Encoded(frames, lengths, starts, ends, [None] * len(due))


def _cached(encoder: CachedEncoder, due: Due) -> Encoded:
    frames, lengths, pasts = encoder.encode_steps([_step(stream, window) for stream, window in due])
    starts = [window.left_frames if stream.past is None else 0 for stream, window in due]
    ends = [
        int(length) if window.is_last else start + window.chunk_samples // FRAME_SAMPLES
        for (_, window), length, start in zip(due, lengths, starts, strict=True)
    ]
    return Encoded(frames, lengths, starts, ends, list(pasts))


def _step(stream: Stream, window: Window) -> EncoderStep:
    unknown_frames = window.left_frames if stream.past is None else 0
    return EncoderStep(
        samples=window.samples,
        left_samples=0 if stream.past is None else window.left_samples,
        chunk_frames=unknown_frames + window.chunk_samples // FRAME_SAMPLES,
        left_frames=stream.context.samples.left // FRAME_SAMPLES,
        past=stream.past,
    )


def _merged(*parts: tuple[list[int], Encoded]) -> Encoded:
    """Rows of both kinds in the order of the step."""
    rows = sum(len(places) for places, _ in parts)
    longest = max(encoded.frames.shape[1] for _, encoded in parts)
    width = parts[0][1].frames.shape[2]
    frames = np.zeros((rows, longest, width), dtype=np.float32)
    lengths = np.zeros(rows, dtype=np.int64)
    starts, ends = [0] * rows, [0] * rows
    pasts: list[object | None] = [None] * rows
    for places, encoded in parts:
        frames[places, : encoded.frames.shape[1]] = encoded.frames
        lengths[places] = encoded.lengths
        for row, place in enumerate(places):
            starts[place], ends[place] = encoded.starts[row], encoded.ends[row]
            pasts[place] = encoded.pasts[row]
    return Encoded(frames, lengths, starts, ends, pasts)
