"""Samples of any usual type go in; float32 of the same rate, mono or each channel, comes out.

Rules of this file:

1. Full scale is 1.0. Floats are taken as they are and not clipped; whole numbers are divided by
   their full scale (uint8 is centred on 128). A type without an agreed full scale is refused.
2. Channels are averaged, added one after another, so that slicing never changes a bit.
3. A buffer of bytes says nothing about its samples, and is refused: read as 8-bit audio, 16-bit PCM
   would be noise of twice its length. A typed buffer, such as `array('h')`, says it.
4. NaN and infinity are refused with their position; nothing is repaired silently.
"""

from __future__ import annotations

from typing import Any, Final, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from parakeet_streaming.errors import AudioInputError

MAX_CHANNELS: Final = 32

_ACCEPTED: Final = "float16, float32, float64, uint8, int16 or int32"
_FLOATS: Final = {("f", 2), ("f", 4), ("f", 8)}
# Kind and width rather than numpy's type: on some platforms two types share one width.
_WHOLE: Final = {("u", 1): (128, 2.0**-7), ("i", 2): (0, 2.0**-15), ("i", 4): (0, 2.0**-31)}

# Integers that were never scaled reach 2**31; features overflow from about 1e17.
_LOUDEST: Final = 1e12
_SURELY_USABLE: Final = 1e20
"""Sum of squares; with less, no sample is near the loudest."""


def as_mono(
    samples: ArrayLike, *, what: str = "samples", first_sample: int = 0
) -> NDArray[np.float32]:
    """Any usual samples as float32 mono (n,), full scale 1.0.

    Args:
        samples: (n,) or (n, channels) of float16, float32, float64, uint8, int16 or int32; a single
            number counts as one sample. Contiguous float32 (n,) is handed back without copying.
            Bytes are refused: give them a type with `np.frombuffer`, or use `PcmDecoder`.
        what: how to call the samples in a message.
        first_sample: the position of `samples[0]`, for messages.

    Raises:
        AudioInputError: another shape or type, or a sample that is NaN, infinite or absurd.
    """
    if _is_plain(samples):
        return samples
    array = _as_frames(samples, what)
    if array.dtype.kind != "f":  # whole numbers are samples, whatever they are
        return np.ascontiguousarray(_average(full_scale_one(array)), dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        mono = np.ascontiguousarray(_average(full_scale_one(array)), dtype=np.float32)
    _check_usable(np.abs(mono), array, what, first_sample)
    return mono


def as_channels(
    samples: ArrayLike, *, what: str = "samples", first_sample: int = 0
) -> NDArray[np.float32]:
    """Any usual samples as float32 (n, channels), full scale 1.0; arguments as of `as_mono`.

    Raises:
        AudioInputError: as `as_mono`.
    """
    array = _as_frames(samples, what)
    frames = array if array.ndim == 2 else array[:, np.newaxis]
    with np.errstate(over="ignore", invalid="ignore"):
        floats = np.ascontiguousarray(full_scale_one(frames), dtype=np.float32)
    _check_usable(np.abs(floats).max(axis=1), array, what, first_sample)
    return floats


def _check_usable(
    loudness: NDArray[np.float32], array: NDArray[Any], what: str, first_sample: int
) -> None:
    """Refuses frames of which one, by its `loudness` (n,), is no audio."""
    usable = loudness <= _LOUDEST  # NaN is not
    if usable.all():
        return
    bad = int(np.argmin(usable))
    error = AudioInputError(
        f"{what}: sample {first_sample + bad} is {array[bad].tolist()}, which is no sample; "
        "replace NaN, infinity and whatever else is no audio before feeding"
    )
    error.unusable_samples = len(usable)
    raise error


def _is_plain(samples: ArrayLike) -> TypeGuard[NDArray[np.float32]]:
    """Whether nothing is to be done. Packets of 20 ms come often, and pass here more than once."""
    if type(samples) is not np.ndarray or samples.dtype != np.float32 or samples.ndim != 1:
        return False
    # Not for a NaN, nor with an infinity: no sum of squares with one is below a bound.
    with np.errstate(over="ignore", invalid="ignore"):
        return samples.flags.c_contiguous and bool(np.dot(samples, samples) <= _SURELY_USABLE)


def _as_frames(samples: ArrayLike, what: str) -> NDArray[Any]:
    """`samples` as an array (n,) or (n, channels) of an accepted type."""
    if _is_untyped(samples):
        raise AudioInputError(
            f"{what} are {type(samples).__name__} without a sample type; use {_ACCEPTED}: for "
            "16-bit PCM pass np.frombuffer(data, np.int16), for float32 np.frombuffer(data, "
            "np.float32), or decode bytes of any encoding and any cut with PcmDecoder"
        )
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


def _is_untyped(samples: object) -> bool:
    """Whether it is a buffer of bytes, or a sequence of such; an array of numpy never is."""
    if isinstance(samples, (list, tuple)) and samples:
        samples = samples[0]
    if isinstance(samples, str) or hasattr(samples, "__array__"):
        return False
    try:
        view = memoryview(samples)  # type: ignore[arg-type]
    except TypeError:
        return False
    return view.itemsize == 1


def full_scale_one(array: NDArray[Any]) -> NDArray[Any]:
    """Numbers of any accepted type as floats whose full scale is 1.0."""
    kind = (array.dtype.kind, array.dtype.itemsize)
    if kind in _FLOATS:
        return array
    zero, scale = _WHOLE[kind]
    floats = array.astype(np.float32)
    if zero:
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
