"""Samples of any usual type, or bytes of PCM, go in; float32 mono (n,) of the same rate comes out.

Rules of this file:

1. Full scale is 1.0. Floats are taken as they are and not clipped; whole numbers are divided by
   their full scale (uint8 is centred on 128). A type without an agreed full scale is refused.
2. Channels are averaged, added one after another, so that slicing never changes a bit.
3. NaN and infinity are refused with their position; nothing is repaired in silence.
"""

from __future__ import annotations

import math
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from parakeet_streaming.errors import AudioInputError, OptionError

MAX_CHANNELS: Final = 32

_ACCEPTED: Final = "float16, float32, float64, uint8, int16 or int32"
_FLOATS: Final = {("f", 2), ("f", 4), ("f", 8)}
# Kind and width rather than numpy's type: on some platforms two types share one width.
_WHOLE: Final = {("u", 1): (128, 2.0**-7), ("i", 2): (0, 2.0**-15), ("i", 4): (0, 2.0**-31)}

# Integers that were never scaled reach 2**31; features overflow from about 1e17.
_LOUDEST: Final = 1e12

ENCODINGS: Final[dict[str, int]] = {
    "u8": 1,
    "s16le": 2,
    "s24le": 3,
    "s32le": 4,
    "f32le": 4,
    "f64le": 8,
}
"""Bytes per sample by name of the encoding."""

_DTYPES: Final = {"u8": "u1", "s16le": "<i2", "s32le": "<i4", "f32le": "<f4", "f64le": "<f8"}


def as_mono(
    samples: ArrayLike, *, what: str = "samples", first_sample: int = 0
) -> NDArray[np.float32]:
    """Any usual samples as float32 mono (n,), full scale 1.0.

    Args:
        samples: (n,) or (n, channels) of float16, float32, float64, uint8, int16 or int32; a single
            number counts as one sample. Contiguous float32 (n,) is handed back without copying.
        what: how to call the samples in a message.
        first_sample: the position of `samples[0]`, for messages.

    Raises:
        AudioInputError: another shape or type, or a sample that is NaN, infinite or absurd.
    """
    array = _as_frames(samples, what)
    with np.errstate(over="ignore", invalid="ignore"):
        mono = np.ascontiguousarray(_average(_full_scale_one(array)), dtype=np.float32)
    usable = np.abs(mono) <= _LOUDEST
    if not usable.all():
        bad = int(np.argmin(usable))
        raise AudioInputError(
            f"{what}: sample {first_sample + bad} is {array[bad].tolist()}, which is no sample; "
            "replace NaN, infinity and whatever else is no audio before feeding"
        )
    return mono


def pcm_frames(data: bytes, encoding: str, channels: int = 1) -> NDArray[Any]:
    """Whole frames of raw PCM as an array (n, channels) of a type that `as_mono` takes.

    Raises:
        AudioInputError: bytes that are no whole number of frames.
        OptionError: an encoding that does not exist, or an impossible number of channels.
    """
    frame_bytes = bytes_per_frame(encoding, channels)
    if len(data) % frame_bytes:
        raise AudioInputError(
            f"{len(data)} bytes are no whole number of frames of {frame_bytes} bytes; "
            "keep the remainder for the next call"
        )
    if encoding == "s24le":
        # Three bytes become the upper three of an int32: the same fraction of full scale.
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.view("<i4").reshape(-1, channels)
    return np.frombuffer(data, _DTYPES[encoding]).reshape(-1, channels)


def bytes_per_frame(encoding: str, channels: int) -> int:
    """Bytes that one sample of every channel takes.

    Raises:
        OptionError: an encoding that does not exist, or an impossible number of channels.
    """
    if encoding not in ENCODINGS:
        raise OptionError(f"no encoding is called {encoding!r}; use one of {', '.join(ENCODINGS)}")
    if not 1 <= channels <= MAX_CHANNELS:
        raise OptionError(f"{channels} channels are impossible; use 1 to {MAX_CHANNELS}")
    return ENCODINGS[encoding] * channels


