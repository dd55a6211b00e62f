import pytest

from parakeet_streaming.catalog.limits import MOST_PIECES, refuse_beyond, whole_number
from parakeet_streaming.errors import ModelFormatError


@pytest.mark.parametrize("value", [1, 5, 10])
def test_what_is_possible_passes(value):
    refuse_beyond("the number", value, 10)


@pytest.mark.parametrize("value", [0, -1, 11, -(2**63), 10**19])
def test_what_is_not_is_named_with_its_bounds(value):
    with pytest.raises(ModelFormatError, match=f"the number is {value}; 1 to 10 is possible"):
        refuse_beyond("the number", value, 10)


@pytest.mark.parametrize("value", [10**4_000, -(10**4_000), whole_number("9" * 100_000)])
def test_a_number_too_long_to_write_is_not_written(value):
    with pytest.raises(ModelFormatError, match="is a number of many digits; 0 to 10"):
        refuse_beyond("the number", value, 10, least=0)


@pytest.mark.parametrize("digits", ["0", "7", "8192", "0008192", str(MOST_PIECES)])
def test_digits_are_a_number(digits):
    assert whole_number(digits) == int(digits)
