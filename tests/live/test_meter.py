"""What happened when, as one stream's latencies and everyone's metrics."""

import pytest

from parakeet_streaming.live.driver import Due
from parakeet_streaming.live.meter import EngineMeter, StreamMeter
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.results import (
    ContextChanged,
    Final,
    Gap,
    Partial,
    Token,
    Transcript,
    Word,
)
from parakeet_streaming.timeline import ContextConfig

DUE = Due(heard_samples=32_000, complete_s=10.0, deadline_s=10.5, audio_s=2.0)


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


def test_waiting_computing_and_lag():
    meter, metrics = metered()
    meter.stepped(DUE, began_s=10.25, done_s=10.75, share=0.5)
    assert (meter.lag_s, meter.computing_s) == (0.75, 0.25)
    meter.stepped(DUE, began_s=9.0, done_s=11.0, share=0.25)
    assert meter.computing_s == 0.75
    assert meter.queue_wait.snapshot().max == 0.25
    assert metrics.chunk_queue_wait_seconds.snapshot().count == 2


def test_a_words_delay_runs_from_its_end_to_its_text():
    meter, metrics = metered()
    meter.told(partial(token(" a", 0.5, 0.6)), 9.0)
    assert meter.emission_delay.snapshot().count == 0
    meter.stepped(DUE, 10.0, 10.2, 1.0)
    # Two words, the first of two tokens. At 10.0 the sound at 2.0 s had just arrived.
    meter.told(partial(token(" a", 0.5, 0.6), token("b", 0.6, 0.8), token(" c", 1.0, 1.4)), 10.2)
    delays = meter.emission_delay.snapshot()
    assert delays.count == 2
    assert delays.sum == pytest.approx(1.4 + 0.8)
    assert metrics.emission_delay_seconds.snapshot() == delays


def test_the_first_text_counts_once_tentative_or_not():
    meter, metrics = metered()
    meter.stepped(DUE, 10.0, 10.1, 1.0)
    meter.told(partial(), 10.1)
    assert meter.first_partial_s is None
    meter.told(partial(tentative=(token(" a", 1.6, 1.7),)), 10.1)
    meter.told(partial(token(" a", 1.6, 1.7)), 20.0)
    assert meter.first_partial_s == pytest.approx(0.5)
    assert metrics.first_partial_latency_seconds.snapshot().count == 1


def test_a_final_is_late_since_what_made_it():
    meter, metrics = metered()
    meter.told(final("silence", ("a", 0.2, 1.0)), 10.0)
    assert meter.finalization.snapshot().max == 0.0
    meter.stepped(DUE, 10.0, 10.1, 1.0)
    meter.told(final("silence", ("a", 0.2, 1.0)), 10.1)
    assert meter.finalization.snapshot().max == pytest.approx(1.1)
    meter.commits_at_s.append(8.0)
    meter.told(final("commit"), 10.1)
    assert meter.finalization.snapshot().max == pytest.approx(2.1)
    meter.finished_at_s = 7.0
    meter.told(final("end"), 10.1)
    assert meter.finalization.snapshot().max == pytest.approx(3.1)
    meter.told(final("max_length", ("a", 0.0, 20.0)), 10.1)
    assert meter.finalization.snapshot().count == 4
    assert metrics.utterances_total.totals() == {
        "silence": 2,
        "max_length": 1,
        "commit": 1,
        "end": 1,
    }
    assert metrics.utterance_duration_seconds.snapshot().max == 20.0


def test_ends_that_nobody_asked_for_have_no_latency():
    meter, _ = metered()
    for reason in ("silence", "commit", "end"):
        meter.told(final(reason), 10.0)
    assert meter.finalization.snapshot().count == 0


def test_a_context_that_changes_counts_by_direction():
    meter, metrics = metered()
    for chunk in (1.0, 2.0, 1.0):
        meter.told(ContextChanged(ContextConfig(5.0, chunk, 0.5), 3.0), 10.0)
    meter.told(Gap(1.0, 2.0), 10.0)
    assert metrics.context_changes_total.totals() == {"longer": 2, "shorter": 1}


def test_what_a_stream_has_come_to_is_counted_once():
    meter, metrics = metered()
    assert meter.counted(2.0, 1.0, 5, 100) == 2.0
    assert meter.counted(3.5, 1.0, 6, 100) == 1.5
    snapshot = metrics.snapshot()
    assert snapshot.counters["audio_seconds_total"] == 3.5
    assert snapshot.counters["speech_seconds_total"] == 1.0
    assert snapshot.counters["tokens_total"] == 6
    assert snapshot.counters_by["samples_dropped_total"]["ring_full"] == 100


def test_computing_per_second_of_audio():
    metrics = LiveMetrics()
    meter = EngineMeter(metrics)
    meter.stepped(3, 1.0, 1.5, 2.0)
    assert (meter.steps, meter.longest_step_s) == (1, 1.0)
    assert meter.is_time(1.0, 2.0)
    meter.measured(0.0, 7.0)
    assert (metrics.rtf_recent.value, metrics.backlog_audio_seconds.value) == (0.0, 7.0)
    assert not meter.is_time(2.0, 2.05)
    assert meter.is_time(2.05, 2.2)
    meter.measured(2.0, 6.0)
    assert metrics.rtf_recent.value == pytest.approx((0.98 + 0.2) / 2.0)
