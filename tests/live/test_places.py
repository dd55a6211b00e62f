"""Streams that were let in, and whether a model's device has room for one more."""

import logging

import pytest

from parakeet_streaming import ContextConfig
from parakeet_streaming.errors import CapacityError
from parakeet_streaming.live.places import Places

CACHED = (ContextConfig.parse("2-0.5-0.5"), True)
WHOLE = (ContextConfig.parse("2-0.5-0.5"), False)


class Model:
    """It has room for so many streams in all."""

    def __init__(self, room):
        self.room = room
        self.asked = []

    def places(self, kind, open_streams):
        self.asked.append((kind, dict(open_streams)))
        return None if self.room is None else self.room - sum(open_streams.values())


def enter(places, name, kind=CACHED, instead_of=None):
    places.check(kind, instead_of)
    places.take(name, kind, instead_of)


@pytest.mark.parametrize("model", [None, object(), Model(None)])
def test_a_model_that_sets_no_bound_refuses_nobody(model):
    places = Places(model)
    for number in range(50):
        enter(places, str(number))


def test_those_that_were_let_in_count_until_they_are_over():
    places = Places(model := Model(2))
    enter(places, "a")
    enter(places, "b", WHOLE)
    assert model.asked == [(CACHED, {}), (WHOLE, {CACHED: 1})]
    with pytest.raises(CapacityError, match=r"2 streams are open, and the memory.*try again later"):
        places.check(CACHED)
    places.leave("a")
    places.leave("a")
    enter(places, "c")
    assert model.asked[-1] == (CACHED, {WHOLE: 1})
    with pytest.raises(CapacityError):
        places.check(WHOLE)


def test_a_stream_may_give_its_place_to_another():
    places = Places(model := Model(1))
    enter(places, "a")
    asked = len(model.asked)
    enter(places, "b", instead_of="a")
    assert len(model.asked) == asked
    # The first one still goes on, and has no place any more.
    places.leave("a")
    with pytest.raises(CapacityError):
        places.check(CACHED)
    with pytest.raises(CapacityError):
        places.check(CACHED, "a")
    places.leave("b")
    enter(places, "c")


def test_a_place_of_another_kind_is_not_enough():
    places = Places(Model(1))
    enter(places, "a", WHOLE)
    with pytest.raises(CapacityError):
        places.check(CACHED, "a")
    with pytest.raises(CapacityError):
        places.check(WHOLE)
    places.check(WHOLE, "a")


@pytest.mark.parametrize("answer", ["many", RuntimeError("CUDA error"), object()])
def test_a_model_that_cannot_say_refuses_nobody_and_is_reported_once(caplog, answer):
    class Broken:
        def places(self, kind, open_streams):
            if isinstance(answer, Exception):
                raise answer
            return answer

    places = Places(Broken())
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            enter(places, str(number))
    assert caplog.text.count("nobody is refused for that") == 1
