"""Samples of any usual type in; bytes of the stream's encoding, in pieces, out.

Rules of this file:

1. Bytes go as they are: they are of the encoding that the stream was opened with.
2. Samples go as s16le, rounded and clipped, or as f32le, exactly. Other encodings take bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from parakeet_streaming.errors import AudioInputError

_SAMPLE_BYTES: Final = {
    "u8": 1,
    "s16le": 2,
    "s24le": 3,
    "s32le": 4,
    "f32le": 4,
    "f64le": 8,
    "mulaw": 1,
    "alaw": 1,
}
PIECE_BYTES: Final = 1 << 16
"""Of one message: two seconds of 16 bits at 16 kHz."""
_FULL_SCALE: Final = 32_768.0

Audio = bytes | bytearray | memoryview | ArrayLike


def pieces(audio: Audio, encoding: str, channels: int) -> Iterator[bytes]:
    """Audio as bytes, none of them longer than a piece.

    Args:
        audio: bytes, or samples (n,) or (n, channels): integers of 16 bits, or floats from -1 to 1.
        encoding: of the stream.
        channels: of the stream, which samples (n,) have interleaved.

    Raises:
        AudioInputError: samples of another type or shape, or NaN or infinity; nothing was sent.
    """
    if isinstance(audio, (bytes, bytearray, memoryview)):
        data = bytes(audio)
    else:
        data = _bytes_of(np.asarray(audio), encoding, channels)
    for start in range(0, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]


def frame_bytes(encoding: str, channels: int) -> int:
    """Bytes of one sample of all channels; 1 of an encoding that only the server may know."""
    return _SAMPLE_BYTES.get(encoding, 1) * max(1, channels)


def _bytes_of(samples: NDArray[np.generic], encoding: str, channels: int) -> bytes:
    if encoding not in ("s16le", "f32le"):
        raise AudioInputError(
            f"a stream of {encoding} takes bytes; give those, or open it as f32le"
        )
    if samples.ndim > 2 or (samples.ndim == 2 and samples.shape[1] != channels):
        raise AudioInputError(
            f"samples have the shape {samples.shape}; give (n,) or (n, {channels})"
        )
    is_whole = samples.dtype == np.int16
    if not is_whole and samples.dtype.kind != "f":
        raise AudioInputError(f"samples are {samples.dtype}; give float32 or int16")
    if is_whole:
        if encoding == "s16le":
            return samples.astype("<i2").tobytes()
        return (samples.astype("<f4") / _FULL_SCALE).astype("<f4").tobytes()
    floats = samples.astype("<f4")
    if not np.isfinite(floats).all():
        raise AudioInputError("samples have NaN or infinity in them; nothing of them was sent")
    if encoding == "f32le":
        return floats.tobytes()
    return (
        np.clip(np.rint(floats * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
        .astype("<i2")
        .tobytes()
    )
