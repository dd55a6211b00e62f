"""Fields of messages and queries are of the wanted type, or named."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.protocols.fields import (
    flag_of,
    number_of,
    object_of,
    shown,
    text_of,
    whole_of,
)
from parakeet_streaming.server.replies import WrongRequestError

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def test_numbers_come_as_numbers_and_as_texts():
    assert number_of({"a": "8e3"}, "a", 0, 1e4) == 8_000
    assert whole_of({"a": 5.0}, "a", 0, 9) == 5
    assert whole_of({}, "a", 0, 9) is None
    assert number_of({"a": None}, "a", 0, 9) is None


@pytest.mark.parametrize(
    "value", ["x", "", "nan", "inf", "9" * 5_000, math.nan, 10**400, -1, 10, True, [], {}, "0x5"]
)
def test_what_is_no_number_within_bounds_is_named(value):
    with pytest.raises(WrongRequestError, match=r"a is .*; give a number from 0 to 9") as wrong:
        number_of({"a": value}, "a", 0, 9)
    assert wrong.value.field == "a"
    assert len(str(wrong.value)) < 150


def test_flags():
    for yes in (True, "1", "True", "yes", "on", 1):
        assert flag_of({"a": yes}, "a") is True
    for no in (False, "0", "false", "no", "off", 0):
        assert flag_of({"a": no}, "a") is False
    assert flag_of({}, "a") is None
    for wrong in ("maybe", 2, [], 0.5):
        with pytest.raises(WrongRequestError, match="true or false"):
            flag_of({"a": wrong}, "a")


@pytest.mark.parametrize("text", ["", "x", "[]", "3", "null", "[" * 100_000, b"\xff\xfe"])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(WrongRequestError, match="this message is no JSON"):
        object_of(text)


@given(st.dictionaries(st.sampled_from("abc"), ANYTHING))
def test_any_object_gives_values_or_errors_of_ours(fields):
    assert object_of(json.dumps(fields)).keys() == fields.keys()
    for read in (text_of, flag_of):
        for name in "abc":
            with contextlib.suppress(WrongRequestError):
                read(fields, name)


@given(ANYTHING)
def test_what_is_shown_is_short(value):
    assert len(shown(value)) < 300
