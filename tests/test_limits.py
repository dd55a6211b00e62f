import numpy as np
import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import check_number, check_whole


@pytest.mark.parametrize("value", [0, 0.5, 10, np.float32(2.5), np.int64(3)])
def test_a_number_in_its_range(value):
    assert check_number("x_s", value, 0, 10, "seconds") == value


@pytest.mark.parametrize("value", [-0.1, 10.1, 1e300, float("inf"), -float("inf"), float("nan")])
def test_a_number_out_of_its_range(value):
    with pytest.raises(OptionError, match=r"x_s .*; use 0 to 10 seconds"):
        check_number("x_s", value, 0, 10, "seconds")


@pytest.mark.parametrize("value", ["5", None, True, [1], 1j, b"1"])
def test_what_is_no_number(value):
    with pytest.raises(OptionError, match="x_s must be a number, not"):
        check_number("x_s", value, 0, 10)
    with pytest.raises(OptionError, match="x_s must be a number of seconds, not"):
        check_number("x_s", value, 0, 10, "seconds")


@pytest.mark.parametrize("value", [1, 10, np.int32(4)])
def test_a_whole_number_in_its_range(value):
    assert check_whole("x", value, 1, 10) == value


@pytest.mark.parametrize("value", [0, 11, -(2**70), 2**64, 10**4_000])
def test_a_whole_number_out_of_its_range(value):
    with pytest.raises(OptionError, match=r"x .*; use 1 to 10"):
        check_whole("x", value, 1, 10)
    with pytest.raises(OptionError, match=r"x .*; use 1 to 10"):
        check_number("x", value, 1, 10)


@pytest.mark.parametrize("value", [1.0, "3", None, True, float("nan")])
def test_what_is_no_whole_number(value):
    with pytest.raises(OptionError, match="x must be a whole number, not"):
        check_whole("x", value, 1, 10)


def test_a_message_is_short_whatever_was_given():
    with pytest.raises(OptionError) as raised:
        check_whole("x", "y" * 10_000, 1, 10)
    assert len(str(raised.value)) < 120
