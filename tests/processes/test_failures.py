import pytest

from parakeet_streaming.errors import CapacityError, ComputeError, EngineFailedError, OptionError
from parakeet_streaming.processes.failures import engine_gone, error_of, told_of
from parakeet_streaming.server.replies import TooManyError, WrongRequestError


class OwnError(OptionError):
    """Of some file's own."""


@pytest.mark.parametrize("error", [CapacityError("no room"), TooManyError("x"), OptionError("")])
def test_errors_of_ours_come_back(error):
    back = error_of(told_of(error))
    assert type(back) is type(error)
    assert str(back) == str(error)


def test_a_special_error_comes_back_as_what_a_caller_knows():
    back = error_of(told_of(OwnError("that one")))
    assert (type(back), str(back)) == (OptionError, "that one")


def test_errors_with_more_than_a_message():
    assert isinstance(error_of(told_of(WrongRequestError("wrong", "field"))), WrongRequestError)


def test_any_other_error_is_a_failed_computation():
    back = error_of(told_of(MemoryError("no memory")))
    assert isinstance(back, ComputeError)
    assert "MemoryError: no memory" in str(back)


def test_no_error_is_none():
    assert error_of(told_of(None)) is None


@pytest.mark.parametrize("told", [[], ["CapacityError"], [1, 2, 3]])
def test_whatever_is_told_is_an_error(told):
    assert isinstance(error_of(told), Exception)


def test_an_engine_that_is_gone_is_told_by_name():
    assert isinstance(engine_gone(), EngineFailedError)
