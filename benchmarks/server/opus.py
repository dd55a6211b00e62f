"""A script in; its packets in Opus, as browsers send sound, and what is left of them, out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from benchmarks.server.script import Script

RATE_HZ: Final = 48_000
_BITS_A_SECOND: Final = 32_000
"""Of speech, in browsers."""


def encoded(script: Script) -> list[bytes]:
    """One packet for each of the script."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.bit_rate = _BITS_A_SECOND
    encoder.format, encoder.layout = "s16", "mono"
    encoder.sample_rate, encoder.time_base = RATE_HZ, Fraction(1, RATE_HZ)
    encoder.options = {"application": "voip"}
    made: list[bytes] = []
    for number in range(script.packets):
        frame = AudioFrame.from_ndarray(script.packet(number)[None, :], "s16", "mono")
        frame.sample_rate, frame.pts = RATE_HZ, number * script.packet_samples
        made += [bytes(packet) for packet in encoder.encode(frame)]
    assert len(made) == script.packets, "a packet of Opus has 20 ms"
    return made


def decoded(packets: Sequence[bytes]) -> NDArray[np.int16]:
    """The samples (n,), as a receiver that knows nothing but these packets has them."""
    decoder = av.CodecContext.create("libopus", "r")
    decoder.format, decoder.layout = "s16", "stereo"
    decoder.sample_rate = RATE_HZ
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    both = np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in frames])
    assert (both[:, 0] == both[:, 1]).all(), "one voice was encoded"
    return np.ascontiguousarray(both[:, 0])
