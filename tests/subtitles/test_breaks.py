"""Lines end where the guides say.

N is Netflix's Timed Text Style Guide, General Requirements, "Line Treatment"; B is the BBC's
Subtitle Guidelines 1.2.3, 3.4 "Break at natural points".
"""

import pytest

from parakeet_streaming.subtitles.breaks import ANYWHERE, cost_between


@pytest.mark.parametrize(
    ("before", "after", "guide"),
    [
        ("home.", "He", "N: after punctuation; B: after a sentence"),
        ('"home."', "He", "N: after punctuation"),
        ("months,", "but", "N: after punctuation"),
        ("said:", "Go", "N: after punctuation"),
        ("—", "said", "N: after punctuation"),
        ("knew", "that", "N: before conjunctions; B: between clauses"),
        ("stayed", "because", "N: before conjunctions"),
        ("house", "on", "N: before prepositions"),
        ("agree", "with,", "N: before prepositions"),
    ],
)
def test_good_places(before, after, guide):
    assert cost_between(before, after) < ANYWHERE, guide


@pytest.mark.parametrize(
    ("before", "after", "guide"),
    [
        ("the", "house", "N: a noun from an article; B: article and noun"),
        ("A", "house", "N: a noun from an article"),
        ("Mary", "Smith", "N: a first name from a last name; B: title and name"),
        ("Mr.", "Smith", "B: title and name"),
        ("we", "went", "N: a verb from a subject pronoun; B: pronoun and verb"),
        ("have", "been", "N: a verb from an auxiliary; B: parts of a complex verb"),
        ("not", "gone", "N: a verb from a negation"),
        ("on", "me", "B: preposition and following phrase"),
        ("and", "left", "B: conjunction and following phrase"),
        ("25", "cents", "a number from what it counts"),
        ("$5", "million", "a number from what it counts"),
    ],
)
def test_bad_places(before, after, guide):
    assert cost_between(before, after) > ANYWHERE, guide


def test_any_other_place():
    assert cost_between("old", "house") == cost_between("maison", "blanche") == ANYWHERE
    assert cost_between("I", "think") > ANYWHERE
    assert cost_between("今日", "は") == ANYWHERE
