"""What samples seem to be is told by an event, and kept in the stats."""

import numpy as np
import pytest

from parakeet_streaming import HealthHint
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.live.hints import StreamHints
from parakeet_streaming.testing import noise
from tests.live.by_hand import Room, drained, fixed


def test_a_hint_is_an_event_and_stays_in_the_stats():
    room = Room([])
    stream = room.open(fixed())
    assert stream.stats().hints == ()
    for _ in range(50):
        stream.push(noise(0.02, 3_000.0))
        room.settle()
    given = [each for each in drained(stream)[0] if isinstance(each, HealthHint)]
    assert [each.kind for each in given] == ["scale"]
    assert "int16" in given[0].message
    assert 0.4 < given[0].at < 0.6
    assert stream.stats().hints == tuple(given)


def test_samples_are_given_back_as_they_are_and_bad_ones_are_refused():
    hints = StreamHints(16_000, lambda: 0.0, lambda: None)
    samples = noise(0.1)
    assert hints.look_at(samples) is samples
    with pytest.raises(AudioInputError):
        hints.look_at(np.array([np.nan], np.float32))
    hints.look_at(noise(31, 0.1))
    assert hints.look_at([1, 2]) == [1, 2]
    assert hints.take() == []
