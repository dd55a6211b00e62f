"""The worker's turns, by hand: batches, isolation, order, load, and the end."""

import numpy as np
import pytest

from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import CapacityError, ComputeError, StreamClosedError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.scheduler import BatchLimits
from parakeet_streaming.results import ContextChanged, Final, Partial, SpeechStarted
from parakeet_streaming.testing import Cue, ScriptedVad, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.live.by_hand import CONTEXT, POISON, Room, drained, finals_of, fixed, tokens_of

SCRIPT = [Cue(3, 0), Cue(9, 1), Cue(20, 2), Cue(33, 0)]
CHUNK = CONTEXT.samples.chunk


def poison(frames=20):
    return np.full(frames * FRAME_SAMPLES, POISON * 2.0**-23, np.float32)


def opened(room, count, **choices):
    streams = [room.open(fixed(**choices)) for _ in range(count)]
    room.settle()
    return streams


def test_streams_that_are_ready_share_a_step():
    room = Room(SCRIPT)
    first, second, third = opened(room, 3)
    first.push(marked_audio(13))
    third.push(marked_audio(13))
    assert room.table.turn()
    assert room.encoder.calls == [(12 * FRAME_SAMPLES,) * 2]
    assert not room.table.turn()
    assert room.table.metrics.batch_size.snapshot().max == 2
    assert [len(drained(stream)[0]) for stream in (first, second, third)] == [1, 0, 1]


def test_steps_are_bounded_and_the_most_urgent_goes_first():
    room = Room(SCRIPT, limits=BatchLimits(max_streams=1))
    early, late = opened(room, 2)
    late_audio, early_audio = marked_audio(13), marked_audio(13)
    early.push(early_audio)
    room.clock.now_s += 0.1
    late.push(late_audio)
    assert room.table.turn()
    assert (len(drained(early)[0]), len(drained(late)[0])) == (1, 0)
    assert room.table.turn()
    assert len(drained(late)[0]) == 1


def test_who_brings_much_at_once_does_not_keep_out_who_speaks_as_they_go():
    room = Room(SCRIPT, limits=BatchLimits(max_streams=1), cost_s=0.001)
    hasty, steady = opened(room, 2)
    hasty.push(marked_audio(600))
    longest = 0
    for number in range(10):
        steady.push(marked_audio(6 * (number + 2) + 1)[steady._guest.inlet.offered :])
        waited = 0
        while not drained(steady)[0]:
            room.table.turn()
            waited += 1
        longest = max(longest, waited if number else 0)
        room.clock.now_s += 0.48
    assert longest <= 3


def test_a_stream_that_cannot_be_decoded_ends_alone():
    room = Room(SCRIPT)
    good, bad, other = opened(room, 3)
    good.push(marked_audio(40))
    bad.push(marked_audio(20))
    bad.push(poison())
    other.push(marked_audio(40))
    for stream in (good, bad, other):
        stream.finish()
    room.settle()
    events, error = drained(bad)
    assert isinstance(error, ComputeError)
    assert isinstance(error.__cause__, MemoryError)
    assert bad.outcome == "failed"
    assert finals_of(events)[-1].transcript.text == "one two"
    for stream in (good, other):
        assert stream.outcome == "finished"
        assert tokens_of(drained(stream)[0]) == room.alone(marked_audio(40))
    assert room.table.metrics.streams_total.totals() == {
        "finished": 2,
        "cancelled": 0,
        "failed": 1,
    }


def test_a_consumer_that_raises_ends_its_stream_alone():
    room = Room(SCRIPT)
    told = []

    def consume(event):
        told.append(event)
        if len(told) == 2:
            raise KeyError("consumer")

    bad = room.open(fixed(), consume)
    good = room.open(fixed())
    for stream in (bad, good):
        stream.push(marked_audio(40))
        stream.finish()
    room.settle()
    events, error = drained(bad)
    assert isinstance(error, KeyError)
    assert (bad.outcome, good.outcome) == ("failed", "finished")
    # What it did not take any more can be read.
    assert tokens_of(told + events) == finals_of(events)[-1].transcript.tokens
    assert tokens_of(drained(good)[0]) == room.alone(marked_audio(40))


def test_a_consumer_that_raises_at_the_very_end_keeps_the_first_cause():
    def consume(event):
        if isinstance(event, Final):
            raise KeyError("last")

    room = Room(SCRIPT)
    for act, outcome in (("finish", "finished"), ("cancel", "cancelled")):
        stream = room.open(fixed(), consume)
        stream.push(marked_audio(14))
        room.settle()
        getattr(stream, act)()
        room.settle()
        assert isinstance(drained(stream)[1], KeyError)
        assert stream.outcome in (outcome, "failed")


