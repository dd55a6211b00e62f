"""The longest phrase that begins at a word is found, whatever its case and the marks around it."""

import pytest

from parakeet_streaming.writing.phrases import Phrases
from tests.writing.spelling import ahead

PHRASES = Phrases(
    [("new york", 1), ("New York City", 2), ("york", 3), ("st. louis", 4), ("yahoo!", 5), ("&", 6)]
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("new york", (2, 1)),
        ("NEW YORK city.", (3, 2)),
        ("(New York) city", (2, 1)),
        ("new, york", None),
        ("new (york)", None),
        ("york", (1, 3)),
        ("St. Louis,", (2, 4)),
        ("St Louis", None),
        ("Yahoo", (1, 5)),
        ("newer york", None),
        ("new", None),
    ],
)
def test_phrases(text, found):
    assert PHRASES.at(ahead(text)) == found


def test_the_last_of_two_that_are_alike_counts():
    phrases = Phrases([("a b", 1), ("A B", 2)])
    assert len(phrases) == 1
    assert phrases.at(ahead("a b")) == (2, 2)


def test_a_phrase_that_may_still_come_waits():
    words = ahead("new york", ended=False)
    assert PHRASES.at(words) is None
    assert words.wanted_more
    words = ahead("new yorker", ended=False)
    assert PHRASES.at(words) is None
    assert not words.wanted_more
