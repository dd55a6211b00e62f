"""The loop turned by hand steps every stream once for each chunk, and costs something."""

import pytest

from benchmarks.live.host_by_hand import measure_by_hand
from benchmarks.live.host_trial import Case
from benchmarks.live.sleeping_device import PERIOD_S


@pytest.mark.parametrize("vad", [False, True])
def test_each_stream_has_its_steps(vad):
    cost = measure_by_hand(Case(12, vad=vad, seconds=PERIOD_S))
    steps_a_second = cost.steps / 12 / PERIOD_S
    assert steps_a_second <= 4.5
    assert vad or steps_a_second >= 3.9
    assert cost.batch >= 1
    assert cost.worker_us > 0
    assert cost.late_s[2] < 0.24 + 0.08