class DeafVad(ScriptedVad):
    """Raises for one stream's frames: those that are poisoned."""

    def probabilities(self, frames, states):
        if any(frame[-1] >= POISON * 2.0**-23 for frame in frames):
            raise ValueError("no such sound")
        return super().probabilities(frames, states)


def test_voice_activity_that_fails_for_one_stream_ends_that_stream():
    vad = DeafVad([1.0] * 300)
    room = Room(SCRIPT, vad=vad)
    good, bad = opened(room, 2, vad=VadOptions())
    good.push(marked_audio(40))
    bad.push(poison())
    for stream in (good, bad):
        stream.finish()
    room.settle()
    assert isinstance(drained(bad)[1].__cause__, ValueError)
    events, error = drained(good)
    assert error is None
    assert tokens_of(events) == room.alone(marked_audio(40))


def test_frames_of_all_streams_are_judged_together():
    vad = ScriptedVad([1.0] * 300)
    room = Room(SCRIPT, vad=vad)
    streams = opened(room, 3, vad=VadOptions())
    for stream in streams:
        stream.push(marked_audio(8))
    room.settle()
    assert vad.calls == [3] * 20
    assert room.table.metrics.vad_step_seconds.snapshot().count == 20


def test_speech_is_told_though_a_step_waits():
    vad = ScriptedVad([1.0] * 300)
    room = Room(SCRIPT, vad=vad, limits=BatchLimits(max_streams=1))
    first, second = opened(room, 2, vad=VadOptions())
    first.push(marked_audio(13))
    second.push(marked_audio(13))
    room.table.turn()
    assert [type(each) for each in drained(second)[0]] == [SpeechStarted]


def test_a_full_house_refuses_and_counts():
    room = Room(SCRIPT, most_streams=1)
    stream = room.open(fixed())
    with pytest.raises(CapacityError):
        room.open(fixed())
    stream.finish()
    room.settle()
    room.open(fixed())
    assert room.table.metrics.rejected_total.totals() == {"streams": 1, "load": 0}


def test_a_house_that_is_too_slow_refuses_and_counts():
    room = Room(SCRIPT, cost_s=0.2)
    (stream,) = opened(room, 1)
    stream.push(marked_audio(40))
    room.settle()
    assert room.table.load > 0.6
    with pytest.raises(CapacityError):
        room.open(fixed())
    assert room.table.metrics.rejected_total["load"].total == 1


def paced(room, streams, audio, seconds, start=0.0):
    """Real time for so long: whatever the clock reads has been pushed, then the worker turns."""
    end_s = start + seconds
    began_s = room.clock.now_s
    while room.clock.now_s - began_s < seconds:
        now = round((start + room.clock.now_s - began_s) * 16_000)
        for stream in streams:
            offered = stream._guest.inlet.offered
            stream.push(audio[offered : max(offered, now)])
        if not room.table.turn():
            room.clock.now_s += 0.02
    return end_s


def test_under_load_chunks_grow_and_then_shrink_again_and_lag_stays_bounded():
    room = Room(SCRIPT, cost_s=0.05)
    delay = DelayRange(CONTEXT, 2.0)
    audio = marked_audio(2_000)
    options = LiveOptions(delay, vad=None, endpoint=None)
    streams = [room.open(options) for _ in range(6)]
    # Chunks of 0.48 s cost 6 × 0.05 × 4 = 1.2 of the time, those of 2 s cost 0.5.
    at_s = paced(room, streams, audio, 40)
    assert {stream.context.chunk for stream in streams} > {0.5} or all(
        stream.context.chunk > 0.5 for stream in streams
    )
    assert max(stream.stats().lag_s for stream in streams) < 3.0
    for stream in streams[2:]:
        stream.finish()
    paced(room, streams[:2], audio, 60, at_s)
    assert [stream.context.chunk for stream in streams[:2]] == [0.5, 0.5]
    assert max(stream.stats().lag_s for stream in streams[:2]) < 0.5
    for stream in streams:
        stream.finish()
    room.settle()
    for stream in streams:
        events, _ = drained(stream)
        assert any(isinstance(each, ContextChanged) for each in events)
        heard = stream._guest.inlet.offered
        assert tokens_of(events) == room.alone(audio[:heard])
        assert stream.stats().refused_samples == 0
    changes = room.table.metrics.context_changes_total.totals()
    assert changes["longer"] > changes["shorter"] >= 2


