"""What is pushed wrongly is told once, and sound that is right is never suspected."""

import numpy as np
import pytest

from parakeet_streaming.audio.mistaken import FormatWatch
from parakeet_streaming.testing import noise, tone
from tests.audio.spoken import spoken


def hints(samples, rate_hz=16_000, *, piece=320, speed=1.0):
    """Kinds of all hints for samples that are pushed in pieces, `speed` times as fast as told."""
    watch, found = FormatWatch(rate_hz), []
    for start in range(0, len(samples), piece):
        each = samples[start : start + piece].astype(np.float32)
        found += watch.feed(each, 5.0 + start / rate_hz / speed)
    return [each.kind for each in found]


def stereo_of(left, right):
    return np.stack([left, right], axis=1).reshape(-1)


@pytest.mark.parametrize("piece", [1, 7, 320, 4_001, 10**6])
def test_whole_numbers_that_were_not_scaled(piece):
    samples = spoken(3) * 32_768
    assert hints(samples[: 16_000 if piece == 1 else None], piece=piece) == ["scale"]


@pytest.mark.parametrize("piece", [7, 320, 4_001, 10**6])
@pytest.mark.parametrize("right", ["same", "softer", "other noise"])
def test_interleaved_channels_read_as_one(piece, right):
    left = spoken(8)
    other = {"same": left, "softer": 0.7 * left, "other noise": left + noise(8, 0.002)[: len(left)]}
    samples = stereo_of(left, other[right][: len(left)])
    assert hints(samples, piece=piece) == ["interleaved"]
    # Also where the first sample was lost, so that pairs begin at the second.
    assert hints(samples[1:], piece=piece) == ["interleaved"]


@pytest.mark.parametrize(
    ("rate_hz", "true_hz"), [(16_000, 48_000), (16_000, 8_000), (8_000, 44_100)]
)
def test_another_rate(rate_hz, true_hz):
    samples = noise(40 * true_hz / 16_000, 0.05)
    assert hints(samples, rate_hz, speed=true_hz / rate_hz) == ["rate"]


@pytest.mark.parametrize(
    ("samples", "piece", "speed"),
    [
        (spoken(30), 320, 1.0),
        (spoken(30), 333, 1.01),
        (spoken(30), 48_000, 30.0),
        (spoken(30), 320, 500.0),
        (noise(30, 0.2), 320, 1.7),
        (tone(30, 4_000.0, 0.9), 320, 1.0),
        (tone(30, 7_999.0, 0.9), 320, 1.0),
        (np.sign(tone(30, 440.0)) * 1.0, 320, 1.0),
        (spoken(30) * 1.9, 320, 1.0),
        (np.zeros(480_000), 320, 1.0),
        (noise(30, 1e-4), 320, 1.0),
    ],
)
def test_sound_that_is_right_is_never_suspected(samples, piece, speed):
    assert hints(samples, piece=piece, speed=speed) == []


def test_a_source_that_pauses_says_nothing_of_its_rate():
    watch, found = FormatWatch(16_000), []
    for number in range(2_000):
        now_s = 0.02 * number + 1.0 * (number // 50)
        found += watch.feed(noise(0.02, 0.05), now_s)
    assert found == []


def test_after_half_a_minute_of_sound_nobody_looks_any_more():
    watch = FormatWatch(8_000)
    watch.feed(np.zeros(800_000, np.float32), 0.0)
    assert watch.active
    watch.feed(np.full(240_000, 0.1, np.float32), 0.0)  # a burst says nothing of the rate
    assert not watch.active
    assert watch.feed(np.full(8_000, 1_000.0, np.float32), 0.0) == []
    assert FormatWatch(8_000).feed(np.zeros(0, np.float32), 0.0) == []
