"""The worker's turns, by hand: batches, isolation, order, load, and the end."""

import numpy as np
import pytest

from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import (
    AudioInputError,
    CapacityError,
    ComputeError,
    EngineFailedError,
    OptionError,
    StreamClosedError,
)
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.results import ContextChanged, Final, Partial, SpeechStarted
from parakeet_streaming.testing import Cue, ScriptedVad, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES, SAMPLE_RATE_HZ, ContextConfig
from tests.live.by_hand import (
    CONTEXT,
    POISON,
    Room,
    drained,
    finals_of,
    fixed,
    outcome_of,
    tokens_of,
)

SCRIPT = [Cue(3, 0), Cue(9, 1), Cue(20, 2), Cue(33, 0)]
CHUNK = CONTEXT.samples.chunk


def poison(frames=20):
    return np.full(frames * FRAME_SAMPLES, POISON * 2.0**-23, np.float32)


def context_of(stream):
    return stream.stats().context


def opened(room, count, **choices):
    streams = [room.open(fixed(**choices)) for _ in range(count)]
    room.settle()
    return streams


def test_streams_that_are_ready_share_a_step():
    room = Room(SCRIPT)
    first, second, third = opened(room, 3)
    first.push(marked_audio(13))
    third.push(marked_audio(13))
    assert room.turn()
    assert room.encoder.calls == [(12 * FRAME_SAMPLES,) * 2]
    assert not room.turn()
    assert room.metrics.batch_size.snapshot().max == 2
    assert [len(drained(stream)[0]) for stream in (first, second, third)] == [1, 0, 1]


def test_steps_are_bounded_and_the_most_urgent_goes_first():
    room = Room(SCRIPT, limits=BatchLimits(max_streams=1))
    early, late = opened(room, 2)
    late_audio, early_audio = marked_audio(13), marked_audio(13)
    early.push(early_audio)
    room.clock.now_s += 0.1
    late.push(late_audio)
    assert room.turn()
    assert (len(drained(early)[0]), len(drained(late)[0])) == (1, 0)
    assert room.turn()
    assert len(drained(late)[0]) == 1


def test_a_source_that_brings_much_at_once_does_not_keep_out_one_in_real_time():
    room = Room(SCRIPT, limits=BatchLimits(max_streams=1), cost_s=0.001)
    hasty, steady = opened(room, 2)
    hasty.push(marked_audio(600))
    longest = 0
    for number in range(10):
        steady.push(marked_audio(6 * (number + 2) + 1)[steady.stats().received_samples :])
        waited = 0
        while not drained(steady)[0]:
            room.turn()
            waited += 1
        longest = max(longest, waited if number else 0)
        room.clock.now_s += 0.48
    assert longest == 2


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
    assert outcome_of(bad) == "failed"
    assert finals_of(events)[-1].transcript.text == "one two"
    for stream in (good, other):
        assert outcome_of(stream) == "finished"
        assert tokens_of(drained(stream)[0]) == room.alone(marked_audio(40))
    assert room.metrics.streams_total.totals() == {
        "finished": 2,
        "timed_out": 0,
        "cancelled": 0,
        "failed": 1,
    }


@pytest.mark.interpreted
@pytest.mark.parametrize("cause", ["cancelled", "failed"])
def test_a_stream_whose_last_words_cannot_be_said_ends_alone(cause):
    room = Room([Cue(3, 0), Cue(9, 1)])
    good, bad = room.open(), room.open()
    for stream in (good, bad):
        stream.push(marked_audio(14))
    room.settle()
    broken = bad._task.driver.stream

    def end_utterance(reason, position=None, left=0):
        raise IndexError("no such token")

    broken.end_utterance = end_utterance
    if cause == "cancelled":
        bad.cancel()
    else:
        bad._task.driver.plan = end_utterance
        bad.push(marked_audio(30)[14 * 1280 :])
    good.push(marked_audio(30)[14 * 1280 :])
    good.finish()
    room.settle()
    assert outcome_of(bad) == "failed"
    assert isinstance(drained(bad)[1], ComputeError)
    assert (outcome_of(good), room.loop.failure) == ("finished", None)
    assert good.transcript().text == "one two"


def test_an_error_of_the_tree_keeps_its_type_and_names_the_stream():
    room = Room(SCRIPT)
    stream = room.open(id="3f2a")

    def refused(inputs):
        raise AudioInputError("too long")

    room.encoder.encode = refused
    stream.push(marked_audio(20))
    room.settle()
    error = drained(stream)[1]
    assert isinstance(error, AudioInputError)
    assert error.__notes__ == ["stream 3f2a"]


