from types import SimpleNamespace

import pytest

from parakeet_streaming.errors import UnavailableError, UsageError
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.processes.shared_state import SharedState
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.replies import TooManyError


class Engine:
    metrics = LiveMetrics()

    def stats(self):
        return SimpleNamespace(load=0.25)


class Process:
    """A link to one that answers."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def ask(self, question, value=None, within_s=0.0):
        self.asked.append((question, value))
        if question not in self.answers:
            raise UnavailableError("no answer")
        return self.answers[question], b""


@pytest.fixture
def state():
    found = SharedState(Engine(), Limits(sockets_of_key=3, sockets_of_address=2, uploads_of_key=1))
    found.joined("io-0", Process(metrics="zero 1\n", sockets=4, know=None, **{"end call": False}))
    found.joined("io-1", Process(metrics="one 1\n", sockets=5, know=None, **{"end call": True}))
    return found


def hold(state, name, number, what="sockets", key="k", address="a"):
    state.answer(name, "hold", [number, what, key, address])


def test_places_are_those_of_all_processes(state):
    hold(state, "io-0", 1)
    hold(state, "io-1", 1)
    with pytest.raises(TooManyError, match="your address"):
        hold(state, "io-0", 2)
    hold(state, "io-0", 3, address="b")
    with pytest.raises(TooManyError, match="this key"):
        hold(state, "io-1", 4, address="c")
    state.free("io-1", 1)
    state.free("io-1", 1)
    hold(state, "io-1", 5)
    hold(state, "io-1", 6, "uploads")
    with pytest.raises(TooManyError):
        hold(state, "io-0", 7, "uploads")


def test_places_of_a_process_that_is_gone_are_free(state):
    first = state._links["io-0"]
    hold(state, "io-0", 1)
    hold(state, "io-0", 2)
    state.left("io-0", first)
    state.left("io-0", first)
    hold(state, "io-1", 1)
    hold(state, "io-1", 2)
    state.joined("io-0", Process())
    with pytest.raises(TooManyError):
        hold(state, "io-0", 1)


def test_the_end_of_one_that_was_replaced_takes_nothing_from_its_successor(state):
    before = state._links["io-0"]
    state.joined("io-0", Process())
    hold(state, "io-0", 1)
    state.left("io-0", before)
    hold(state, "io-1", 1)
    with pytest.raises(TooManyError):
        hold(state, "io-1", 2)


def test_all_are_asked_and_one_that_does_not_answer_is_left_out(state):
    state.joined("io-2", Process())
    assert state.answer("io-0", "all sockets", None) == {"io-0": 4, "io-1": 5}
    told = state.answer("io-0", "all metrics", None)
    assert set(told) == {"engine", "io-0", "io-1"}
    assert "parakeet_active_streams" in told["engine"]
    assert ("metrics", 0.25) in state._links["io-1"].asked


def test_keys_are_told_to_all_and_kept_for_those_who_begin(state):
    state.answer("io-0", "share", ["key"])
    assert ("know", ["key"]) in state._links["io-1"].asked
    assert state.answer("io-1", "secrets", None) == [["key"]]


def test_a_call_is_ended_by_the_one_that_has_it(state):
    assert state.answer("io-0", "end call", ["rtc_1", "k"])
    assert state._links["io-0"].asked == []
    assert not state.answer("io-1", "end call", ["rtc_1", "k"])


def test_other_questions(state):
    with pytest.raises(UsageError):
        state.answer("io-0", "what", None)
