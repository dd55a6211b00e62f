import gc

import pytest

from parakeet_streaming.errors import CapacityError, OptionError, SnapshotError
from parakeet_streaming.metrics.prometheus import prometheus_text
from tests.processes.across import FIXED, SMALL, joined, read


@pytest.fixture(scope="module")
def engines():
    with joined(streams=3) as found:
        yield found


@pytest.fixture
def both(engines):
    # Errors that were looked at hold what was there then.
    gc.collect()
    return engines


def test_admission_is_the_engine_s(both):
    streams = [both.remote.open(FIXED) for _ in range(3)]
    for _ in range(3 * SMALL.slots):
        with pytest.raises(CapacityError):
            both.remote.open(FIXED)
    assert both.remote.stats().active_streams == 3
    for stream in streams:
        stream.cancel()
        read(stream)


def test_what_the_engine_refuses_is_raised_here(both):
    stream = both.remote.open(FIXED, id="one")
    with pytest.raises(OptionError, match="open already"):
        both.remote.open(FIXED, id="one")
    stream.cancel()
    read(stream)
    with pytest.raises(SnapshotError):
        both.remote.open(FIXED, resume=b"no snapshot")


def test_slots_are_used_again(both):
    for _ in range(3 * SMALL.slots):
        stream = both.remote.open(FIXED)
        stream.cancel()
        read(stream)
        del stream
        gc.collect()
    assert not both.remote._tasks


def test_metrics_are_the_engine_s(both):
    assert prometheus_text(both.remote.metrics) == prometheus_text(both.engine.metrics)
    assert both.remote.metrics.snapshot().counters_by["streams_total"]["cancelled"] > 0


def test_it_is_well(both):
    assert both.remote.failure is None


def test_its_failure_is_told(both, monkeypatch):
    monkeypatch.setattr(type(both.engine), "failure", OptionError("broken"))
    assert isinstance(both.remote.failure, OptionError)


def test_there_are_as_many_streams_as_slots():
    with joined(streams=2 * SMALL.slots) as both:
        streams = [both.remote.open(FIXED) for _ in range(SMALL.slots)]
        with pytest.raises(CapacityError, match="has room for"):
            both.remote.open(FIXED)
        for stream in streams:
            stream.cancel()
            read(stream)
