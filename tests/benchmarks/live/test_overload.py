"""The three phases by hand: as many as are carried, twice as many, and back."""

from dataclasses import replace

import pytest

from benchmarks.live import overload
from benchmarks.live.overload_report import rules
from parakeet_streaming import DelayRange, LiveOptions
from tests.benchmarks.live.by_hand import BOOK, HandEngine

BALANCED = DelayRange.parse("balanced", 16_000)
COST_S = 0.01
"""Of a second of audio: a stream with chunks of half a second takes an eighth of the time."""


@pytest.fixture
def setting():
    engines = []

    def open_engine():
        # The clock is that of the engine that was opened last.
        engines.append(HandEngine(cost_s=COST_S))
        return engines[-1]

    class Clock:
        def now(self):
            return engines[-1].now()

        def wait_until(self, when_s):
            engines[-1].wait_until(when_s)

    return overload.Setting(open_engine, LiveOptions(BALANCED, None), BOOK, Clock())


def test_a_number_is_carried_or_not(setting):
    assert overload.trial(setting, 6, 20)
    assert not overload.trial(setting, 12, 20)


def test_what_is_not_carried_has_no_further_phases(setting):
    assert overload.run(setting, 16, overload.Minutes(0.5, 0.1, 0.1, 0.1)) is None


@pytest.fixture
def found(setting):
    return overload.run(setting, 7, overload.Minutes(0.5, 1.0, 1.5, 0.5))


def test_twice_as_many_lag_and_the_rest_comes_back(found):
    hold, crowded, after = (phase for _, phase in found.phases)
    assert (hold.streams, crowded.streams, after.streams) == (7, 14, 7)
    assert (hold.carried, hold.longer) == (7, 0)
    assert crowded.longer >= 14
    assert crowded.carried == 0
    assert hold.late.p95 < 0.5 < crowded.late.p95
    assert [rule for rule in rules(found, BALANCED) if not rule.holds] == []
    assert after.own_context == 7
    assert found.full_at > 14
    assert "streams take" in found.refusal


def test_every_rule_can_break(found):
    slow = replace(found.after, latencies=found.overload.latencies)
    lost = replace(found.overload, refused_samples=1)
    late = replace(found.overload, moments=[replace(found.hold.moments[0], at_s=50, backlog_s=99)])
    broken = [
        [rule.name for rule in rules(each, BALANCED) if not rule.holds]
        for each in (
            replace(found, after=slow),
            replace(found, overload=lost),
            replace(found, missing_s=0.1),
            replace(found, overload=late),
            replace(found, refusal=""),
        )
    ]
    assert broken[0] == ["emission delay comes back", "queue wait comes back"]
    assert broken[1] == broken[2] == ["nothing is lost"]
    assert broken[3] == ["the backlog of twice as many is bounded"]
    assert broken[4] == ["a refusal says why"]
