"""How streams and their engine go: each number is that of the part that knows it."""

from dataclasses import FrozenInstanceError, fields

import pytest

from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.stats import EngineStats
from parakeet_streaming.testing import Cue, ScriptedVad, marked_audio
from tests.live.by_hand import CONTEXT, Room, fixed, snapshot_of

SCRIPT = [Cue(3, 0), Cue(9, 1), Cue(20, 2)]


def test_a_stream_of_which_nothing_came_yet():
    room = Room(SCRIPT)
    stats = room.open(id="mine").stats()
    assert (stats.id, stats.context, stats.outcome, stats.resumed) == ("mine", CONTEXT, None, "")
    assert (stats.audio_s, stats.speech_s, stats.backlog_s, stats.lag_s) == (0, 0, 0, 0)
    assert (stats.steps, stats.skipped, stats.tokens, stats.utterances) == (0, 0, 0, 0)
    assert (stats.real_time_factor, stats.first_partial_s) == (0, None)
    assert (stats.received_samples, stats.refused_samples, stats.ring_samples) == (0, 0, 0)
    assert stats.ring_high_water_samples == 0
    assert stats.ring_capacity_samples > 0
    assert [
        each.count for each in (stats.emission_delay, stats.queue_wait, stats.finalization)
    ] == [0, 0, 0]


def test_what_came_what_waits_and_what_was_decoded():
    room = Room(SCRIPT, cost_s=0.0, step_s=0.125)
    stream = room.open()
    stream.push(marked_audio(20))
    pushed = stream.stats()
    assert (pushed.received_samples, pushed.ring_samples) == (25_600, 25_600)
    assert pushed.backlog_s == 1.6
    assert pushed.audio_s == 0
    room.settle()
    stats = stream.stats()
    # Chunks of 0.48 s, of which 1.6 s complete two; the right context of the third is not there.
    assert (stats.steps, stats.audio_s) == (2, 0.96)
    assert stats.backlog_s == pytest.approx(1.6 - 0.96)
    assert (stats.ring_samples, stats.ring_high_water_samples) == (0, 25_600)
    assert stats.tokens == 2
    assert stats.real_time_factor == pytest.approx(2 * 0.125 / 0.96)
    assert stats.queue_wait.count == 2
    # Both windows were complete at once; the second waited for the first one's step.
    assert (stats.queue_wait.sum, stats.queue_wait.max) == (0.125, 0.125)
    assert stats.lag_s == 0.25
    assert stats.outcome is None


def test_a_stream_that_has_ended_says_how():
    room = Room(SCRIPT)
    finished, cancelled = room.open(), room.open()
    for stream in (finished, cancelled):
        stream.push(marked_audio(40))
    finished.finish()
    cancelled.cancel()
    room.settle()
    ended = finished.stats()
    assert (ended.outcome, ended.audio_s, ended.backlog_s) == ("finished", 3.2, 0.0)
    assert (ended.tokens, ended.utterances) == (3, 1)
    assert ended.finalization.count == 1
    assert cancelled.stats().outcome == "cancelled"


def test_speech_what_is_passed_over_and_utterances():
    script = [1.0] * 20 + [0.0] * 200
    room = Room([Cue(3, 0)], vad=ScriptedVad(script))
    stream = room.open(fixed(vad=VadOptions(), endpoint=EndpointOptions()))
    stream.push(marked_audio(75))
    stream.finish()
    room.settle()
    stats = stream.stats()
    assert stats.speech_s == 20 * 512 / 16_000
    assert stats.audio_s == 6.0
    assert stats.skipped > 0
    # Of 0.48 s each; half a second of silence is in the last one.
    assert stats.steps + stats.skipped == 12
    assert (stats.tokens, stats.utterances) == (1, 2)


def test_what_a_full_ring_refused():
    room = Room(SCRIPT)
    stream = room.open(fixed(most_ring_s=0.1))
    capacity = stream.stats().ring_capacity_samples
    assert stream.push(marked_audio(400)[: capacity + 1_000]) == capacity
    stats = stream.stats()
    assert (stats.refused_samples, stats.received_samples) == (1_000, capacity + 1_000)
    assert (stats.ring_samples, stats.ring_high_water_samples) == (capacity, capacity)
    assert room.loop.stats().refused_samples == 1_000


def test_a_resumed_stream_counts_from_where_it_resumed():
    room = Room(SCRIPT)
    stream = room.open()
    stream.push(marked_audio(20))
    room.settle()
    stats = Room(SCRIPT).open(resume=snapshot_of(room, stream)).stats()
    assert (stats.resumed, stats.received_samples) == ("exact", 25_600)
    assert stats.audio_s == 0.96
    assert (stats.steps, stats.tokens) == (0, 0)


def test_an_engine_without_streams():
    room = Room(SCRIPT)
    assert room.loop.stats() == EngineStats(0, 0.0, 0.0, 0, 0.0, 0.0, 0.0, 0)


def test_an_engine_is_as_far_behind_as_the_stream_that_is_farthest():
    room = Room(SCRIPT, cost_s=0.0, step_s=0.125)
    near, far = room.open(), room.open()
    near.push(marked_audio(20))
    room.settle()
    far.push(marked_audio(100))
    stats = room.loop.stats()
    assert (stats.active_streams, stats.steps) == (2, 2)
    assert stats.longest_step_s == pytest.approx(0.125)
    assert stats.backlog_s == 8.0
    assert stats.lag_s == near.stats().lag_s == 0.25
    assert stats.real_time_factor > 0
    assert stats.load > 0
    near.finish()
    far.cancel()
    room.settle()
    assert room.loop.stats().active_streams == 0


def test_stats_are_frozen():
    room = Room(SCRIPT)
    for stats in (room.open().stats(), room.loop.stats()):
        for each in fields(stats):
            with pytest.raises(FrozenInstanceError):
                setattr(stats, each.name, None)
