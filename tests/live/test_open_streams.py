"""Which streams are open, under one lock: places first, and no way in after the end."""

import threading

import pytest

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

COST = StreamCost(1.0, 2.0)


class Task:
    def __init__(self, name, lower_cost=None):
        self.id, self.cost, self.lower_cost = name, COST, lower_cost


def opened(**bounds):
    return OpenStreams(Admission(**bounds), LiveMetrics())


def joined(streams, name, **costs):
    task = Task(name, **costs)
    streams.reserve(name, "live", COST, COST)
    streams.join(task)
    return task


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
