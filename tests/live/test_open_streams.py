"""Which streams are open, under one lock: places first, and no way in after the end."""

import threading
from types import SimpleNamespace

import pytest

from parakeet_streaming import ContextConfig
from parakeet_streaming.errors import (
    CapacityError,
    EngineFailedError,
    OptionError,
    StreamClosedError,
)
from parakeet_streaming.live.admission import Admission
from parakeet_streaming.live.demand import StreamCost
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.open_streams import OpenStreams
from parakeet_streaming.live.places import Places

COST = StreamCost(1.0, 2.0)


class Task:
    def __init__(self, name, lower_cost=None):
        self.id, self.cost, self.lower_cost = name, COST, lower_cost
        self.stream = SimpleNamespace(past="on a device")


def opened(**bounds):
    return OpenStreams(Admission(**bounds), LiveMetrics())


def joined(streams, name, **costs):
    task = Task(name, **costs)
    streams.reserve(name, "live", COST, COST)
    streams.join(task)
    return task


@pytest.mark.interpreted
def test_a_stream_has_its_place_before_it_is_made():
    streams = opened(most_streams=1)
    streams.reserve("a", "live", COST, COST)
    assert len(streams) == 0
    with pytest.raises(CapacityError):
        streams.reserve("b", "live", COST, COST)
    streams.leave("a")
    task = joined(streams, "b")
    assert (streams.get("b"), streams.get("a")) == (task, None)
    assert streams.all() == [task]
    streams.leave(task.id)
    assert (len(streams), streams.load) == (0, 0.0)


def test_an_id_is_taken_until_its_stream_is_over():
    streams = opened()
    streams.reserve("a", "recording", COST, COST)
    with pytest.raises(OptionError, match="'a' is open"):
        streams.reserve("a", "live", COST, COST)
    streams.leave("a")
    streams.reserve("a", "live", COST, COST)


@pytest.mark.interpreted
def test_after_the_end_no_stream_gets_in_even_with_a_place():
    streams = opened()
    streams.reserve("a", "live", COST, COST)
    streams.close(drain=True)
    streams.close(drain=False)
    streams.close(drain=True)
    assert streams.closing == "cancel"
    for enter in (
        lambda: streams.join(Task("a")),
        lambda: streams.reserve("b", "live", COST, COST),
    ):
        with pytest.raises(StreamClosedError):
            enter()
    streams.fail(SystemError("broken"))
    with pytest.raises(EngineFailedError, match="broken") as caught:
        streams.join(Task("a"))
    assert isinstance(caught.value.__cause__, SystemError)


class Model:
    """Its device has room for two streams."""

    def places(self, kind, open_streams):
        return 2 - sum(open_streams.values())


KIND = (ContextConfig.parse("2-0.5-0.5"), True)


def with_room_for_two(metrics, **bounds):
    streams = OpenStreams(Admission(**bounds), metrics)
    streams.places = Places(Model())
    return streams


def test_a_stream_is_refused_where_the_device_has_no_room():
    """Counted as such; recordings, too; and a stream that is refused takes no place."""
    streams = with_room_for_two(metrics := LiveMetrics(), most_streams=3)
    streams.reserve("a", "live", COST, COST, kind=KIND)
    streams.reserve("b", "recording", COST, COST, kind=KIND)
    for lane in ("live", "recording"):
        with pytest.raises(CapacityError, match="memory"):
            streams.reserve("c", lane, COST, COST, kind=KIND)
    assert metrics.rejected_total.totals() == {
        "streams": 0,
        "recordings": 0,
        "load": 0,
        "memory": 2,
    }
    streams.leave("b")
    streams.reserve("c", "live", COST, COST, kind=KIND)
    streams.reserve("d", "live", COST, COST, kind=KIND, instead_of="a")
    streams.leave("a")
    with pytest.raises(CapacityError, match="memory"):
        streams.reserve("e", "live", COST, COST, kind=KIND)


def test_who_is_refused_for_another_bound_takes_no_room():
    streams = with_room_for_two(metrics := LiveMetrics(), most_streams=1)
    streams.reserve("a", "live", COST, COST, kind=KIND)
    for _ in range(3):
        with pytest.raises(CapacityError, match="1 of 1 streams"):
            streams.reserve("b", "live", COST, COST, kind=KIND)
    assert metrics.rejected_total["streams"].total == 3
    streams.reserve("b", "recording", COST, COST, kind=KIND)


def test_a_recording_takes_the_place_of_no_live_stream():
    streams = with_room_for_two(LiveMetrics())
    streams.reserve("a", "live", COST, COST, kind=KIND)
    streams.reserve("b", "recording", COST, COST, kind=KIND, instead_of="a")
    with pytest.raises(CapacityError, match="memory"):
        streams.reserve("c", "live", COST, COST, kind=KIND)


@pytest.mark.interpreted
def test_a_stream_that_is_over_keeps_nothing_on_the_device():
    streams = opened()
    task = joined(streams, "a")
    streams.leave("a")
    assert task.stream.past is None


@pytest.mark.interpreted
def test_loads_follow_what_steps_took():
    streams = opened(most_load=10.0)
    task = joined(streams, "a", lower_cost=StreamCost(2.0, 4.0))
    streams.step_took(10.0, 1.0)
    streams.vad_took(1.0, 0.05)
    assert streams.load == pytest.approx(0.25)
    assert streams.load_with("a", task.lower_cost) == pytest.approx(0.45)
    streams.used("a", 1.0, encoded_s=2.0, cost=task.lower_cost)
    assert streams.load_with("a", COST) == pytest.approx(0.25)
    assert streams.load == pytest.approx(0.25)
    task.lower_cost = None
    assert streams.load_with("a", task.lower_cost) == 0.0


@pytest.mark.interpreted
def test_many_threads_come_and_go():
    streams = opened(most_streams=50)

    def visit(number):
        for turn in range(200):
            task = joined(streams, f"{number} {turn}")
            streams.all()
            streams.leave(task.id)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(streams), streams.load) == (0, 0.0)
