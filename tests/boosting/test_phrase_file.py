"""Files of phrases: what their lines mean, and what is said of those that are wrong."""

import pytest

from parakeet_streaming.boosting.phrase_file import phrases_in
from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.errors import OptionError


def test_one_phrase_a_line_with_a_weight_or_none():
    text = "\ufeff# people\r\nNguyen\n\n  new york \t-1\nKubernetes\t2.5\nC#\nPsalm 23:4\t\n"
    assert phrases_in(text, "names.txt") == (
        Phrase("Nguyen"),
        Phrase("new york", -1.0),
        Phrase("Kubernetes", 2.5),
        Phrase("C#"),
        Phrase("Psalm 23:4"),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("one\ntwo\tmuch", "names.txt, line 2: 'much' behind the tab is no weight"),
        ("one\n\n# \nfour\t9", "names.txt, line 4: the weight of the phrase 'four' 9.0"),
        ("x" * 101, "names.txt, line 1: the phrase"),
        ("# nothing\n", "names.txt has no phrases"),
        ("", "names.txt has no phrases"),
        ("\n".join(map(str, range(5_001))), "names.txt: more than 5,000 phrases"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text, says):
    with pytest.raises(OptionError, match=says):
        phrases_in(text, "names.txt")
