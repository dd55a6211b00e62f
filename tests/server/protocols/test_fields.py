"""Fields of messages and queries are of the wanted type, or named."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.protocols.fields import MOST_TEXT, Fields, object_of, shown
from parakeet_streaming.server.replies import WrongRequestError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ASKED = {
    "inner": lambda fields: fields.inner("x"),
    "text": lambda fields: fields.text("x"),
    "short_text": lambda fields: fields.short_text("x"),
    "choice": lambda fields: fields.choice("x", ("a", "b")),
    "number": lambda fields: fields.number("x", 0, 5),
    "whole": lambda fields: fields.whole("x", 1, 2),
    "flag": lambda fields: fields.flag("x"),
    "texts": lambda fields: fields.texts("x"),
}


def mistake_of(asked, fields):
    try:
        asked(fields)
    except WrongRequestError as error:
        return error
    return None


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
@given(value=VALUES)
def test_a_wrong_value_is_named_shortly_and_nothing_else_is_raised(asked, value):
    fields = Fields({"x": value}, "session")
    mistake = mistake_of(asked, fields)
    assert mistake is None or (mistake.field == "session.x" and len(str(mistake)) < 200)


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_null_is_as_if_the_field_were_not_there(asked):
    assert asked(Fields({"x": None})) == asked(Fields({}))


def test_the_values():
    fields = Fields({"a": {"b": "x"}, "n": 2.5, "w": 2.0, "t": ["x", "y"]})
    inner = fields.inner("a")
    assert inner.text("b") == "x"
    assert inner.choice("b", ("x", "y")) == "x"
    assert inner.path("b") == "a.b"
    assert fields.number("n", 0, 5) == 2.5
    assert fields.whole("w", 1, 2) == 2
    assert fields.texts("t") == ("x", "y")
    assert "a" in fields
    assert "b" not in fields


@pytest.mark.parametrize("fields", [{"x": "8e3"}, {"x": 8_000}, {"x": 8_000.0}])
def test_numbers_come_as_numbers_and_as_texts(fields):
    assert Fields(fields).number("x", 0, 1e4) == 8_000
    assert Fields(fields).whole("x", 0, 10_000) == 8_000


@pytest.mark.parametrize(
    "value", ["y", "", "nan", "inf", "9" * 5_000, math.nan, 10**400, -1, 10, True, [], {}, "0x5"]
)
def test_what_is_no_number_within_bounds_is_named(value):
    with pytest.raises(WrongRequestError, match=r"x is .*; use a number from 0 to 9") as wrong:
        Fields({"x": value}).number("x", 0, 9)
    assert wrong.value.field == "x"
    assert len(str(wrong.value)) < 150


def test_a_number_that_is_not_whole():
    with pytest.raises(WrongRequestError, match=r"x is 2.5; use a whole number"):
        Fields({"x": 2.5}).whole("x", 0, 9)


def test_flags():
    for yes in (True, "1", "True", "yes", "on", 1):
        assert Fields({"x": yes}).flag("x") is True
    for no in (False, "0", "false", "no", "off", 0):
        assert Fields({"x": no}).flag("x") is False
    for wrong in ("maybe", 2, [], 0.5):
        with pytest.raises(WrongRequestError, match="true or false"):
            Fields({"x": wrong}).flag("x")


def test_texts_are_cut_where_they_are_kept():
    assert len(Fields({"x": "y" * 10_000}).text("x")) == 10_000
    assert len(Fields({"x": "y" * 10_000}).short_text("x")) == MOST_TEXT
    assert len(Fields({"x": ["y"] * 10_000}).texts("x")) < 1_000


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "3", "null", "{", "[" * 100_000, '{"a":' + "1" * 5_000 + "}"]
)
def test_what_is_no_object_is_refused(text):
    for each in (text, text.encode()):
        with pytest.raises(WrongRequestError, match="this message is no JSON"):
            object_of(each)


def test_bytes_that_are_no_text():
    with pytest.raises(WrongRequestError):
        object_of(b'{"a": "\xff"}')


@given(st.dictionaries(st.text(), VALUES.filter(lambda value: value == value)))
def test_an_object_is_read(values):
    assert json.dumps(object_of(json.dumps(values))) == json.dumps(values)


@given(VALUES)
def test_what_is_shown_is_short(value):
    assert len(shown(value)) < 100
