"""What streams have come to is counted at once where they are few, else now and then, and whole."""

import pytest

from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.testing import marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.live.by_hand import Room, fixed, outcome_of

CONTEXT = ContextConfig(1.0, 0.24, 0.24)


def counted(count, frames):
    """A room in which so many streams have had so much audio, and its streams."""
    room = Room([], limits=BatchLimits(max_streams=64), cost_s=0.0)
    streams = [room.open(fixed(CONTEXT)) for _ in range(count)]
    audio = marked_audio(frames)
    for start in range(0, len(audio), FRAME_SAMPLES):
        for stream in streams:
            stream.push(audio[start : start + FRAME_SAMPLES])
        room.settle()
    return room, streams


def decoded_s(streams):
    return sum(stream.stats().audio_s for stream in streams)


def test_a_few_streams_are_counted_at_each_step():
    for frames in (8, 11, 14):
        room, streams = counted(3, frames)
        assert room.metrics.audio_seconds_total.total == pytest.approx(decoded_s(streams)) != 0


def test_many_are_counted_once_a_second():
    room, streams = counted(30, 14)
    assert decoded_s(streams) > 0
    assert room.metrics.audio_seconds_total.total == 0
    room, streams = counted(30, 26)
    total_s = room.metrics.audio_seconds_total.total
    assert 0 < total_s == pytest.approx(30 * 1.2)
    assert room.loop.meter._decoded_s > 0


def test_at_its_end_all_of_a_stream_is_counted():
    room, streams = counted(30, 25)
    for stream in streams:
        stream.finish()
    room.settle()
    assert {outcome_of(stream) for stream in streams} == {"finished"}
    assert room.metrics.audio_seconds_total.total == pytest.approx(30 * 2.0)


def test_admission_is_told_of_all_steps():
    used = []
    for count in (3, 30):
        room, streams = counted(count, 60)
        use = room.admission._streams[streams[0].id].use
        used.append((use.passed_s, use.steps, use.audio))
    few, many = used
    # What is counted later is forgotten later; a second of a minute.
    assert many == pytest.approx(few, rel=0.3)
    assert many[1] / many[0] == pytest.approx(few[1] / few[0], rel=0.02)
