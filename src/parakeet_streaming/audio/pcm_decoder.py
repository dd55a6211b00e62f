"""Bytes of raw PCM go in, cut anywhere; float32 mono (n,) of the same rate comes out.

Rules of this file:

1. What is less than a frame (one sample of every channel) waits for the bytes that complete it.
2. An error takes nothing: the decoder is as it was before the call.
3. G.711 is decoded to 16 bits: the values of the ITU's tables times 4 (mulaw) or 8 (alaw).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.pcm import MAX_CHANNELS, as_mono
from parakeet_streaming.errors import AudioInputError, OptionError
from parakeet_streaming.plain_text import shown

ENCODINGS: Final[dict[str, int]] = {
    "u8": 1,
    "s16le": 2,
    "s24le": 3,
    "s32le": 4,
    "f32le": 4,
    "f64le": 8,
    "mulaw": 1,
    "alaw": 1,
}
"""Bytes per sample by name of the encoding."""

_DTYPES: Final = {"u8": "u1", "s16le": "<i2", "s32le": "<i4", "f32le": "<f4", "f64le": "<f8"}


def _mulaw_values() -> NDArray[np.int16]:
    """The 16-bit value of each byte of μ-law (G.711, table 2a; all bits are sent inverted)."""
    bits = ~np.arange(256, dtype=np.int32) & 0xFF
    bias = 0x84
    size = (((bits & 0x0F) << 3) + bias << ((bits >> 4) & 0x07)) - bias
    return np.where(bits & 0x80, -size, size).astype(np.int16)


def _alaw_values() -> NDArray[np.int16]:
    """The 16-bit value of each byte of A-law (G.711, table 1a; even bits are sent inverted)."""
    bits = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (bits >> 4) & 0x07
    step = ((bits & 0x0F) << 4) + 8
    size = np.where(segment == 0, step, step + 0x100 << np.maximum(segment - 1, 0))
    return np.where(bits & 0x80, size, -size).astype(np.int16)


_G711: Final = {"mulaw": _mulaw_values(), "alaw": _alaw_values()}


class PcmDecoder:
    """Raw PCM as it comes, such as from a socket.

    ```python
    decoder = PcmDecoder("mulaw")
    samples = decoder.feed(data)       # as often as bytes come, however they are cut
    cut_off_bytes = decoder.finish()   # what was left of a last frame; 0 where all is well
    ```

    Raises:
        OptionError: an encoding that does not exist, or an impossible number of channels.
    """

    def __init__(
        self, encoding: str = "s16le", channels: int = 1, *, name: str = "samples"
    ) -> None:
        """Decode `encoding`, a name from `ENCODINGS`; `name` is for messages."""
        self._frame_bytes = bytes_per_frame(encoding, channels)
        self._encoding = encoding
        self._channels = channels
        self._name = name
        self._remainder = b""
        self._position_samples = 0

    def feed(self, data: bytes | bytearray | memoryview) -> NDArray[np.float32]:
        """The samples (n,) that these bytes complete, the average of their channels.

        Raises:
            AudioInputError: a sample is NaN or infinite; its position counts from the first byte's.
                Nothing of the call was taken.
        """
        joined = self._remainder + bytes(data) if self._remainder else bytes(data)
        whole = len(joined) - len(joined) % self._frame_bytes
        frames = pcm_frames(joined[:whole], self._encoding, self._channels)
        samples = as_mono(frames, what=self._name, first_sample=self._position_samples)
        self._remainder = joined[whole:]
        self._position_samples += len(samples)
        return samples if samples.flags.writeable else samples.copy()

    def finish(self) -> int:
        """Drops what is left of a last frame that was cut off; how many bytes that was."""
        cut_off_bytes = len(self._remainder)
        self._remainder = b""
        return cut_off_bytes


class ChannelSplitter:
    """Interleaved raw PCM as it comes; float32 (n,) of each channel for itself, out."""

    def __init__(self, encoding: str, channels: int) -> None:
        """Names and numbers as of `PcmDecoder`, which raises for the same."""
        self._frame_bytes = bytes_per_frame(encoding, channels)
        self._encoding, self._channels = encoding, channels
        self._remainder = b""
        self._position_samples = 0

    def feed(self, data: bytes | bytearray | memoryview) -> list[NDArray[np.float32]]:
        """The samples (n,) that these bytes complete, one array for each channel.

        Raises:
            AudioInputError: a sample is NaN or infinite. All samples of the call are dropped; the
                error says how many of each channel.
        """
        joined = self._remainder + bytes(data)
        whole = len(joined) - len(joined) % self._frame_bytes
        self._remainder = joined[whole:]
        frames = pcm_frames(joined[:whole], self._encoding, self._channels)
        first, self._position_samples = self._position_samples, self._position_samples + len(frames)
        return [
            as_mono(frames[:, channel], what=f"channel {channel + 1}", first_sample=first).copy()
            for channel in range(self._channels)
        ]


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
    if encoding in _G711:
        return _G711[encoding][np.frombuffer(data, np.uint8)].reshape(-1, channels)
    return np.frombuffer(data, _DTYPES[encoding]).reshape(-1, channels)


def bytes_per_frame(encoding: str, channels: int) -> int:
    """Bytes that one sample of every channel takes.

    Raises:
        OptionError: an encoding that does not exist, or an impossible number of channels.
    """
    if encoding not in ENCODINGS:
        raise OptionError(
            f"no encoding is called {shown(encoding)}; use one of {', '.join(ENCODINGS)}"
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise OptionError(f"{channels} channels are impossible; use 1 to {MAX_CHANNELS}")
    return ENCODINGS[encoding] * channels
