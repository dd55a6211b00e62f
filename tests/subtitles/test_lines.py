"""Units stand on as few lines as they can, about equally long, broken where it reads well."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.subtitles.lines import lines_needed, lines_of, width
from parakeet_streaming.subtitles.options import SubtitleOptions
from parakeet_streaming.subtitles.units import Unit, columns


def units(text):
    return [Unit(word, 0.0, 1.0, True) for word in text.split()]


def broken(text, **options):
    lines = lines_of(units(text), SubtitleOptions(**options))
    return [" ".join(unit.text for unit in line) for line in lines]


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (["Text should stay on one line if it fits."], "Netflix: one line unless it is too long"),
        (
            ["Well, I always knew", "that you would eventually agree with me."],
            "Netflix's own example: before a conjunction",
        ),
        (
            ["It took more than a few months,", "but it went on for years and years."],
            "Netflix: after a mark",
        ),
        (
            ["He said to Mary Smith that the old house", "on the hill was going to be sold"],
            "Netflix: before a preposition",
        ),
        (
            ["We are aiming to get a better", "television service for everybody."],
            "BBC 3.4: not in the middle of a phrase",
        ),
    ],
)
def test_lines_of_the_guides(lines, rule):
    assert broken(" ".join(lines)) == lines, rule


def test_no_word_is_left_alone():
    text = "Nobody understands extraordinarily complicated rules"
    assert width(units(text)) > 42
    assert min(len(line.split()) for line in broken(text)) > 1


def test_three_lines_and_one():
    text = "one two three four five six seven eight nine ten eleven twelve"
    assert len(broken(text, lines=3, line_characters=24)) == 3
    assert len(broken(text, lines=1, line_characters=80)) == 1


@given(
    st.lists(
        st.text("abc漢,. ", min_size=1, max_size=14).filter(str.strip), min_size=1, max_size=30
    ),
    st.integers(10, 60),
)
def test_no_line_is_too_long_unless_a_word_is(words, most):
    options = SubtitleOptions(line_characters=most)
    given = [Unit(word.strip(), 0.0, 1.0, at % 3 > 0) for at, word in enumerate(words)]
    lines = lines_of(given, options)
    assert [unit for line in lines for unit in line] == given
    assert len(lines) == lines_needed(given, options)
    for line in lines:
        assert width(line) <= most or len(line) == 1
        assert width(line) == columns(
            "".join((" " if unit.space and at else "") + unit.text for at, unit in enumerate(line))
        )
