import numpy as np

from benchmarks.server.opus import RATE_HZ, decoded, encoded
from benchmarks.server.script import Script


def test_speech_in_opus_is_nearly_the_same_speech():
    at = np.arange(RATE_HZ) / RATE_HZ
    sound = (8_000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16)
    packets = encoded(Script(RATE_HZ, sound, frozenset()))
    assert len(packets) == 50
    assert sum(map(len, packets)) < 2 * sound.nbytes / 20
    heard = decoded(packets)
    assert len(heard) == len(sound)
    # It is late by the 6.5 ms that Opus looks ahead, and what its filters add.
    alike = [np.corrcoef(heard[late:-960], sound[: -late - 960])[0, 1] for late in range(300, 400)]
    assert max(alike) > 0.98
    assert (decoded(packets) == heard).all()
