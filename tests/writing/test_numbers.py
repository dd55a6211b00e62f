"""Whatever is said is written without an error, and nothing but numbers changes."""

import re

from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.writing.dates import BEFORE_A_YEAR, MONTHS
from parakeet_streaming.writing.number_words import ALL_WORDS
from parakeet_streaming.writing.numbers import NumberRule
from parakeet_streaming.writing.rules import write
from tests.writing.spelling import written_by

SAID = sorted(
    {*ALL_WORDS, *MONTHS, *BEFORE_A_YEAR, "and", "a", "point", "oh", "at", "of", "to", "percent"}
    | {"dollars", "cents", "p.m.", "o'clock", "the", "pounds", "pence", "sterling", "m", "house"}
)  # fmt: skip
MARKED = st.builds(
    lambda words, before, after: before + "-".join(words) + after,
    st.lists(st.sampled_from(SAID), min_size=1, max_size=3),
    st.sampled_from(["", "", "", "(", "“"]),
    st.sampled_from(["", "", "", "", ",", ".", "?", ")"]),
)


@given(st.lists(st.one_of(MARKED, st.text(min_size=1, max_size=8).filter(str.strip)), max_size=30))
def test_anything_can_be_said(words):
    words = [word for text in words for word in text.split()]
    pieces = list(write(words, (NumberRule(),), ended=True))
    assert sum(piece.words for piece in pieces) == len(words)
    assert all(piece.words > 0 for piece in pieces)
    assert all(piece.text is None or piece.text.strip() for piece in pieces)


@given(st.lists(MARKED, max_size=20))
def test_what_is_sure_stays_so_whatever_follows(words):
    rules = (NumberRule(),)
    whole = list(write(words, rules, ended=True))
    for count in range(len(words) + 1):
        sure = list(write(words[:count], rules, ended=False))
        assert sure == whole[: len(sure)]


@given(st.text(max_size=60))
def test_what_is_no_number_stays(text):
    if not re.search("|".join(ALL_WORDS), text.lower()):
        assert written_by((NumberRule(),), text) == " ".join(text.split())
