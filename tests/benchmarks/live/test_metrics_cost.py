"""What measuring costs: every note is counted once, and nothing stays patched."""

import pytest

from parakeet_streaming.live.meter import EngineMeter
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.metrics.registry import Counter


@pytest.fixture(scope="module")
def metering(program):
    return program("metering")


def test_a_note_within_a_note_is_part_of_it(metering):
    account = metering.Account()
    with metering.accounted(account):
        EngineMeter(LiveMetrics()).stepped(3, 1.0, 1.5, 2.0)
        Counter().add(2)
    assert account.calls == 2
    assert account.seconds > 0
    counter = Counter()
    counter.add()
    assert account.calls == 2
    assert counter.total == 1


def test_an_error_within_a_note_ends_it(metering):
    account = metering.Account()
    with metering.accounted(account):
        with pytest.raises(Exception, match="only grows"):
            Counter().add(-1)
        Counter().add(1)
    assert account.calls == 2


def test_streams_are_heard_and_the_cost_is_told(run, cells):
    done = run("live.metrics_cost", "--streams", "2", "--seconds", "3")
    assert done.returncode == 0, done.stderr
    share, calls, _, _ = cells(done.stdout, "of a core | calls a second")[1]
    assert 0 < float(share.split()[0]) < 100
    assert float(calls) > 2