def test_a_consumer_that_raises_ends_its_stream_alone():
    room = Room(SCRIPT)
    given = []

    def consume(event):
        given.append(event)
        if len(given) == 2:
            raise KeyError("consumer")

    bad = room.open(fixed(), consume)
    good = room.open(fixed())
    for stream in (bad, good):
        stream.push(marked_audio(40))
        stream.finish()
    room.settle()
    events, error = drained(bad)
    assert isinstance(error, KeyError)
    assert (outcome_of(bad), outcome_of(good)) == ("failed", "finished")
    # What it did not take any more can be read.
    assert tokens_of(given + events) == finals_of(events)[-1].transcript.tokens
    assert tokens_of(drained(good)[0]) == room.alone(marked_audio(40))


def test_a_consumer_that_raises_at_the_very_end_keeps_the_first_cause():
    def consume(event):
        if isinstance(event, Final):
            raise KeyError("last")

    room = Room(SCRIPT)
    for act in ("finish", "cancel"):
        stream = room.open(fixed(), consume)
        stream.push(marked_audio(14))
        room.settle()
        getattr(stream, act)()
        room.settle()
        assert isinstance(drained(stream)[1], KeyError)
        assert outcome_of(stream) == "failed"


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
    assert vad.calls == [3] * 3
    assert room.metrics.vad_step_seconds.snapshot().count == 3


def test_speech_is_reported_though_a_step_waits():
    vad = ScriptedVad([1.0] * 300)
    room = Room(SCRIPT, vad=vad, limits=BatchLimits(max_streams=1))
    first, second = opened(room, 2, vad=VadOptions())
    first.push(marked_audio(13))
    second.push(marked_audio(13))
    room.turn()
    assert [type(each) for each in drained(second)[0]] == [SpeechStarted]


def test_a_full_engine_refuses_and_counts():
    room = Room(SCRIPT, most_streams=1)
    stream = room.open(fixed())
    with pytest.raises(CapacityError):
        room.open(fixed())
    stream.finish()
    room.settle()
    room.open(fixed())
    assert room.metrics.rejected_total.totals() == {
        "streams": 1,
        "recordings": 0,
        "load": 0,
        "memory": 0,
    }


def test_an_engine_that_is_too_slow_refuses_and_counts():
    room = Room(SCRIPT, cost_s=0.2)
    (stream,) = opened(room, 1)
    stream.push(marked_audio(40))
    room.settle()
    assert room.loop.stats().load > 0.6
    with pytest.raises(CapacityError):
        room.open(fixed())
    assert room.metrics.rejected_total["load"].total == 1


def paced(room, streams, audio, seconds, start=0.0):
    """Real time for so long: whatever the clock reads has been pushed, then the worker turns."""
    end_s = start + seconds
    began_s = room.clock.now_s
    while room.clock.now_s - began_s < seconds:
        now = round((start + room.clock.now_s - began_s) * 16_000)
        for stream in streams:
            offered = stream.stats().received_samples
            stream.push(audio[offered : max(offered, now)])
        if not room.turn():
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
    assert [context_of(stream).chunk for stream in streams] == [0.5, 0.5, 1.0, 1.0, 1.0, 1.0]
    assert max(stream.stats().lag_s for stream in streams) < 3.0
    for stream in streams[2:]:
        stream.finish()
    paced(room, streams[:2], audio, 60, at_s)
    assert [context_of(stream).chunk for stream in streams[:2]] == [0.5, 0.5]
    assert max(stream.stats().lag_s for stream in streams[:2]) < 0.5
    for stream in streams:
        stream.finish()
    room.settle()
    chunks = []
    for stream in streams:
        events, _ = drained(stream)
        chunks.append([each.context.chunk for each in events if isinstance(each, ContextChanged)])
        received = stream.stats().received_samples
        assert tokens_of(events) == room.alone(audio[:received])
        assert stream.stats().refused_samples == 0
    changes = room.metrics.context_changes_total.totals()
    assert chunks == [[1.0, 0.5]] * 2 + [[1.0]] * 4
    assert changes == {"longer": 6, "shorter": 2}


