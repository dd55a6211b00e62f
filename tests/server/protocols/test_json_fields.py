import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.protocols.fields import object_of
from parakeet_streaming.server.protocols.json_fields import MOST_TEXT, Fields
from parakeet_streaming.server.replies import WrongRequestError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ASKED = {
    "inner": lambda fields: fields.inner("x"),
    "text": lambda fields: fields.text("x"),
    "long_text": lambda fields: fields.long_text("x"),
    "choice": lambda fields: fields.choice("x", ("a", "b")),
    "number": lambda fields: fields.number("x", 0, 5, 1),
    "whole": lambda fields: fields.whole("x", (1, 2), 1),
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
    assert inner.path("b") == "a.b"
    assert fields.number("n", 0, 5, 1) == 2.5
    assert fields.whole("w", (1, 2), 1) == 2
    assert fields.texts("t") == ("x", "y")
    assert "a" in fields
    assert fields.is_null("n") is False
    assert Fields({"n": None}).is_null("n")


def test_texts_are_cut():
    assert len(Fields({"x": "y" * 10_000}).text("x")) == MOST_TEXT
    assert len(Fields({"x": ["y"] * 10_000}).texts("x")) < 1_000


@pytest.mark.parametrize("value", [math.nan, math.inf, True, -1, 6, "1", 10**400])
def test_numbers_out_of_range(value):
    with pytest.raises(WrongRequestError, match="x is"):
        Fields({"x": value}).number("x", 0, 5, 1)


@pytest.mark.parametrize("text", ["", "[]", "1", "{", "[" * 100_000, '{"a":' + "1" * 5_000 + "}"])
def test_what_is_no_object(text):
    with pytest.raises(WrongRequestError):
        object_of(text)
    with pytest.raises(WrongRequestError):
        object_of(text.encode())


def test_bytes_that_are_no_text():
    with pytest.raises(WrongRequestError):
        object_of(b'{"a": "\xff"}')


@given(st.dictionaries(st.text(), VALUES.filter(lambda value: value == value)))
def test_an_object_is_read(values):
    assert json.dumps(object_of(json.dumps(values))) == json.dumps(values)
