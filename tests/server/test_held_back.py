"""The last word of an utterance that is about to end by its length is not told yet."""

import pytest

from parakeet_streaming.results import Token
from parakeet_streaming.server.held_back import sure_tokens


def tokens(*texts):
    return [
        Token(0, text, at, 1, at * 0.08, at * 0.08 + 0.08, 1.0) for at, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("lasts_s", "most_s", "sure"),
    [(None, 20.0, 4), (30.0, None, 4), (14.9, 20.0, 4), (15.0, 20.0, 2), (25.0, 20.0, 2)],
)
def test_only_near_the_longest_end_is_anything_held_back(lasts_s, most_s, sure):
    assert sure_tokens(tokens(" one", ",", " thi", "ng"), lasts_s, most_s) == sure


def test_a_first_word_is_held_back_whole():
    assert sure_tokens(tokens(" won", "der"), 19.0, 20.0) == 0
    assert sure_tokens([], 19.0, 20.0) == 0
