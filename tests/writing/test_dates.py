"""Dates are written as the Associated Press's stylebook has them ("months", "dates", "years").

AP: `Jan. 2, 2024` in news; here months are not shortened, since nobody said so.
"""

import pytest

from parakeet_streaming.writing.numbers import NumberRule
from tests.writing.spelling import ahead, written_by


@pytest.mark.parametrize(
    ("spoken", "expected", "source"),
    [
        ("May fifth", "May 5", "AP dates: cardinal numbers after a month"),
        ("June five.", "June 5.", "AP dates"),
        ("on May fifth, twenty twenty-four, we met", "on May 5, 2024, we met", "AP dates: commas"),
        ("May fifth twenty twenty four", "May 5, 2024", "AP dates: a comma before the year"),
        ("January twenty second two thousand seven", "January 22, 2007", "AP dates"),
        ("july twenty fifth two thousand twelve", "july 25, 2012", "NeMo: july 25 2012"),
        ("May twenty twenty four", "May 2024", "AP dates: no comma"),
        ("June nineteen eighty four", "June 1984", "AP dates"),
        ("the fifth of May", "the 5th of May", "ours: as it was said"),
        ("the fifth of may nineteen ninety nine", "the 5th of may 1999", "ours"),
        ("the twenty second of November,", "the 22nd of November,", "ours"),
        ("December the twenty fifth", "December the 25th", "ours: as it was said"),
        ("May the fourth", "May the 4th", "ours"),
        ("you may first want to", "you may first want to", "ours: a verb"),
        ("they march third", "they march third", "ours: a verb"),
        ("may fifth twenty twenty", "may 5, 2020", "ours: with a year it is no verb"),
        ("in May five percent of them", "in May 5% of them", "ours"),
        ("in May two hundred people", "in May 200 people", "ours"),
        ("May, twenty people", "May, 20 people", "ours: a mark ends it"),
        ("May", "May", "ours"),
        ("the fifth of them", "the fifth of them", "ours"),
        ("the fifth of May-ish", "the fifth of May-ish", "ours"),
        ("in fourteen ninety two", "in 1492", "AP years"),
        ("since nineteen oh five.", "since 1905.", "AP years"),
        ("in twenty minutes", "in 20 minutes", "ours"),
        ("in ten twenty dollar bills", "in 10 $20 bills", "ours"),
        ("before two thousand ten", "before 2010", "AP years"),
        ("in nineteen eighties", "in 1980s", "AP decades"),
        ("May thirty second", "May thirty second", "ours: no such day"),
        ("March twenty-first-century", "March 21st-century", "ours: no day"),
    ],
)  # fmt: skip
def test_table(spoken, expected, source):
    assert written_by((NumberRule(),), spoken) == expected, source


def test_day_and_year_are_words_of_their_own():
    written = NumberRule().match(ahead("May fifth twenty twenty four"))
    assert [(piece.words, piece.text) for piece in written.pieces] == [
        (1, None), (1, "5,"), (3, "2024"),
    ]  # fmt: skip


def test_a_month_waits_for_what_follows():
    words = ahead("May", ended=False)
    assert NumberRule().match(words) is None
    assert words.wanted_more
