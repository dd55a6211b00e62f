"""A user's own spelling is read with bounds, and written with the marks that were spoken."""

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.writing import replacements
from parakeet_streaming.writing.replacements import (
    MOST_EXPRESSIONS,
    MOST_FILE_BYTES,
    MOST_PHRASE_CHARACTERS,
    MOST_PHRASE_WORDS,
    MOST_REPLACEMENTS,
    Replacement,
    ReplacementRule,
    read_replacements,
    replacements_of,
)
from parakeet_streaming.writing.words_ahead import MOST_AHEAD
from tests.writing.spelling import ahead, written_by

LIST = r"""
# names
kubernetes => Kubernetes
see sharp => C#
jay son => JSON
jay => J
/ro?ute (\d+)/ => Route \1
/[kc]atherine/ => Katherine
/ => slash
"""
RULE = ReplacementRule(replacements_of(LIST))


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("we run (KUBERNETES),", "we run (Kubernetes),"),
        ("see sharp.", "C#."),
        ("see, sharp", "see, sharp"),
        ("jay son and jay", "JSON and J"),
        ("Rute 66!", "Route 66!"),
        ("rute, 66", "rute, 66"),
        ("rute (66)", "rute (66)"),
        ("catherine", "Katherine"),
        ("catherines", "catherines"),
    ],
)
def test_table(spoken, written):
    assert written_by((RULE,), spoken) == written


def test_lines():
    assert replacements_of("\ufeffa b=>c\n\n#x\n/d/ => e => f\n") == (
        Replacement("a b", "c"),
        Replacement("d", "e => f", is_expression=True),
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a", "has no =>"),
        ("=> b", "what is spoken is ''"),
        ("a =>", "what is written is ''"),
        ("a => b\x1b[2J", "what is written"),
        ("a\u202e => b", "what is spoken"),
        ("a " * (MOST_PHRASE_WORDS + 1) + "=> b", "too long"),
        ("a => " + "b" * (MOST_PHRASE_CHARACTERS + 1), "too long"),
    ],
)
def test_lines_that_make_no_sense_are_named(line, why):
    with pytest.raises(OptionError, match=f"line 2: .*{why}"):
        replacements_of(f"x => y\n{line}")


def test_there_is_an_end_to_lists():
    some = [Replacement(str(number), "x") for number in range(MOST_REPLACEMENTS)]
    assert ReplacementRule(some).match(ahead("5")) is not None
    with pytest.raises(OptionError, match=f"there may be {MOST_REPLACEMENTS}"):
        ReplacementRule([*some, Replacement("x", "y")])
    with pytest.raises(OptionError, match=f"and {MOST_EXPRESSIONS}"):
        ReplacementRule([Replacement("x", "y", is_expression=True)] * (MOST_EXPRESSIONS + 1))
    with pytest.raises(OptionError, match="too long"):
        ReplacementRule([Replacement("x " * 20, "y")])
    assert MOST_PHRASE_WORDS <= MOST_AHEAD


def test_files(tmp_path, monkeypatch):
    path = tmp_path / "own.txt"
    path.write_text("a => b\n", encoding="utf-8")
    assert read_replacements(path) == (Replacement("a", "b"),)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(OptionError, match=r"own\.txt: it is no text in UTF-8"):
        read_replacements(path)
    path.write_text("a", encoding="utf-8")
    with pytest.raises(OptionError, match=r"own\.txt: line 1: 'a' has no =>"):
        read_replacements(path)
    with pytest.raises(OptionError, match="cannot be read: No such file"):
        read_replacements(tmp_path / "none")
    monkeypatch.setattr(replacements, "MOST_FILE_BYTES", 4)
    path.write_text("a => b", encoding="utf-8")
    with pytest.raises(OptionError, match="more than 4 bytes"):
        read_replacements(path)
    assert MOST_FILE_BYTES == 1 << 20


def test_a_replacement_that_says_nothing_is_none():
    rule = ReplacementRule([Replacement("(x)?y", r"\1", is_expression=True)])
    assert written_by((rule,), "y xy") == "y x"


def test_an_expression_waits_for_its_words():
    words = ahead("route", ended=False)
    assert RULE.match(words) is None
    assert words.wanted_more
