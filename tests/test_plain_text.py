"""What of a text reaches a terminal, a file and a message."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.plain_text import MOST_SHOWN, escaped, listed, readable, shown, visible

ORDERS = {
    "escape": ("\x1b[31m", "\\x1b[31m"),
    "title": ("\x1b]0;T\x07", "\\x1b]0;T\\x07"),
    "C1": ("\x9b31m", "\\x9b31m"),
    "a byte that is C1": ("\udc9b31m", "\\x9b31m"),
    "line": ("a\nparakeet: well", "a\\nparakeet: well"),
    "return": ("a\rb", "a\\rb"),
    "next line": ("a\x85b", "a\\x85b"),
    "separator": ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
    "override": ("a\u202egpj.wav", "a\\u202egpj.wav"),
    "isolate": ("\u2066a\u2069", "\\u2066a\\u2069"),
    "no width": ("a\u200bb\ufeff\u2060", "a\\u200bb\\ufeff\\u2060"),
    "a joiner that joins nothing": ("a\u200db", "a\\u200db"),
    "tag": ("a\U000e0041", "a\\U000e0041"),
    "nothing": ("a\x00b\x7f", "a\\x00b\\x7f"),
    "half a character": ("\ud800", "\\ud800"),
    "a filler": ("\u3164", "\\u3164"),
}


@pytest.mark.parametrize(("text", "line"), ORDERS.values(), ids=ORDERS)
def test_people_see_what_is_there(text, line):
    assert visible(text) == line


@pytest.mark.parametrize(
    "text",
    [
        "naïve Ł 漢字 😀",
        "می\u200cخواهم",
        "👨\u200d👩\u200d👧",
        "क्\u200dष",
        "[red]x[/red]",
        "tal\udcff",
    ],
)
def test_letters_stay(text):
    assert visible(text) == text


def test_bytes_of_a_name_are_read_as_utf_8():
    assert visible("\udcc5\udc82.wav") == "ł.wav"
    assert visible("\udcc2\udc9b31m") == "\\x9b31m"


@given(st.text())
def test_nothing_is_one_line_that_orders(text):
    for made in (visible(text), readable(text)):
        assert len(f"{made}.".splitlines()) == 1
        assert not any(unicodedata.category(each) in ("Cc", "Zl", "Zp") for each in made)
        assert not any(0x202A <= ord(each) <= 0x202E or each == "\u200b" for each in made)


@given(st.text())
def test_json_loses_nothing(text):
    safe = escaped(json.dumps({"a": text}, ensure_ascii=False, indent=1))
    assert json.loads(safe) == {"a": text}
    assert not any(unicodedata.category(each) == "Cc" for each in safe.replace("\n", ""))


def test_a_long_text_is_cut_in_the_middle():
    line = visible("a" * 10**6 + "z")
    assert line.endswith("az")
    assert "… 998001 characters …" in line
    assert len(line) < MOST_SHOWN + 100
    assert visible("b" * MOST_SHOWN) == "b" * MOST_SHOWN


def test_recognised_text_is_a_line_of_letters():
    assert readable(" one\n\n2\t\x1b]0;T\x07\u202etwo\u200b می\u200cخواهم") == (
        " one 2 ]0;Ttwo می\u200cخواهم"
    )


def doubled(times):
    value = ["laugh"]
    for _ in range(times):
        value = [value] * 10
    return value


def nested(times):
    value = []
    for _ in range(times):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        *(doubled(100), {"a": doubled(100)}, "x" * 10**6, b"x" * 10**6),
        *(10**100_000, -(10**9000), set(range(10**5)), nested(10_000)),
        {f"{at}": ["x" * 10_000] * 10_000 for at in range(1_000)},
    ],
    ids=range(9),
)
def test_a_value_of_any_size_is_few_words(value):
    assert len(shown(value)) < 400


@pytest.mark.parametrize("value", [None, True, 3, -7, 1.5, "a\x1b", ["a", 1], {"a": None}])
def test_a_small_value_is_written_as_it_is(value):
    assert shown(value) == repr(value)


def test_many_names_are_a_few():
    assert listed([]) == ""
    assert listed(["a", "b\n"]) == "a, b\\n"
    assert listed([str(each) for each in range(10**5)]).endswith("8, 9, and 99990 more")
    assert len(listed(["x" * 10**6])) < 200