def test_a_loop_that_drains_gives_what_was_received():
    room = Room(SCRIPT)
    streams = opened(room, 2)
    for stream in streams:
        stream.push(marked_audio(40))
    room.loop.close(drain=True)
    with pytest.raises(StreamClosedError):
        room.open(fixed())
    room.settle()
    assert room.loop.over
    for stream in streams:
        events, error = drained(stream)
        assert error is None
        assert outcome_of(stream) == "finished"
        assert tokens_of(events) == room.alone(marked_audio(40))
        assert stream.stats().finalization.count == 1


def test_a_loop_that_does_not_drain_gives_what_was_committed():
    room = Room(SCRIPT)
    (stream,) = opened(room, 1)
    stream.push(marked_audio(14))
    room.settle()
    late = room.open(fixed())
    room.loop.close(drain=True)
    room.loop.close(drain=False)
    room.loop.close(drain=True)
    room.settle()
    assert room.loop.over
    assert finals_of(drained(stream)[0])[-1].transcript.text == "one"
    assert (outcome_of(stream), outcome_of(late)) == ("cancelled", "cancelled")


def test_an_error_of_the_worker_itself_ends_every_stream():
    room = Room(SCRIPT)
    streams = [*opened(room, 2), room.open(fixed())]
    room.loop.abandon(SystemError("broken"))
    assert room.loop.over
    for stream in streams:
        events, error = drained(stream)
        assert [each.reason for each in events] == ["end"]
        assert isinstance(error, SystemError)
    assert isinstance(room.loop.failure, SystemError)
    with pytest.raises(EngineFailedError, match="broken"):
        room.open()


def test_it_is_roused_when_what_it_asked_for_is_there():
    room = Room(SCRIPT)
    stream = room.open(fixed())
    assert room.rung == [True]
    room.settle()
    room.rung.clear()
    stream.push(marked_audio(12))
    assert room.rung == []
    stream.push(marked_audio(13)[12 * FRAME_SAMPLES :])
    stream.push(marked_audio(1))
    assert room.rung == [True]
    room.settle()
    room.rung.clear()
    stream.commit()
    stream.cancel()
    assert room.rung == [True, True]
    room.settle()
    room.loop.close(drain=True)
    assert len(room.rung) == 3


@pytest.mark.interpreted
def test_a_turn_touches_streams_with_news_alone():
    room = Room(SCRIPT)
    streams = opened(room, 50)
    planned = []
    for stream in streams:
        task = stream._task
        task.driver.plan = lambda task=task, plan=task.driver.plan: (planned.append(task), plan())[
            1
        ]
    streams[7].push(marked_audio(13))
    room.settle()
    assert set(planned) == {streams[7]._task}
    assert room.loop.turn(room.clock()) is None


def test_a_stream_without_audio_times_out_with_what_was_received():
    room = Room(SCRIPT)
    stream = room.open(fixed(idle_timeout_s=5.0))
    forever = room.open(fixed())
    room.settle()
    room.clock.now_s += 3
    stream.push(marked_audio(8))
    room.settle()
    assert room.loop.turn(room.clock()) == pytest.approx(105.0)
    room.run(4.9)
    assert outcome_of(stream) is None
    room.run(0.2)
    assert outcome_of(stream) == "timed_out"
    events, error = drained(stream)
    assert error is None
    assert tokens_of(events) == room.alone(marked_audio(8))
    assert events[-1].reason == "end"
    assert stream.push(marked_audio(1)) == 0
    assert outcome_of(forever) is None
    assert room.metrics.streams_total.totals()["timed_out"] == 1


def test_a_stream_that_ended_in_time_does_not_time_out():
    room = Room(SCRIPT)
    stream = room.open(fixed(idle_timeout_s=5.0))
    stream.push(marked_audio(8))
    stream.finish()
    room.run(9.0)
    assert outcome_of(stream) == "finished"
    assert room.loop.turn(room.clock()) is None


def test_a_batch_is_held_open_for_streams_that_are_nearly_ready():
    room = Room(SCRIPT, limits=BatchLimits(hold_s=0.05))
    first, second = opened(room, 2)
    first.push(marked_audio(13))
    assert room.loop.turn(room.clock()) == pytest.approx(100.05)
    assert room.encoder.calls == []
    room.clock.now_s += 0.04
    second.push(marked_audio(13))
    room.settle()
    assert room.encoder.calls == [(12 * FRAME_SAMPLES,) * 2]
    first.push(marked_audio(19)[13 * FRAME_SAMPLES :])
    room.run(0.2)
    assert len(room.encoder.calls) == 2


RECORDING = LiveOptions.recording(ContextConfig(2.0, 1.6, 0.8))


