"""Where the time of a live stream went."""

import json
from dataclasses import replace

import pytest

from parakeet_streaming import ContextConfig
from parakeet_streaming.cli.report import (
    StreamLog,
    check_writable,
    counts_in_words,
    delays_in_words,
    latency_rows,
    report_object,
    write_report,
)
from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.metrics.histogram import Histogram
from parakeet_streaming.results import ContextChanged, Gap, Partial, StepTiming, Token

CONTEXT = ContextConfig(5, 0.4, 0.4)


def partial(timing, *ends):
    tokens = tuple(Token(0, " a", 0, 1, end - 0.08, end, 0.9) for end in ends)
    return Partial("", tokens, "", (), 0.4, 0.8, timing)


def stats():
    delays = Histogram()
    delays.record(0.5)
    numbers = dict.fromkeys(StreamStats.__dataclass_fields__, 1)
    distributions = dict.fromkeys(
        ("emission_delay", "queue_wait", "finalization"), delays.snapshot()
    )
    return StreamStats(**{**numbers, "context": CONTEXT, "refused_samples": 8000, **distributions})


def test_a_step_has_the_parts_that_it_measured():
    log = StreamLog(keep_steps=True)
    log.add(partial(StepTiming(0.05, 0.2, 0.05, 2, 0.5), 0.3, 0.7), CONTEXT)
    log.add(partial(StepTiming(0.0, 0.1, 0.0, 1, 1.0)), CONTEXT)
    first, second = log.steps
    assert first.parts_s == {"queue": 0.05, "encoder": 0.2, "decoder": 0.05}
    assert first.lag_s == pytest.approx(sum(first.parts_s.values()))
    assert first.delays_s == pytest.approx((0.8, 0.4))
    assert second.parts_s == {"queue": 0.0, "encoder": 0.1, "decoder": 0.0}
    assert log.recent_lag_s() == pytest.approx(0.2)


def test_text_that_no_step_gave_is_no_step():
    log = StreamLog(keep_steps=True)
    log.add(partial(None, 0.3), CONTEXT)
    assert log.steps == []
    assert log.recent_lag_s() == 0


def test_without_a_report_no_step_is_kept():
    log = StreamLog(keep_steps=False)
    assert log.recent_lag_s() == 0
    log.add(partial(StepTiming(0.1, 0.1, 0.1, 1, 1.0), 0.3), CONTEXT)
    assert log.steps == []
    assert log.recent_lag_s() == pytest.approx(0.3)


def test_delays_in_words():
    (line,) = delays_in_words(stats())
    assert line == (
        "text appeared 0.50 s after it was spoken (median of 1 words; the latest 0.50 s)"
    )
    silent = replace(stats(), emission_delay=Histogram().snapshot())
    assert list(delays_in_words(silent)) == []


def test_a_report_is_json_with_everything(tmp_path):
    metrics = LiveMetrics()
    metrics.emission_delay_seconds.record(0.5)
    log = StreamLog(keep_steps=True)
    log.add(partial(StepTiming(1 / 3, 0.0, 0.0, 1, 1.0), 0.3), CONTEXT)
    log.changes.append(ContextChanged(ContextConfig(5, 0.8, 0.4), 1.0))
    log.gaps.append(Gap(1.0, 2.0))
    path = tmp_path / "report.json"
    about = {"source": "-", "model": "tiny-en"}
    write_report(str(path), report_object(log, stats(), metrics, about))
    report = json.loads(path.read_text())
    assert (report["source"], report["model"]) == ("-", "tiny-en")
    assert report["steps"][0]["lag_s"] == 0.333333
    assert report["stream"]["context"] == "5-0.4-0.4"
    assert report["stream"]["emission_delay"]["p99"] == 0.5
    assert "buckets" not in report["stream"]["emission_delay"]
    assert report["metrics"]["histograms"]["emission_delay_seconds"]["count"] == 1
    assert report["context_changes"] == [{"at_s": 1.0, "context": "5-0.8-0.4"}]
    assert report["gaps"] == [{"start_s": 1.0, "end_s": 2.0}]


def test_only_what_was_measured_is_printed():
    metrics = LiveMetrics()
    metrics.encoder_step_seconds.record(0.0201)
    heading, *rows = latency_rows(metrics)
    assert [cell.strip() for cell in heading] == [
        "milliseconds",
        "count",
        "p50",
        "p95",
        "p99",
        "max",
    ]
    ((name, *numbers),) = rows
    assert name == "step: encoder"
    assert [number.strip() for number in numbers] == ["1", "20", "20", "20", "20"]


def test_counts_in_words():
    assert counts_in_words(stats()) == (
        "1.0 s of speech · 1 utterances, 1 tokens · 0.5 s refused\n"
        "context 5-0.4-0.4 · 1 steps · 1 chunks passed over as quiet"
    )


def test_a_report_that_could_not_be_written_is_refused_before(tmp_path):
    check_writable(None)
    check_writable(str(tmp_path / "report.json"))
    with pytest.raises(OptionError, match="make it first"):
        check_writable(str(tmp_path / "no" / "report.json"))
    with pytest.raises(OptionError, match="cannot write"):
        write_report(str(tmp_path), {})
