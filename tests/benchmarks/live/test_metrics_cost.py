"""What measuring costs: every note is counted once, and nothing stays patched."""

import pytest

from benchmarks.live.metrics_cost import NotingTime, timed_noting
from parakeet_streaming.live.meter import EngineMeter
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.timed_step import StepTimes
from parakeet_streaming.metrics.registry import Counter


def test_a_note_within_a_note_is_part_of_it():
    noting = NotingTime()
    with timed_noting(noting):
        EngineMeter(LiveMetrics()).step_done(3, StepTimes(1.0, 1.5, 2.0))
        Counter().add(2)
    assert noting.calls == 2
    assert noting.seconds > 0
    counter = Counter()
    counter.add()
    assert noting.calls == 2
    assert counter.total == 1


def test_an_error_within_a_note_ends_it():
    noting = NotingTime()
    with timed_noting(noting):
        with pytest.raises(Exception, match="only grows"):
            Counter().add(-1)
        Counter().add(1)
    assert noting.calls == 2


def test_streams_play_and_the_cost_is_shown(run, cells):
    done = run("live.metrics_cost", "--streams", "2", "--seconds", "3")
    assert done.returncode == 0, done.stderr
    share, calls, _, _ = cells(done.stdout, "of a core | calls a second")[1]
    assert 0 < float(share.split()[0]) < 100
    assert float(calls) > 2
