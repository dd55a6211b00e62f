"""One live stream from outside: what it takes, what it gives, and how it ends."""

import gc
import threading

import numpy as np
import pytest

from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.results import Final, Gap
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio, noise
from parakeet_streaming.timeline import ContextConfig
from tests.live.by_hand import (
    CONTEXT,
    WORDS,
    Room,
    drained,
    finals_of,
    fixed,
    outcome_of,
    tokens_of,
)

SCRIPT = [Cue(3, 0), Cue(9, 1), Cue(20, 2)]


def test_a_source_that_does_not_push_pauses_the_streams_time():
    room = Room(SCRIPT)
    stream = room.open()
    audio = marked_audio(30)
    assert stream.push(audio[:20_000]) == 20_000
    room.settle()
    room.clock.now_s += 3_600
    room.settle()
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
        assert outcome_of(stream) == {"finish": "finished", "cancel": "cancelled"}[act]


def test_a_commit_gives_all_that_was_pushed_at_once():
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
    assert (stats.context, stats.id) == (CONTEXT, stream.id)
    assert (stats.outcome, stats.resumed, stats.received_samples) == (None, "", 16_740)
    # The word ends at 0.32 s, and its window at 0.96 s.
    assert stats.emission_delay.max == pytest.approx(0.64 + 0.096)
    assert stats.first_partial_s == pytest.approx(0.72 + 0.096)
    assert stats.queue_wait.count == 1


def test_a_stream_that_nobody_can_read_any_more_is_cancelled():
    room = Room(SCRIPT)
    stream = room.open()
    task = stream._task
    stream.push(marked_audio(14))
    room.settle()
    del stream
    gc.collect()
    room.settle()
    assert task.phase.outcome == "cancelled"
    assert room.loop.streams.all() == []


def test_a_stream_that_is_dropped_with_a_callback_is_decoded_to_its_end():
    room, given = Room(SCRIPT), []
    stream = room.open(fixed(), given.append)
    stream.push(marked_audio(30))
    task = stream._task
    del stream
    gc.collect()
    room.settle()
    assert task.phase.outcome == "finished"
    assert isinstance(given[-1], Final)
    assert tokens_of(given) == room.alone(marked_audio(30))


def test_iterating_gives_everything():
    room = Room(SCRIPT)
    stream = room.open()
    stream.push(marked_audio(30))
    stream.finish()
    room.settle()
    assert tokens_of(list(stream)) == room.alone(marked_audio(30))
    assert list(stream) == []
    assert stream.get() is None
    assert stream.room == 0


def test_a_source_that_can_wait_loses_nothing_in_a_small_ring():
    room = Room(SCRIPT)
    stream = room.open(fixed(most_ring_s=0.1))
    audio = marked_audio(200)
    at = 0
    while at < len(audio):
        count = stream.wait_for_room(1_600, 0)
        assert stream.push(audio[at : at + count]) == len(audio[at : at + count])
        at += count
        room.settle()
    stream.finish()
    room.settle()
    assert tokens_of(drained(stream)[0]) == room.alone(audio)
    assert stream.stats().refused_samples == 0
    assert stream.wait_for_room() == 0


@pytest.mark.parametrize("rate_hz", [8_000, 44_100])
def test_another_rate_is_resampled_as_for_a_stream_alone(rate_hz):
    room = Room(SCRIPT)
    context = ContextConfig(1.0, 0.5, 0.5, sample_rate=rate_hz)
    recognizer = fake_recognizer(SCRIPT, WORDS)
    audio = noise(8.0, level=1e-5)[: rate_hz * 3 // 2]
    stream = room.open(fixed(context))
    for start in range(0, len(audio), 777):
        stream.push(audio[start : start + 777])
        room.settle()
    stream.commit()
    stream.finish()
    room.settle()
    assert stream.stats().received_samples == round(len(audio) * 16_000 / rate_hz)
    alone = recognizer.stream(context)
    alone.push(audio)
    alone.end()
    np.testing.assert_array_equal(
        stream._task.stream.window.samples(0, 24_000),
        alone.windowed.window.samples(0, 24_000),
    )
    assert finals_of(drained(stream)[0])[-1].transcript.audio_s == pytest.approx(1.5)


def test_gaps_at_another_rate_are_where_the_audio_is_missing():
    room = Room(SCRIPT)
    context = ContextConfig(1.0, 0.5, 0.5, sample_rate=8_000)
    stream = room.open(fixed(context, most_ring_s=1.8))
    taken = stream.push(np.full(48_000, 1e-4, np.float32))
    stream.finish()
    room.settle()
    (gap,) = [each for each in drained(stream)[0] if isinstance(each, Gap)]
    assert gap.end == pytest.approx(6.0)
    assert stream.stats().refused_samples == round((gap.end - gap.start) * 16_000)
    # The resampler's tail is refused too, after the push returned.
    assert 48_000 - taken == pytest.approx(stream.stats().refused_samples / 2, abs=8_000 * 0.13)


@pytest.mark.parametrize("end", ["cancel", "finish", "abandon"])
def test_a_thread_that_waits_for_room_is_released_when_the_stream_ends(end):
    room = Room(SCRIPT, cost_s=0.0)
    stream = room.open(fixed(most_ring_s=0.1))
    stream.push(marked_audio(200))
    rooms = []
    waiter = threading.Thread(target=lambda: rooms.append(stream.wait_for_room(1_000, 60)))
    waiter.start()
    while not stream._ingest._waiters.waiting:
        pass
    if end == "abandon":
        room.loop.abandon(SystemError("broken"))
    else:
        getattr(stream, end)()
    room.loop.turn(room.clock())
    waiter.join(60)
    assert rooms == [0]
    room.settle()


def test_a_finish_of_another_thread_keeps_what_was_taken():
    room = Room(SCRIPT)
    stream = room.open()
    start, taken = threading.Barrier(2), []

    def push():
        start.wait(60)
        taken.extend(stream.push(piece) for piece in np.array_split(marked_audio(100), 200))

    thread = threading.Thread(target=push)
    thread.start()
    start.wait(60)
    stream.finish()
    thread.join(60)
    room.settle()
    assert stream.stats().audio_s == pytest.approx(sum(taken) / 16_000)
    assert outcome_of(stream) == "finished"
