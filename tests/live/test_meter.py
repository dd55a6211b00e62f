"""What happened when, as one stream's latencies and everyone's metrics."""

import pytest

from parakeet_streaming import VadOptions
from parakeet_streaming.live.due import Due
from parakeet_streaming.live.meter import EngineMeter, StreamMeter
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.timed_step import StepTimes
from parakeet_streaming.metrics.histogram import Histogram
from parakeet_streaming.results import (
    ContextChanged,
    Final,
    Gap,
    Partial,
    StepTiming,
    Token,
    Transcript,
    Word,
)
from parakeet_streaming.testing import Cue, ScriptedVad, marked_audio
from parakeet_streaming.timeline import ContextConfig
from tests.live.by_hand import Room, fixed

DUE = Due(32_000, 10.0, 10.5, 10.5, audio_s=2.0, ends=False)


def token(text, start, end):
    return Token(0, text, round(start / 0.08), 1, start, end, 0.9)


def partial(*tokens, tentative=()):
    return Partial("", tokens, "", tentative, 1.5, 2.0)


def final(reason, *words):
    transcript = Transcript("", (), tuple(Word(*word, 0.9) for word in words), (), 2.0)
    return Final(transcript, 0, reason)


def metered():
    metrics = LiveMetrics()
    return StreamMeter(metrics, 0.5), metrics


def timing(waited_s=0.0, encode_s=0.1, decode_s=0.1, share=1.0):
    return StepTiming(waited_s, encode_s, decode_s, 2, share)


def test_waiting_computing_and_lag():
    meter, _ = metered()
    meter.step_done(DUE, timing(waited_s=0.25, encode_s=0.4, decode_s=0.1, share=0.5))
    assert (meter.lag_s, meter.computing_s) == (0.75, 0.25)
    meter.step_done(DUE, timing(encode_s=1.5, decode_s=0.5, share=0.25))
    assert meter.computing_s == 0.75
    assert meter.queue_wait.snapshot().max == 0.25
    assert meter.queue_wait.snapshot().count == 2


def test_a_words_delay_runs_from_its_end_to_its_text():
    meter, metrics = metered()
    meter.reported(partial(token(" a", 0.5, 0.6)), 9.0)
    assert meter.emission_delay.snapshot().count == 0
    meter.step_done(DUE, timing())
    # Two words, the first of two tokens. At 10.0 the sound at 2.0 s had just arrived.
    meter.reported(
        partial(token(" a", 0.5, 0.6), token("b", 0.6, 0.8), token(" c", 1.0, 1.4)), 10.2
    )
    delays = meter.emission_delay.snapshot()
    assert delays.count == 2
    assert delays.sum == pytest.approx(1.4 + 0.8)
    assert metrics.emission_delay_seconds.snapshot() == delays


def test_the_first_text_counts_once_tentative_or_not():
    meter, metrics = metered()
    meter.step_done(DUE, timing())
    meter.reported(partial(), 10.1)
    assert meter.first_partial_s is None
    meter.reported(partial(tentative=(token(" a", 1.6, 1.7),)), 10.1)
    meter.reported(partial(token(" a", 1.6, 1.7)), 20.0)
    assert meter.first_partial_s == pytest.approx(0.5)
    assert metrics.first_partial_latency_seconds.snapshot().count == 1


def test_a_final_is_late_since_what_made_it():
    meter, metrics = metered()
    meter.reported(final("silence", ("a", 0.2, 1.0)), 10.0)
    assert meter.finalization.snapshot().max == 0.0
    meter.step_done(DUE, timing())
    meter.reported(final("silence", ("a", 0.2, 1.0)), 10.1)
    assert meter.finalization.snapshot().max == pytest.approx(1.1)
    meter.commit_asked(8.0)
    meter.reported(final("commit"), 10.1)
    assert meter.finalization.snapshot().max == pytest.approx(2.1)
    meter.finished_at_s = 7.0
    meter.reported(final("end"), 10.1)
    assert meter.finalization.snapshot().max == pytest.approx(3.1)
    meter.reported(final("max_length", ("a", 0.0, 20.0)), 10.1)
    assert meter.finalization.snapshot().count == 4
    assert metrics.utterances_total.totals() == {
        "silence": 2,
        "max_length": 1,
        "commit": 1,
        "no_audio": 0,
        "end": 1,
    }
    assert metrics.utterance_duration_seconds.snapshot().max == 20.0


