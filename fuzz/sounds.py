"""Nothing in; a twentieth of a second of sound in every usual container out."""

from __future__ import annotations

import io
from functools import cache
from typing import Any, Final

import av
import numpy as np
import soundfile

_RATE_HZ: Final = 16_000
_BY_LIBSNDFILE: Final = (
    *(("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "ULAW"), ("WAV", "IMA_ADPCM"), ("AU", "PCM_16")),
    *(("AIFF", "PCM_24"), ("CAF", "ALAC_16"), ("W64", "PCM_16"), ("RF64", "PCM_16")),
    *(("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"), ("NIST", "PCM_16")),
)
_BY_AV: Final = (
    *(("mp4", "aac"), ("adts", "aac"), ("matroska", "flac"), ("ogg", "libopus")),
    *(("mpegts", "mp2"), ("avi", "pcm_s16le"), ("ac3", "ac3")),
)


@cache
def sounds() -> tuple[bytes, ...]:
    """Each a whole file."""
    return (
        *(_by_libsndfile(container, codec) for container, codec in _BY_LIBSNDFILE),
        *(_by_av(container, codec) for container, codec in _BY_AV),
    )


def _samples(rate_hz: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    times = np.arange(rate_hz // 20) / rate_hz
    return (8_000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)


def _by_libsndfile(container: str, codec: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, _samples(_RATE_HZ), _RATE_HZ, subtype=codec, format=container)
    return file.getvalue()


def _by_av(container: str, codec: str) -> bytes:
    file = io.BytesIO()
    rate_hz = 48_000
    with av.open(file, "w", format=container) as written:
        stream: Any = written.add_stream(codec, rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(_samples(rate_hz)[None], format="s16", layout="mono")
        frame.rate = rate_hz
        for packet in (*stream.encode(frame), *stream.encode(None)):
            written.mux(packet)
    return file.getvalue()