def test_a_recording_gives_exactly_what_a_stream_alone_gives():
    room = Room(SCRIPT)
    stream = room.open(RECORDING)
    stream.push(marked_audio(300, 77))
    stream.finish()
    room.settle()
    events, error = drained(stream)
    assert error is None
    assert [each.reason for each in finals_of(events)] == ["end"]
    assert tokens_of(events) == room.alone(
        marked_audio(300, 77), RECORDING.delay.context, silence_s=0.0
    )


def test_live_streams_are_served_first_and_a_recording_still_ends():
    """Live takes half of the time; each window of the recording would make a live step late."""
    room = Room(SCRIPT, cost_s=0.12)
    live = room.open()
    opened(room, 0)
    recording = room.open(RECORDING)
    recording.push(marked_audio(200))
    recording.finish()
    audio = marked_audio(1_000)
    paced(room, [live], audio, 40)
    assert outcome_of(recording) == "finished"
    assert live.stats().lag_s < 0.5
    assert live.stats().queue_wait.p50 < 0.1
    assert tokens_of(drained(recording)[0]) == room.alone(
        marked_audio(200), RECORDING.delay.context, silence_s=0.0
    )


def test_a_live_stream_does_not_wait_for_recordings_that_fit_between_its_steps():
    """Of 0.48 s live takes 0.1 s; after one step of a recording, of 0.22 s, no other one fits."""
    room, late_s = Room(SCRIPT, cost_s=0.05), []

    def told(event):
        if isinstance(event, Partial):
            late_s.append(room.clock.now_s - 100.0 - event.lookahead_end_s)

    live = room.open(fixed(), told)
    audio = marked_audio(500)
    begun_s = paced(room, [live], audio, 4)  # what steps cost is known
    recordings = [room.open(RECORDING) for _ in range(2)]
    for recording in recordings:
        recording.push(marked_audio(100))
        recording.finish()
    paced(room, [live], audio, 12, begun_s)
    assert [outcome_of(recording) for recording in recordings] == ["finished"] * 2
    assert max(late_s) < 0.1 + 0.05


def test_recordings_are_bounded_by_themselves():
    room = Room(SCRIPT, most_streams=1, most_recordings=1)
    room.open(RECORDING)
    room.open()
    with pytest.raises(CapacityError, match="1 of 1 recordings"):
        room.open(RECORDING)
    assert room.metrics.rejected_total.totals()["recordings"] == 1


def test_partials_carry_the_timing_of_their_step():
    room = Room(SCRIPT, cost_s=0.1)
    first, second = opened(room, 2)
    first.push(marked_audio(13))
    second.push(marked_audio(13))
    room.clock.now_s += 0.25
    room.settle()
    (partial,), _ = drained(first)
    assert partial.timing.waited_s == pytest.approx(0.25)
    assert partial.timing.encode_s == pytest.approx(0.192)
    assert (partial.timing.decode_s, partial.timing.streams) == (0.0, 2)
    assert partial.timing.share == pytest.approx(0.5)
    assert partial.timing.lag_s == pytest.approx(first.stats().lag_s)


def test_a_stream_has_an_id_and_two_cannot_have_the_same():
    room = Room(SCRIPT)
    assert room.open(id="mine").id == "mine"
    with pytest.raises(OptionError, match="'mine' is open already"):
        room.open(id="mine")
    assert len({room.open().id for _ in range(20)}) == 20


def test_a_failure_is_logged_once_with_the_id(caplog):
    room = Room(SCRIPT)
    stream = room.open(id="3f2a")
    stream.push(poison())
    stream.finish()
    room.settle()
    assert outcome_of(stream) == "failed"
    records = [each for each in caplog.records if each.name == "parakeet_streaming.live"]
    assert [record.levelname for record in records] == ["WARNING"]
    assert "stream 3f2a" in records[0].getMessage()


def test_gauges_show_how_it_goes():
    room = Room(SCRIPT, cost_s=0.1)
    streams = opened(room, 2)
    metrics = room.metrics
    assert metrics.active_streams.value == 2
    streams[0].push(marked_audio(13))
    streams[1].push(marked_audio(30))
    room.turn()
    assert metrics.ready_streams.value == 2
    assert metrics.longest_backlog_seconds.value == pytest.approx(30 * 0.08 - 0.48)
    assert metrics.backlog_seconds.snapshot().count == 2
    # Two windows of 0.96 s cost 0.192 s, and decoded 0.96 s of audio.
    assert metrics.rtf_recent.value == pytest.approx(0.2)
    assert room.loop.meter.longest_step_s == pytest.approx(0.192)
    assert metrics.encoder_step_seconds.snapshot().max == pytest.approx(0.192)
    assert metrics.decoder_step_seconds.snapshot().max == 0.0
    assert room.loop.meter.steps == 1


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
    assert context_of(stream) == CONTEXT
    assert len(stream._task.queue._stamps) < 300


