"""Numbers are read as others read them (text2num), and the more difficult ones by a table."""

import pytest
import text_to_num
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.writing.number_words import (
    DIGITS,
    SCALES,
    TEENS,
    TENS,
    grouped,
    number_at,
    ordinal_of,
)

ONES = {value: word for word, value in {**DIGITS, **TEENS}.items()}
TENS_BY_VALUE = {value: word for word, value in TENS.items()}


def read(text, **choices):
    words = text.replace("-", " ").split()
    return number_at(lambda at: words[at] if at < len(words) else None, 0, **choices)


def said(value, *, use_and):
    """A whole number as people say it."""
    for word, size in sorted(SCALES.items(), key=lambda each: -each[1]):
        if value >= size:
            rest = value % size
            joined = " and " if use_and and 0 < rest < 100 else " "
            tail = f"{joined}{said(rest, use_and=use_and)}" if rest else ""
            return f"{said(value // size, use_and=use_and)} {word}{tail}"
    if value >= 100:
        rest = value % 100
        joined = " and " if use_and else " "
        tail = f"{joined}{said(rest, use_and=use_and)}" if rest else ""
        return f"{ONES[value // 100]} hundred{tail}"
    if value in ONES:
        return ONES[value]
    tens = TENS_BY_VALUE[value // 10 * 10]
    return tens if value % 10 == 0 else f"{tens} {ONES[value % 10]}"


@given(st.one_of(st.integers(0, 99_999), st.integers(0, 10**15 - 1)), st.booleans())
def test_whole_numbers_are_what_others_read(value, use_and):
    text = said(value, use_and=use_and)
    number = read(text)
    scale = SCALES.get(number.scale, 1)
    assert int(number.digits) * scale == value
    assert number.end == len(text.split())
    if value < SCALES["trillion"]:  # it knows none
        assert int(text_to_num.text2num(text, "en")) == value


@pytest.mark.parametrize(
    "text", ["three point one four", "twenty point five", "one hundred and two point zero seven"]
)
def test_decimals_are_what_others_read(text):
    assert float(read(text).digits) == float(text_to_num.alpha2digit(text, "en"))


@pytest.mark.parametrize(
    "text",
    ["twenty first", "one hundred and twelfth", "thirtieth", "ninety ninth", "two hundredth"],
)
def test_ordinals_are_what_others_read(text):
    number = read(text)
    assert number.kind == "ordinal"
    assert f"{number.digits}{ordinal_of(number.value)}" == text_to_num.alpha2digit(text, "en")


@pytest.mark.parametrize(
    ("text", "digits", "kind", "parts"),
    [
        ("nineteen eighty four", "1984", "year", 3),
        ("twenty twenty", "2020", "year", 2),
        ("twenty oh five", "2005", "year", 3),
        ("nineteen eighties", "1980s", "decade", 2),
        ("eighteen hundreds", "1800s", "decade", 2),
        ("nineteen hundred", "1900", "cardinal", 2),
        ("twelve hundred and fifty", "1250", "cardinal", 4),
        ("fourteen ninety two", "14", "cardinal", 1),
        ("twenty twenty thousand", "20", "cardinal", 1),
        ("five oh five", "505", "digits", 3),
        ("five five oh", "55", None, 0),
        ("one two three hundred", "1", "cardinal", 1),
        ("nine one one", "911", "digits", 3),
        ("two point five million", "2.5", "decimal", 4),
        ("three point oh one", "3.01", "decimal", 4),
        ("three point fourteen", "3.14", "decimal", 3),
        ("five point", "5", "cardinal", 1),
        ("a hundred and five", "105", "cardinal", 4),
        ("a thousand two hundred", "1200", "cardinal", 4),
        ("a hundred thousand", "100000", "cardinal", 3),
        ("a million", None, None, 0),
        ("a house", None, None, 0),
        ("two and three", "2", "cardinal", 1),
        ("hundred", None, None, 0),
        ("twenty hundred", "20", "cardinal", 1),
        ("five million", "5", "cardinal", 2),
        ("five million and three", "5000003", "cardinal", 4),
        ("two thousand nineteen hundred", "2000", "cardinal", 2),
        ("zero", "0", "cardinal", 1),
        ("house", None, None, 0),
    ],
)
def test_numbers(text, digits, kind, parts):
    number = read(text)
    if kind is None:
        assert number is None or number.kind == "cardinal"
        return
    assert (number.digits, number.kind, number.end) == (digits, kind, parts)


def test_a_year_of_any_century():
    assert read("fourteen ninety two", any_year=True).digits == "1492"
    assert read("ten sixty six", any_year=True).digits == "1066"
    assert read("forty fifty", any_year=True).digits == "40"


@pytest.mark.parametrize(
    ("value", "suffix"),
    [(1, "st"), (2, "nd"), (3, "rd"), (4, "th"), (11, "th"), (12, "th"), (13, "th"), (21, "st"),
     (111, "th"), (122, "nd")],
)  # fmt: skip
def test_ordinal_suffixes(value, suffix):
    assert ordinal_of(value) == suffix


def test_commas():
    assert grouped("9999", 10_000) == "9999"
    assert grouped("10000", 10_000) == "10,000"
    assert grouped("1234567.25", 1_000) == "1,234,567.25"
