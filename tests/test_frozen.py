"""What is made quickly is what it would be, made slowly."""

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest

from parakeet_streaming.frozen import made_quickly


@dataclass(frozen=True, slots=True)
class Slow:
    """A value."""

    text: str
    start: float
    tokens: tuple[int, ...] = ()
    timing: float | None = field(default=None, compare=False)


@made_quickly
@dataclass(frozen=True, slots=True)
class Quick:
    """A value."""

    text: str
    start: float
    tokens: tuple[int, ...] = ()
    timing: float | None = field(default=None, compare=False)


@pytest.mark.parametrize(
    ("args", "keywords"),
    [
        (("a", 1.0), {}),
        (("a",), {"start": 1.0, "timing": 2.0}),
        ((), {"start": 1.0, "text": "a"}),
        (("a", 1.0, (3,), 2.0), {}),
    ],
)
def test_it_has_the_same_fields(args, keywords):
    slow, quick = Slow(*args, **keywords), Quick(*args, **keywords)
    for each in fields(slow):
        assert getattr(quick, each.name) == getattr(slow, each.name)
    assert repr(quick) == repr(slow).replace("Slow", "Quick")


def test_it_is_a_frozen_value():
    quick = Quick("a", 1.0)
    with pytest.raises(FrozenInstanceError):
        quick.text = "b"
    assert not hasattr(quick, "__dict__")
    assert quick == Quick("a", 1.0, timing=5.0) != Quick("a", 2.0)
    assert hash(quick) == hash(Quick("a", 1.0, timing=5.0))
    assert replace(quick, start=3.0) == Quick("a", 3.0)
    assert copy.deepcopy(quick) == pickle.loads(pickle.dumps(quick)) == quick


@pytest.mark.parametrize("args", [(), ("a",), ("a", 1.0, (), 2.0, 3)])
def test_what_is_wrong_is_refused_as_before(args):
    with pytest.raises(TypeError):
        Slow(*args)
    with pytest.raises(TypeError):
        Quick(*args)


def test_it_shows_what_it_takes():
    assert inspect.signature(Quick) == inspect.signature(Slow)


def test_what_does_more_when_it_is_made_is_refused():
    @dataclass(frozen=True, slots=True)
    class Checks:
        text: str

        def __post_init__(self):
            assert self.text

    @dataclass(frozen=True, slots=True)
    class Makes:
        tokens: list[int] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Hides:
        text: str = field(default="", init=False)

    for each in (Checks, Makes, Hides):
        with pytest.raises(TypeError, match=each.__name__):
            made_quickly(each)
