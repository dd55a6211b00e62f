"""When a number of streams counts as carried."""

import pytest

pytest.importorskip("torch", reason="the torch extra")

from benchmarks.gpu.paced import Clock, trial
from benchmarks.gpu.streams import StepTimes


class Stepped:
    """Streams whose steps take the time that they are given."""

    def __init__(self, count, step_s):
        self.streams = [None] * count
        self.now_s = 0.0
        self._step_s = step_s

    def step(self, group, *, sync):
        assert not sync
        self.now_s += self._step_s
        return StepTimes(self._step_s, 0.0, 0.0)

    def clock(self):
        def sleep(seconds):
            self.now_s += seconds

        return Clock(lambda: self.now_s, sleep)


@pytest.mark.parametrize(
    ("count", "step_s", "carried"), [(4, 0.1, True), (4, 0.24, False), (20, 0.1, False)]
)
def test_carried(count, step_s, carried):
    streams = Stepped(count, step_s)
    told = trial(streams, 2, 0.4, 4.0, streams.clock())
    assert told["carried"] is carried
    assert 0 < told["busy"] <= 1.01


def test_what_is_late_is_not_waited_for_for_ever():
    streams = Stepped(100, 1.0)
    assert not trial(streams, 1, 0.4, 4.0, streams.clock())["carried"]
    assert streams.now_s <= 100 + 2 * 4