def test_cost_of_a_cached_stream_has_no_left_context():
    room = Room(SCRIPT)
    context = ContextConfig(4.8, 0.48, 0.48)
    whole = room.open(fixed(context))._task.driver
    cached = room.open(fixed(context, cached=True))._task.driver
    assert whole.cost.audio_s == pytest.approx(12.0)
    assert cached.cost.audio_s == pytest.approx(2.0)
    assert whole.cost.steps == cached.cost.steps == pytest.approx(1 / 0.48)


def test_partials_come_one_for_a_step():
    room = Room(SCRIPT)
    (stream,) = opened(room, 1)
    stream.push(marked_audio(40))
    stream.finish()
    room.settle()
    events, _ = drained(stream)
    assert sum(isinstance(each, Partial) for each in events) == stream.stats().steps


def test_streams_that_begin_at_once_are_spread_over_the_ticks_of_a_device():
    limits = BatchLimits(max_streams=64, tick_s=0.02)
    room, audio = Room(SCRIPT, limits=limits, cost_s=0.0001), marked_audio(40)
    streams = [room.open(LiveOptions(DelayRange.growing(CONTEXT), None, None)) for _ in range(40)]
    for start in range(0, len(audio), FRAME_SAMPLES):
        for stream in streams:
            stream.push(audio[start : start + FRAME_SAMPLES])
        room.run(0.08)
    sizes = room.metrics.batch_size.snapshot()
    assert sizes.max == 32
    assert len(set(map(len, room.encoder.calls))) == 2
    for stream in streams:
        assert context_of(stream) == CONTEXT
        stream.finish()
    room.settle()
    for stream in streams:
        events, error = drained(stream)
        assert (tokens_of(events), error) == (room.alone(audio), None)


def test_a_window_that_waits_for_its_tick_is_forgotten_with_its_stream():
    room = Room(SCRIPT, limits=BatchLimits(tick_s=0.08))
    stream = room.open(fixed())
    room.clock.now_s += 0.01
    stream.push(marked_audio(13))
    room.turn()
    stream.cancel()
    room.settle()
    assert outcome_of(stream) == "cancelled"
    assert room.encoder.calls == []


def resting():
    """A room with ticks, and a stream in it that rests; its context has chunks of 0.48 s."""
    room = Room(SCRIPT, limits=BatchLimits(tick_s=0.02), cost_s=0.0001)
    stream = room.open(fixed())
    for start in range(0, 20 * FRAME_SAMPLES, FRAME_SAMPLES):
        stream.push(marked_audio(21)[start : start + FRAME_SAMPLES])
        room.run(0.08)
        if stream._task in room.loop._scheduler._resting and stream.stats().steps > 1:
            break
    else:
        raise AssertionError("it never rests")
    drained(stream)
    return room, stream, start + FRAME_SAMPLES


def test_audio_wakes_no_stream_that_rests_sample_by_sample_or_not():
    room, stream, _ = resting()
    room.rung.clear()
    for _ in range(100):
        stream.push(np.ones(1, np.float32))
    assert room.rung == []
    stream.push(np.ones(2 * SAMPLE_RATE_HZ, np.float32))
    assert room.rung, "more than two seconds wait for no tick"


@pytest.mark.parametrize("news", ["finish", "commit", "cancel"])
def test_news_does_not_wait_for_the_tick_of_a_stream_that_rests(news):
    room, stream, heard = resting()
    audio = marked_audio(21)
    stream.push(audio[heard : heard + 1_000])
    getattr(stream, news)()
    next_s = room.loop._scheduler._resting.next_s
    # A last window goes at the next tick of all, and not at that of its stream.
    room.run(0.05)
    assert room.clock() < next_s
    events, _ = drained(stream)
    (final,) = finals_of(events)
    assert final.reason == {"finish": "end", "commit": "commit", "cancel": "end"}[news]
    if news != "cancel":
        wanted = room.alone(audio[: heard + 1_000])
        assert [each.id for each in final.transcript.tokens] == [each.id for each in wanted]