def test_ends_that_nobody_asked_for_have_no_latency():
    meter, _ = metered()
    for reason in ("silence", "commit", "end"):
        meter.reported(final(reason), 10.0)
    assert meter.finalization.snapshot().count == 0


def test_a_context_that_changes_counts_by_direction():
    meter, metrics = metered()
    for chunk in (1.0, 2.0, 1.0):
        meter.reported(ContextChanged(ContextConfig(5.0, chunk, 0.5), 3.0), 10.0)
    meter.reported(Gap(1.0, 2.0), 10.0)
    assert metrics.context_changes_total.totals() == {"longer": 2, "shorter": 1}


def test_what_a_stream_has_come_to_is_counted_once():
    meter, metrics = metered()
    assert meter.counted(32_000, 16_000, 5, 100) == 32_000
    assert meter.counted(56_000, 16_000, 6, 100) == 24_000
    snapshot = metrics.snapshot()
    assert snapshot.counters["audio_seconds_total"] == 3.5
    assert snapshot.counters["speech_seconds_total"] == 1.0
    assert snapshot.counters["tokens_total"] == 6
    assert snapshot.counters["samples_refused_total"] == 100


def test_a_stream_that_resumes_counts_what_is_new():
    metrics = LiveMetrics()
    meter = StreamMeter(metrics, 0.5, audio_s=7.0)
    assert meter.counted(128_000, 0, 0, 0) == 16_000


def test_computing_per_second_of_audio():
    metrics = LiveMetrics()
    meter = EngineMeter(metrics)
    meter.step_done(3, StepTimes(1.0, 1.5, 2.0))
    assert (meter.steps, meter.longest_step_s) == (1, 1.0)
    meter.streams_stepped([0.1, 700.0], [7.0, 2.0])
    meter.turned(1.0, 2.0)
    assert (metrics.rtf_recent.value, metrics.longest_backlog_seconds.value) == (0.0, 7.0)
    meter.decoded(2.0)
    meter.streams_stepped([0.1], [6.0])
    meter.turned(2.0, 2.05)
    assert metrics.longest_backlog_seconds.value == 7.0
    meter.turned(2.05, 2.2)
    assert metrics.rtf_recent.value == pytest.approx((0.98 + 0.2) / 2.0)
    assert metrics.longest_backlog_seconds.value == 6.0
    assert metrics.backlog_seconds.snapshot().count == 3
    assert metrics.chunk_queue_wait_seconds.snapshot().count == 2


def test_the_longest_step_is_forgotten():
    meter = EngineMeter(LiveMetrics())
    meter.step_done(1, StepTimes(0.0, 20.0, 30.0))
    assert meter.longest_step_s == 30.0
    for _ in range(60):
        meter.step_done(1, StepTimes(0.0, 0.1, 0.2))
    assert meter.longest_step_s == pytest.approx(0.2)


def test_a_clock_that_leapt_leaves_no_time_for_good():
    """A laptop that slept for an hour between two steps, within one, and before a final."""
    room = Room([Cue(3, 0), Cue(9, 1), Cue(20, 2), Cue(40, 0)], vad=ScriptedVad([1.0] * 600))
    stream = room.open(fixed(vad=VadOptions()))
    audio = marked_audio(120)
    encode = room.encoder.encode

    def sleeps_within(inputs):
        if room.encoder.calls and len(room.encoder.calls) == 3:
            room.clock.now_s += 3_600
        return encode(inputs)

    room.encoder.encode = sleeps_within
    for number, start in enumerate(range(0, len(audio), 6_400)):
        stream.push(audio[start : start + 6_400])
        if number == 6:
            room.clock.now_s += 3_600
        room.settle()
        room.clock.now_s += 0.4
    stream.commit()
    room.clock.now_s += 3_600
    room.settle()
    stream.finish()
    room.settle()
    stats = stream.stats()
    for each in (stats.queue_wait, stats.emission_delay, stats.finalization):
        assert each.max is None or each.max < 60
    assert stats.emission_delay.count
    engine = room.loop.stats()
    assert engine.longest_step_s < 60
    assert engine.load < 1
    for name, metric in vars(room.metrics).items():
        if isinstance(metric, Histogram) and name.endswith("_seconds"):
            assert metric.snapshot().count == 0 or metric.snapshot().max < 60, name
