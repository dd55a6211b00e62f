import json

import pytest

from parakeet_streaming.cli.rows import (
    MOST_PAIRS,
    in_bytes,
    print_json,
    print_pairs,
    print_table,
)


def test_pairs_are_aligned_and_plain_in_a_pipe(capsys):
    print_pairs([("a", "1"), ("long key", "[2] " + "x" * 300), ("", "3")], title="Title")
    assert capsys.readouterr().out.splitlines() == [
        "Title",
        "  a         1",
        "  long key  [2] " + "x" * 300,
        "            3",
    ]


def test_no_pairs_at_all(capsys):
    print_pairs([])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("count", [MOST_PAIRS, MOST_PAIRS + 1, 100_000])
def test_a_list_is_no_longer_than_a_person_reads(capsys, count):
    print_pairs([(f"{number}", "x") for number in range(count)])
    *lines, last = capsys.readouterr().out.splitlines()
    if count == MOST_PAIRS:
        assert len(lines) + 1 == MOST_PAIRS
    else:
        assert len(lines) == MOST_PAIRS
        assert last == f"  and {count - MOST_PAIRS} more; --json has all of them"


def test_one_long_name_does_not_make_every_line_long(capsys):
    print_pairs([("k" * 100_000, "1"), *[("a", "2")] * 50])
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) < 120


def test_tables_are_aligned_without_trailing_spaces(capsys):
    print_table([("NAME", "SIZE"), ("tiny", ""), ("a", "1 MB")])
    assert capsys.readouterr().out == "NAME  SIZE\ntiny\na     1 MB\n"


def test_json_keeps_letters(capsys):
    print_json({"piece": "▁é", "nothing": None})
    out = capsys.readouterr().out
    assert "▁é" in out
    assert json.loads(out) == {"piece": "▁é", "nothing": None}


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (94_000, "94 kB"),
        (652_183_999, "652 MB"),
        (2_435_420_160, "2.44 GB"),
    ],
)
def test_sizes_in_words(size, words):
    assert in_bytes(size) == words


def test_words_of_a_model_are_no_orders(capsys):
    hostile = "a\x1b]0;T\x07\nb\x9b2J\u202e"
    print_pairs([(hostile, hostile), ("a", "b" * 10**6)], title=hostile)
    print_table([("NAME", "SIZE"), (hostile, "1")])
    print_json({hostile: hostile})
    out = capsys.readouterr().out
    assert not any(ord(each) < 32 and each != "\n" for each in out)
    assert not any(each in out for each in "\x9b\u202e")
    assert max(map(len, out.splitlines())) < 3000
    assert out.splitlines()[0] == r"a\x1b]0;T\x07\nb\x9b2J\u202e"
