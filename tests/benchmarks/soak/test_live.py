"""A soak by hand: all is well where it is, and what is not is found."""

import asyncio
import random
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.soak import records
from benchmarks.soak.callers import read_all, read_all_async, read_some
from benchmarks.soak.checks import Checker, is_unmoved
from benchmarks.soak.cuts import CutRecorder
from benchmarks.soak.live import Soak, summary
from benchmarks.soak.process import ProcessSample, growth
from benchmarks.soak.records import CallerPlan, CallRecord
from parakeet_streaming import ContextConfig, DelayRange, LiveOptions
from parakeet_streaming.results import Gap, Partial
from parakeet_streaming.testing import ScriptedVad
from tests.benchmarks.live.by_hand import BOOK, HandEngine

VOICE = [0.0] * 40 + ([1.0] * 60 + [0.0] * 90) * 40
BY_HAND = ("callback", "now and then", "raising callback")


class RecordedEngine(HandEngine):
    """Its cuts are recorded."""

    def __init__(self, **choices):
        super().__init__(vad=ScriptedVad(VOICE), **choices)
        self.recorder = CutRecorder(self.recognizer)
        self.loop._steps._stepper = self.recorder
        self.opener = replace(self.opener, stepper=self.recorder)


@pytest.fixture(scope="module", autouse=True)
def readers_without_threads():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "READINGS", {name: records.READINGS[name] for name in BY_HAND})
        yield


def soaked(seconds, *, seed=3, **choices):
    """Runs a soak of some seconds; what happened, and a checker."""
    engine = RecordedEngine(**choices)
    checker = Checker(engine.recognizer, ScriptedVad(VOICE), BOOK)
    soak = Soak(engine, engine.recorder, BOOK, engine, seed, 5)
    return soak.run(seconds, None), checker


@pytest.fixture(scope="module")
def well():
    return soaked(70.0)


def broken(result, checker):
    return [each for record in result.records for each in checker.broken(record)]


def test_all_is_well(well):
    result, checker = well
    assert broken(result, checker) == []
    assert len(result.records) > 10
    assert len({record.outcome for record in result.records}) > 2
    assert any(is_unmoved(record) for record in result.records)
    assert sum(len(record.tokens) for record in result.records) > 100
    assert len(result.samples) > 60
    assert "| streams |" in summary(result.records, result.refused)


def test_under_load_chunks_grow_and_samples_are_refused_and_all_is_well_still():
    result, checker = soaked(40.0, cost_s=0.06, most_ring_s=2.0)
    assert broken(result, checker) == []
    assert any(record.refused for record in result.records)
    assert "| streams whose chunk grew | 0 |" not in summary(result.records, result.refused)


def test_the_same_seed_makes_the_same_callers():
    one, other = (soaked(10.0, seed=5)[0].records for _ in range(2))
    assert [record.pushed for record in one] == [record.pushed for record in other]
    assert [record.tokens for record in one] == [record.tokens for record in other]


def test_a_lost_event_is_found(monkeypatch):
    note = CallRecord.note_event

    def forgetful(record, event):
        if not (isinstance(event, Partial) and event.tokens and record.events > 4):
            note(record, event)

    monkeypatch.setattr(CallRecord, "note_event", forgetful)
    found = broken(*soaked(30.0))
    assert any("live it gave" in each for each in found)
    assert any("partials have" in each for each in found)


def test_a_gap_that_is_not_reported_is_found(monkeypatch):
    note = CallRecord.note_event
    monkeypatch.setattr(
        CallRecord,
        "note_event",
        lambda record, event: None if isinstance(event, Gap) else note(record, event),
    )
    found = broken(*soaked(40.0, cost_s=0.06, most_ring_s=2.0))
    assert any("gaps report 0" in each for each in found)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"audio_s": 1.0}, "were not decoded"),
        ({"outcome": "stuck"}, "did not end"),
        ({"outcome": "failed"}, "it failed"),
        ({"error": KeyError("x")}, "it failed"),
        ({"reasons": ["silence"]}, "its last utterance ended by"),
    ],
)
def test_every_promise_is_checked(well, change, reason):
    result, checker = well
    good = next(
        record for record in result.records if record.outcome == "finished" and record.read_to_end
    )
    assert checker.broken(good) == []
    assert any(reason in each for each in checker.broken(replace(good, **change)))


def test_audio_that_was_decoded_twice_or_not_at_all_is_found(well):
    result, checker = well
    record = next(
        record
        for record in result.records
        if record.plan.options.vad is None and len(record.cuts) > 8 and record.outcome == "finished"
    )
    cuts = [*record.cuts]
    twice = replace(record, cuts=[*cuts[:4], *cuts[3:]])
    (found,) = [each for each in checker.broken(twice) if "cut" in each]
    assert "begins before" in found
    hole = replace(record, cuts=[*cuts[:3], *cuts[4:]])
    assert any("without voice activity" in each for each in checker.broken(hole))


def test_memory_and_threads_that_grow_are_found():
    def samples(resident_mib, own=4, system=1):
        return [
            ProcessSample(float(at), resident_mib(at), 5, own + (at > 30) * (own - 4), system)
            for at in range(40)
        ]

    assert growth(samples(lambda at: 150.0 + at % 3)) == []
    (found,) = growth(samples(lambda at: 150.0 + at))
    assert found == "memory grew from 164.5 to 184.5 MiB"
    (found,) = growth(samples(lambda _: 150.0, own=6))
    assert found == "own_threads grew from 6 to 8"
    assert "too short" in growth(samples(lambda _: 150.0)[:7])[0]


def test_readers_in_threads_and_loops_take_note():
    plan = CallerPlan.drawn(random.Random(0))
    engine = HandEngine()
    noted = [CallRecord(number, plan) for number in range(3)]
    streams = [engine.open(LiveOptions(vad=None, endpoint=None)) for _ in noted]
    for stream in streams:
        stream.push(BOOK[:80_000])
        stream.finish()
    engine.settle()
    read_all(streams[0], noted[0], 0.0)
    read_some(streams[1], noted[1], 2)
    asyncio.run(read_all_async(streams[2], noted[2]))
    assert noted[0].tokens == noted[2].tokens != []
    assert [record.read_to_end for record in noted] == [True, False, True]
    assert (noted[1].reader_stopped, noted[1].events) == (True, 2)
    assert noted[0].reasons == ["end"]


def test_time_is_what_was_pushed_with_zeros_for_what_was_refused():
    plan = CallerPlan.drawn(random.Random(0))
    plan = replace(plan, options=LiveOptions(DelayRange.fixed(ContextConfig(1.0, 0.5, 0.5))))
    record = CallRecord(1, plan)
    record.note_push(10, 5)
    record.note_refusals(received=5, refused=2)
    record.note_push(15, 2)
    record.note_push(20, 1)
    record.note_refusals(received=8, refused=2)
    assert record.pushed == [(10, 7), (20, 1)]
    assert (record.missing, record.refused) == ([(3, 2)], 2)
    book = np.arange(100, dtype=np.float32)
    assert record.timeline(book).tolist() == [10, 11, 12, 0, 0, 15, 16, 20]
