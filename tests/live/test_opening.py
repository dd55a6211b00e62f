"""What is wrong is found before a place is taken, and places come back."""

import pytest

from parakeet_streaming.engine.endpoint import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import (
    ContextError,
    OptionError,
    SnapshotError,
    StreamClosedError,
)
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.testing import Cue, ScriptedVad, marked_audio
from parakeet_streaming.timeline import ContextConfig
from tests.live.by_hand import CONTEXT, Room, drained, fixed, outcome_of, snapshot_of, tokens_of

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


@pytest.mark.parametrize(("past", "resumed"), [(True, "exact"), (False, "warm")])
def test_a_cached_stream_resumes_exactly_with_its_past_and_warm_without(past, resumed):
    room = Room(SCRIPT)
    stream = room.open(fixed(cached=True))
    stream.push(marked_audio(14))
    room.settle()
    snapshot = snapshot_of(room, stream, past=past)
    other = Room(SCRIPT)
    continued = other.open(fixed(cached=True), resume=snapshot)
    stats = continued.stats()
    assert (stats.resumed, stats.received_samples) == (resumed, 14 * 1280)
    assert stats.audio_s == pytest.approx(0.48)
    continued.push(marked_audio(40)[stats.received_samples :])
    continued.finish()
    other.settle()
    tokens = tokens_of(drained(stream)[0]) + tokens_of(drained(continued)[0])
    assert tokens == room.alone(marked_audio(40))
    assert continued.transcript().text == "one two three"


def test_metrics_count_a_resumed_stream_from_where_it_resumed():
    room = Room(SCRIPT)
    stream = room.open()
    stream.push(marked_audio(40))
    room.settle()
    snapshot = snapshot_of(room, stream)
    other = Room(SCRIPT)
    continued = other.open(resume=snapshot)
    continued.finish()
    other.settle()
    assert outcome_of(continued) == "finished"
    total_s = room.metrics.audio_seconds_total.total + other.metrics.audio_seconds_total.total
    assert total_s == pytest.approx(3.2)


def test_another_rate_resumes_warm():
    context = ContextConfig(1.0, 0.5, 0.5, sample_rate=8_000)
    room = Room(SCRIPT)
    stream = room.open(fixed(context))
    room.settle()
    assert room.open(fixed(context), resume=snapshot_of(room, stream)).stats().resumed == "warm"


def test_a_snapshot_is_resumed_with_its_own_context_and_chunk():
    vad = ScriptedVad()
    room = Room(SCRIPT, vad=vad)
    stream = room.open(LiveOptions(DelayRange(CONTEXT, 4.0), VadOptions()))
    stream._task.driver._adapter._level = 1
    stream._task.stream.use(stream._task.driver._adapter.context)
    room.settle()
    snapshot = snapshot_of(room, stream)
    options = LiveOptions(DelayRange(CONTEXT, 4.0), VadOptions())
    assert room.open(options, resume=snapshot).stats().context.chunk == 1.0
    judged = {"vad": VadOptions(), "endpoint": EndpointOptions()}
    for other in (fixed(ContextConfig(2.0, 0.5, 0.5), **judged), fixed(cached=True, **judged)):
        with pytest.raises(OptionError, match="with its left and right context"):
            room.open(other, resume=snapshot)
    with pytest.raises(OptionError, match="with voice activity and with endpoints"):
        room.open(fixed(), resume=snapshot)


def test_a_stream_that_is_ending_has_no_snapshot():
    room = Room(SCRIPT)
    stream = room.open()
    stream.finish()
    with pytest.raises(StreamClosedError, match="ending, or over"):
        snapshot_of(room, stream)
