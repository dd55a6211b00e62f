"""Frames (m, channels) whose rate and channels may change go in; of one rate and number, out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.errors import AudioFormatError, OptionError


class FrameFitter:
    """One track whose frames all get the rate and the channels of the first.

    Frames that fit are handed on as they are. Of others the channels are averaged, and the average
    is in every channel.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._channels = channels
        self._rate_in_hz = rate_hz
        self._resampler: Resampler | None = None
        self._taken = 0
        self._owed = 0

    def feed(self, frames: NDArray[np.float32], rate_in_hz: int) -> tuple[NDArray[np.float32], int]:
        """What can be handed on (m, channels), and how many samples these frames take in all.

        Raises:
            AudioFormatError: a rate that cannot be converted.
        """
        rest = self.finish() if rate_in_hz != self._rate_in_hz else self._nothing()
        if rate_in_hz == self._rate_hz:
            self._rate_in_hz = rate_in_hz
            return _joined(rest, self._with_channels(frames)), len(frames)
        if self._resampler is None:
            try:
                self._resampler = Resampler(rate_in_hz, self._rate_hz)
            except OptionError as error:
                raise AudioFormatError(f"from here on it has {rate_in_hz} Hz") from error
            self._rate_in_hz, self._taken, self._owed = rate_in_hz, 0, 0
        self._taken += len(frames)
        owed = round(self._taken * self._rate_hz / rate_in_hz)
        length, self._owed = owed - self._owed, owed
        mono = self._resampler.feed(np.ascontiguousarray(frames.mean(axis=1)))
        return _joined(rest, self._with_channels(mono[:, None])), length

    def finish(self) -> NDArray[np.float32]:
        """What was held back."""
        resampler, self._resampler = self._resampler, None
        if resampler is None:
            return self._nothing()
        return self._with_channels(resampler.finish()[:, None])

    def _with_channels(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        if frames.shape[1] == self._channels:
            return frames
        return np.repeat(frames.mean(axis=1, keepdims=True), self._channels, axis=1)

    def _nothing(self) -> NDArray[np.float32]:
        return np.zeros((0, self._channels), np.float32)


def float_frames(frames: NDArray[Any]) -> NDArray[np.float32]:
    """Samples of any type a decoder gives, as float32 of full scale 1.0."""
    if frames.dtype.kind == "f":
        return frames.astype(np.float32, copy=False)
    scale = 2.0 ** (1 - 8 * frames.dtype.itemsize)
    floats = frames.astype(np.float32)
    if frames.dtype.kind == "u":
        floats -= 1 / scale
    floats *= np.float32(scale)
    return floats


def _joined(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([first, second]) if len(first) else second