class BinaryStream(Protocol):
    """Anything bytes can be read from, such as `sys.stdin.buffer`; it need not be seekable."""

    def read(self, most_bytes: int, /) -> bytes: ...


def read_arrived(stream: BinaryStream, most_bytes: int) -> bytes:
    """The bytes that have arrived, 1 to `most_bytes` of them; none only at the end."""
    # A buffered stream's `read` waits for all it was asked for; `read1` does not.
    read = getattr(stream, "read1", stream.read)
    arrived: bytes = read(most_bytes)
    return arrived


class PcmReader:
    """Raw PCM from a binary stream, handed on as soon as a frame of it has arrived.

    Raises:
        OptionError: an encoding that does not exist, or an impossible number of channels.
    """

    def __init__(
        self,
        stream: BinaryStream,
        encoding: str,
        channels: int = 1,
        *,
        head: bytes = b"",
        length_bytes: int | None = None,
    ) -> None:
        """Read `stream`, of which `head` was read before; stop after `length_bytes` in all."""
        self._stream = stream
        self._encoding = encoding
        self._channels = channels
        self._frame_bytes = bytes_per_frame(encoding, channels)
        self._pending = head[:length_bytes]
        self._left_bytes = math.inf if length_bytes is None else length_bytes - len(head)

    def read(self, most_samples: int) -> NDArray[Any]:
        """Frames (m, channels) that have arrived, m at most `most_samples`; m = 0 at the end only.

        A last frame that is cut short is dropped.
        """
        most_bytes = most_samples * self._frame_bytes
        while len(self._pending) < self._frame_bytes and self._left_bytes > 0:
            want = min(most_bytes - len(self._pending), self._left_bytes)
            arrived = read_arrived(self._stream, int(want))
            self._left_bytes = self._left_bytes - len(arrived) if arrived else 0
            self._pending += arrived
        whole = min(len(self._pending) // self._frame_bytes, most_samples) * self._frame_bytes
        data, self._pending = self._pending[:whole], self._pending[whole:]
        return pcm_frames(data, self._encoding, self._channels)


def _as_frames(samples: ArrayLike, what: str) -> NDArray[Any]:
    """`samples` as an array (n,) or (n, channels) of an accepted type."""
    try:
        array = np.asarray(samples)
    except (TypeError, ValueError, RuntimeError) as error:
        raise AudioInputError(
            f"{what} are no array of numbers ({error}); use {_ACCEPTED}"
        ) from None
    kind = (array.dtype.kind, array.dtype.itemsize)
    if kind not in _FLOATS and kind not in _WHOLE:
        raise AudioInputError(
            f"{what} are of type {array.dtype}, which has no agreed full scale; use {_ACCEPTED}"
        )
    if array.ndim == 0:
        return array.reshape(1)
    if array.ndim > 2:
        raise AudioInputError(f"{what} have shape {array.shape}; use (n,) or (n, channels)")
    if array.ndim == 2 and not 1 <= array.shape[1] <= MAX_CHANNELS:
        hint = "; the axes look swapped, transpose them" if array.shape[0] <= MAX_CHANNELS else ""
        raise AudioInputError(
            f"{what} have shape {array.shape}, read as {array.shape[1]} channels; use (n,) or "
            f"(n, channels) with 1 to {MAX_CHANNELS} channels{hint}"
        )
    return array


def _full_scale_one(array: NDArray[Any]) -> NDArray[Any]:
    kind = (array.dtype.kind, array.dtype.itemsize)
    if kind in _FLOATS:
        return array
    zero, scale = _WHOLE[kind]
    floats = array.astype(np.float32)
    floats -= zero
    floats *= scale
    return floats


def _average(array: NDArray[Any]) -> NDArray[Any]:
    """(n,) as it is, (n, channels) averaged to (n,)."""
    if array.ndim == 1:
        return array
    if array.shape[1] == 1:
        return array[:, 0]
    total = np.zeros(len(array), np.float64)
    for channel in array.T:
        total += channel
    total /= array.shape[1]
    return total
