"""The three phases by hand: as many as are carried, twice as many, and back."""

import pytest

from parakeet_streaming import DelayRange, LiveOptions
from tests.benchmarks.live.by_hand import BOOK, Engine

LOW = DelayRange.parse("balanced", 16_000)
COST_S = 0.01
"""Of a second of audio: a stream with chunks of half a second takes an eighth of the time."""


@pytest.fixture(scope="module")
def live(program):
    return program("live")


@pytest.fixture
def plan(live):
    engines = []

    def open_engine():
        # The plan's clock is that of the engine that was opened last.
        engines.append(Engine(cost_s=COST_S))
        return engines[-1]

    class Clock:
        def now(self):
            return engines[-1].now()

        def wait_until(self, when_s):
            engines[-1].wait_until(when_s)

    return live.Plan(open_engine, LiveOptions(LOW, None), BOOK, Clock())


def test_a_number_is_carried_or_not(live, plan):
    assert live.trial(plan, 6, 20)
    assert not live.trial(plan, 12, 20)


def test_what_is_not_carried_has_no_further_phases(live, plan):
    assert live.run(plan, 16, live.Minutes(0.5, 0.1, 0.1, 0.1)) is None


def test_twice_as_many_lag_and_the_rest_comes_back(live, plan):
    course = live.run(plan, 7, live.Minutes(0.5, 1.0, 1.5, 0.5))
    assert (course.hold.streams, course.overload.streams, course.after.streams) == (7, 14, 7)
    assert (course.hold.carried, course.hold.longer) == (7, 0)
    assert course.overload.longer >= 14
    assert course.overload.carried == 0
    assert course.hold.late.p95 < 0.5 < course.overload.late.p95
    broken = [rule for rule in live.rules(course, LOW) if not rule.holds]
    assert broken == []
    assert course.after.own_context == 7
    assert course.full_at > 14
    assert "streams take" in course.told
