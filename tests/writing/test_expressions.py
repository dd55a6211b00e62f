"""Expressions of users cost linear time, and what is wrong with one is said."""

import sys

import pytest

from parakeet_streaming.errors import ExtraMissingError, OptionError
from parakeet_streaming.writing.expressions import MOST_WORD_CHARACTERS, Expression


def test_words_fit_one_by_one():
    each = Expression(r"ro?ute (\d+)", r"Route \1")
    assert each.words == 2
    assert each.fits(0, "Rute")
    assert each.fits(1, "66")
    assert not each.fits(1, "66a")
    assert each.written(["route", "66"]) == "Route 66"
    assert each.written(["route", "x"]) is None


def test_groups():
    assert Expression(r"(a)(b)?", r"\2\1\\1").written(["a"]) == "a\\1"
    assert Expression(r"a", r"\q\0").written(["a"]) == "\\qa"
    with pytest.raises(OptionError, match="names group 2"):
        Expression(r"(a)", r"\2")


@pytest.mark.parametrize(
    "pattern",
    ["(a", "a)", "(?=a)", r"(a)\1", "a{1000}{1000}", "(a b)", "[a b]", "(((a{100}){100}){100})"],
)
def test_what_is_no_expression_is_refused(pattern):
    with pytest.raises(OptionError, match="is no expression for RE2"):
        Expression(pattern, "x")


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*)(.*)(.*)(.*)(.*)b", "(a?){50}a{50}"]
)
def test_expressions_that_are_slow_elsewhere(pattern):
    """Python's own `re` needs longer than a life for some of these."""
    each = Expression(pattern, "x")
    for _ in range(200):
        assert not each.fits(0, "a" * (MOST_WORD_CHARACTERS - 1) + "c")


def test_words_that_are_no_text_or_too_long_do_not_fit():
    each = Expression(".*", "x")
    assert not each.fits(0, "\ud800")
    assert not each.fits(0, "a" * (MOST_WORD_CHARACTERS + 1))
    assert each.fits(0, "é" * MOST_WORD_CHARACTERS)
    with pytest.raises(OptionError):
        Expression("\ud800", "x")


def test_without_re2(monkeypatch):
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(ExtraMissingError, match=r"parakeet-streaming\[text\]"):
        Expression("a", "b")
