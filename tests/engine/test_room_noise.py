"""What stands for missing audio sounds like the room, and like nothing that was said."""

import numpy as np
import pytest

from parakeet_streaming.engine.room_noise import REACH_SAMPLES, ROOM_SIZE, room_noise, room_of
from parakeet_streaming.testing import marked_audio, noise, silence, tone


def level_db(samples):
    return 20 * np.log10(np.sqrt(np.mean(np.square(samples, dtype=np.float64))) + 1e-12)


@pytest.mark.parametrize("level", [1e-5, 1e-4, 1e-3, 0.01])
def test_it_is_as_loud_as_the_room(level):
    room = room_of(noise(2.0, level))
    assert len(room) == ROOM_SIZE
    assert level_db(room_noise(room, 8_000)) == pytest.approx(20 * np.log10(level), abs=1.5)


def test_words_are_not_the_room():
    heard = np.concatenate([tone(0.5) + noise(0.5, 0.02), noise(0.2, 1e-4), tone(0.2)])
    assert level_db(room_noise(room_of(heard), 8_000)) == pytest.approx(-80, abs=2)


def test_it_has_the_room_s_spectrum():
    low = np.convolve(noise(1.5, 0.01), np.hanning(32) / 16, "same").astype(np.float32)
    spectrum = np.abs(np.fft.rfft(room_noise(room_of(low), 8_192)))
    assert spectrum[: 8_192 // 16].mean() > 30 * spectrum[-(8_192 // 16) :].mean()


@pytest.mark.parametrize(
    "samples",
    [silence(1.0), silence(0.01), noise(0.03), marked_audio(20), np.full(16_000, 0.25, "f4")],
)
def test_digital_silence_and_too_little_audio_are_followed_by_silence(samples):
    assert room_of(samples) == ()
    assert not room_noise((), 100).any()


def test_one_quiet_moment_of_digital_silence_is_the_room():
    assert room_of(np.concatenate([noise(0.5), silence(0.1), noise(0.1)])) == ()


def test_only_the_last_second_counts():
    before, last = noise(1.0, 1e-5), noise(1.0, 1e-3, seed=1)
    assert len(last) == REACH_SAMPLES
    assert room_of(np.concatenate([before, last])) == room_of(last)


def test_pieces_are_parts_of_one_noise():
    room = room_of(noise(1.0))
    whole = room_noise(room, 30_000, 77)
    pieces = [room_noise(room, 10_000, 77 + start) for start in range(0, 30_000, 10_000)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert whole.dtype == np.float32
