"""What is wrong is found before a place is taken, and places come back."""

import pytest

from parakeet_streaming.errors import (
    CapacityError,
    ContextError,
    OptionError,
    SnapshotError,
)
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.testing import Cue
from parakeet_streaming.timeline import ContextConfig
from tests.live.by_hand import CONTEXT, Room, fixed

SCRIPT = [Cue(3, 0), Cue(9, 1), Cue(20, 2)]


def test_wrong_options_take_no_place():
    room = Room(SCRIPT, most_streams=1)
    with pytest.raises(OptionError, match="load_vad"):
        room.open(LiveOptions())
    with pytest.raises(ContextError, match="shorten"):
        room.open(fixed(ContextConfig(500.0, 1.0, 1.0)))
    with pytest.raises(SnapshotError):
        room.open(resume=b"no snapshot")
    assert len(room.admission) == 0
    room.open()


def test_a_full_engine_reads_no_snapshot():
    room = Room(SCRIPT, most_streams=1)
    room.open()
    with pytest.raises(CapacityError):
        room.open(resume=b"no snapshot")
    assert len(room.admission) == 1


def test_a_stream_that_cannot_be_made_gives_its_place_back():
    room = Room(SCRIPT)
    room.recognizer._transducer = type("Whole", (), {"keeps_past": False, "max_samples": None})()
    with pytest.raises(OptionError, match="keeps nothing"):
        room.open(fixed(cached=True))
    assert len(room.admission) == 0
    assert room.loop.streams.all() == []


def test_rings_are_sized_by_recent_steps_and_bounded_by_the_stream():
    room = Room(SCRIPT)
    assert room.open().stats().ring_capacity_samples == round((0.96 + 2 * 0.35) * 16_000)
    room.loop.meter.longest_step_s = 1.0
    assert room.open().stats().ring_capacity_samples == round((0.96 + 2 * 1.1) * 16_000)
    small = room.open(fixed(most_ring_s=4.0))
    assert small.room == 64_000
    assert room.open().room == 960_000


def test_a_recording_keeps_its_context():
    room = Room(SCRIPT)
    options = LiveOptions(DelayRange(CONTEXT, 4.0), vad=None, endpoint=None, lane="recording")
    assert room.open(options)._task.driver.lower_cost is None