def test_a_table_that_drains_tells_what_was_heard():
    room = Room(SCRIPT)
    streams = opened(room, 2)
    for stream in streams:
        stream.push(marked_audio(40))
    room.table.close(drain=True)
    with pytest.raises(StreamClosedError):
        room.open(fixed())
    room.settle()
    assert room.table.over
    for stream in streams:
        events, error = drained(stream)
        assert error is None
        assert stream.outcome == "finished"
        assert tokens_of(events) == room.alone(marked_audio(40))
        assert stream.stats().finalization.count == 1


def test_a_table_that_does_not_drain_tells_what_was_committed():
    room = Room(SCRIPT)
    (stream,) = opened(room, 1)
    stream.push(marked_audio(14))
    room.settle()
    late = room.open(fixed())
    room.table.close(drain=True)
    room.table.close(drain=False)
    room.table.close(drain=True)
    room.settle()
    assert room.table.over
    assert finals_of(drained(stream)[0])[-1].transcript.text == "one"
    assert (stream.outcome, late.outcome) == ("cancelled", "cancelled")


def test_an_error_of_the_worker_itself_is_told_to_everyone():
    room = Room(SCRIPT)
    streams = [*opened(room, 2), room.open(fixed())]
    room.table.abandon(SystemError("broken"))
    assert room.table.over
    for stream in streams:
        events, error = drained(stream)
        assert [each.reason for each in events] == ["end"]
        assert isinstance(error, SystemError)


def test_who_waits_looks_once_more():
    room = Room(SCRIPT)
    stream = room.open(fixed())
    assert not room.table.may_wait()
    room.settle()
    assert room.table.may_wait()
    assert room.rung == []
    stream.push(marked_audio(12))
    assert room.table.may_wait()
    stream.push(marked_audio(13)[12 * FRAME_SAMPLES :])
    assert room.rung == [True]
    assert not room.table.may_wait()
    room.settle()
    stream.commit()
    assert not room.table.may_wait()
    room.settle()
    room.table.close(drain=True)
    assert not room.table.may_wait()


def test_gauges_tell_how_it_goes():
    room = Room(SCRIPT, cost_s=0.1)
    streams = opened(room, 2)
    metrics = room.table.metrics
    assert metrics.active_streams.value == 2
    streams[0].push(marked_audio(13))
    streams[1].push(marked_audio(30))
    room.table.turn()
    assert metrics.ready_streams.value == 2
    assert metrics.backlog_audio_seconds.value == pytest.approx(30 * 0.08 - 0.48)
    assert metrics.end_to_end_lag_seconds.snapshot().count == 2
    # Two windows of 0.96 s cost 0.192 s, and decoded 0.96 s of audio.
    assert metrics.rtf_recent.value == pytest.approx(0.2)
    assert room.table.meter.longest_step_s == pytest.approx(0.192)
    assert metrics.encoder_step_seconds.snapshot().max == pytest.approx(0.192)
    assert metrics.decoder_step_seconds.snapshot().max == 0.0
    assert room.table.meter.steps == 1


def test_after_long_silence_nothing_seems_late():
    room = Room([Cue(800, 0)], vad=ScriptedVad([0.0] * 1_990 + [1.0] * 50))
    options = LiveOptions(DelayRange(CONTEXT, 2.0), VadOptions(), None)
    stream = room.open(options)
    audio = marked_audio(812)
    for start in range(0, len(audio), 160):
        stream.push(audio[start : start + 160])
        room.clock.now_s += 0.01
        room.settle()
    stats = stream.stats()
    assert stats.skipped > 100
    assert stats.steps >= 1
    assert stats.queue_wait.max < 0.2
    assert stream.context == CONTEXT
    assert len(stream._guest.seat.outlet._arrivals) < 300


def test_rate_of_a_cached_stream_has_no_left_context():
    room = Room(SCRIPT)
    context = ContextConfig(4.8, 0.48, 0.48)
    whole = room.open(fixed(context))._guest
    cached = room.open(fixed(context, cached=True))._guest
    assert whole.rate(context) == pytest.approx(12.0)
    assert cached.rate(context) == pytest.approx(2.0)


def test_partials_come_one_for_a_step():
    room = Room(SCRIPT)
    (stream,) = opened(room, 1)
    stream.push(marked_audio(40))
    stream.finish()
    room.settle()
    events, _ = drained(stream)
    assert sum(isinstance(each, Partial) for each in events) == stream.stats().steps
