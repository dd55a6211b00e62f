import numpy as np
import pytest

from parakeet_streaming.audio.fitting import FrameFitter, float_frames
from parakeet_streaming.errors import AudioFormatError

TONE = np.sin(np.arange(16_000, dtype=np.float32) * 0.05)[:, None]


def test_frames_that_fit_are_handed_on_as_they_are():
    frames, length = FrameFitter(16_000, 1).feed(TONE, 16_000)
    assert frames is TONE
    assert length == 16_000


@pytest.mark.parametrize(("channels", "wanted"), [(1, 2), (2, 1), (6, 2)])
def test_other_channels_are_averaged_into_each(channels, wanted):
    frames = np.repeat(TONE, channels, axis=1)
    fitted, length = FrameFitter(16_000, wanted).feed(frames, 16_000)
    assert length == 16_000
    np.testing.assert_allclose(fitted, np.repeat(TONE, wanted, axis=1), atol=1e-6)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100])
def test_another_rate_is_converted_and_nothing_is_held_back_in_the_end(rate_hz):
    fitter = FrameFitter(16_000, 2)
    parts, lengths = [], []
    for frames, rate_in_hz in ((TONE, 16_000), (TONE[:4_000], rate_hz), (TONE[4_000:], rate_hz)):
        fitted, length = fitter.feed(frames, rate_in_hz)
        parts.append(fitted)
        lengths.append(length)
    fitted, length = fitter.feed(TONE, 16_000)
    joined = np.concatenate([*parts, fitted, fitter.finish()])
    assert len(joined) == sum(lengths) + length == 32_000 + round(16_000 * 16_000 / rate_hz)
    np.testing.assert_array_equal(joined[:16_000, :1], TONE)
    np.testing.assert_array_equal(joined[-16_000:, 1:], TONE)


def test_a_rate_that_is_none_is_a_break():
    with pytest.raises(AudioFormatError, match="from here on it has 1 Hz"):
        FrameFitter(16_000, 1).feed(TONE, 1)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("u1", [0, 128, 192]),
        ("i2", [-(2**15), 0, 2**14]),
        ("i4", [-(2**31), 0, 2**30]),
        ("i8", [-(2**63), 0, 2**62]),
        ("f4", [-1, 0, 0.5]),
        ("f8", [-1, 0, 0.5]),
    ],
)
def test_full_scale_is_one(kind, values):
    frames = float_frames(np.array(values, kind)[:, None])
    assert frames.dtype == np.float32
    assert frames.ravel().tolist() == [-1, 0, 0.5]
