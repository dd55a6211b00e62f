"""One live stream from outside: what it takes, what it tells, and how it ends."""

import gc

import numpy as np
import pytest

from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.results import Final
from parakeet_streaming.testing import Cue, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES
from tests.live.by_hand import CONTEXT, Room, drained, finals_of, fixed, tokens_of

SCRIPT = [Cue(3, 0), Cue(9, 1), Cue(20, 2)]


def test_a_paused_stream_takes_nothing_and_its_time_stands_still():
    room = Room(SCRIPT)
    stream = room.open()
    audio = marked_audio(30)
    assert stream.push(audio[:20_000]) == 20_000
    stream.pause()
    assert stream.paused
    assert stream.push(np.ones(5_000, np.float32)) == 0
    stream.resume()
    assert not stream.paused
    stream.push(audio[20_000:])
    stream.finish()
    room.settle()
    events, _ = drained(stream)
    assert tokens_of(events) == room.alone(audio)
    assert stream.stats().refused_samples == 0
    assert events[-1].transcript.audio_s == 2.4


def test_samples_that_are_none_are_refused():
    stream = Room(SCRIPT).open()
    with pytest.raises(AudioInputError):
        stream.push([float("nan")])
    assert stream.push([]) == 0


def test_nothing_is_taken_after_the_end():
    room = Room(SCRIPT)
    for act in ("finish", "cancel"):
        stream = room.open()
        stream.push(marked_audio(14))
        getattr(stream, act)()
        getattr(stream, act)()
        room.settle()
        assert stream.push(marked_audio(2)) == 0
        stream.commit()
        stream.finish()
        stream.cancel()
        room.settle()
        events, error = drained(stream)
        assert error is None
        assert len(finals_of(events)) == 1
        assert stream.outcome == {"finish": "finished", "cancel": "cancelled"}[act]


def test_a_commit_tells_all_that_was_pushed_at_once():
    room = Room(SCRIPT)
    stream = room.open()
    stream.push(marked_audio(11))
    room.settle()
    assert drained(stream)[0] == []
    room.clock.now_s += 0.5
    stream.commit()
    room.settle()
    (final,) = finals_of(drained(stream)[0])
    assert (final.transcript.text, final.reason) == ("one two", "commit")
    assert stream.transcript().text == "one two"
    assert stream.stats().finalization.count == 1


def test_stats_add_up():
    room = Room(SCRIPT, cost_s=0.1)
    stream = room.open()
    stream.push(marked_audio(13, 100))
    stats = stream.stats()
    assert (stats.ring_samples, stats.ring_high_water_samples) == (16_740, 16_740)
    assert stats.backlog_s == pytest.approx(16_740 / 16_000)
    assert (stats.real_time_factor, stats.audio_s, stats.steps) == (0.0, 0.0, 0)
    room.settle()
    stats = stream.stats()
    assert (stats.steps, stats.skipped, stats.tokens, stats.utterances) == (1, 0, 1, 0)
    assert stats.audio_s == CONTEXT.samples.chunk / 16_000
    assert stats.backlog_s == pytest.approx((16_740 - CONTEXT.samples.chunk) / 16_000)
    assert stats.lag_s == pytest.approx(0.096)
    assert stats.real_time_factor == pytest.approx(0.2)
    assert (stats.ring_samples, stats.refused_samples) == (0, 0)
    assert stats.ring_capacity_samples >= 16_740
    assert stats.context == stream.context == CONTEXT
    # The word ends at 0.32 s, and its window at 0.96 s.
    assert stats.emission_delay.max == pytest.approx(0.64 + 0.096)
    assert stats.first_partial_s == pytest.approx(0.72 + 0.096)
    assert stats.queue_wait.count == 1


def test_a_stream_that_nobody_can_read_any_more_is_cancelled():
    room = Room(SCRIPT)
    stream = room.open()
    guest = stream._guest
    stream.push(marked_audio(14))
    room.settle()
    del stream
    gc.collect()
    room.settle()
    assert guest.outcome == "cancelled"
    assert room.table.guests == ()


def test_a_stream_that_is_dropped_with_a_callback_is_heard_out():
    room, told = Room(SCRIPT), []
    stream = room.open(fixed(), told.append)
    stream.push(marked_audio(30))
    guest = stream._guest
    del stream
    gc.collect()
    room.settle()
    assert guest.outcome == "finished"
    assert isinstance(told[-1], Final)
    assert tokens_of(told) == room.alone(marked_audio(30))


def test_iterating_gives_everything():
    room = Room(SCRIPT)
    stream = room.open()
    stream.push(marked_audio(30))
    stream.finish()
    room.settle()
    assert tokens_of(list(stream)) == room.alone(marked_audio(30))
    assert list(stream) == []
    assert stream.get() is None
    assert stream.context.samples.chunk == 6 * FRAME_SAMPLES
