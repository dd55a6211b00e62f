"""Texts as pieces: the usual split, others, and what cannot be written."""

import pytest

from parakeet_streaming.boosting.splits import Splitter
from parakeet_streaming.catalog.piece_types import PieceTypes
from parakeet_streaming.catalog.vocabulary import Vocabulary
from parakeet_streaming.testing import FakePieces

PIECES = ("<unk>", "▁t", "he", "▁the", "in", "re", "▁", "t", "h", "e", "i", "n", "r", "<blk>")


def splitter(pieces=PIECES, types=None):
    return Splitter(Vocabulary(pieces, len(pieces) - 1, types or PieceTypes.by_name(pieces)))


def names(tokens, pieces=PIECES):
    return [pieces[token] for token in tokens]


@pytest.mark.parametrize(
    ("text", "split"),
    [
        (" the", ["▁the"]),
        (" there", ["▁the", "re"]),
        (" the the", ["▁the", "▁the"]),
        (" inner", ["▁", "in", "n", "e", "r"]),
        ("he", ["he"]),
        ("he t", ["he", "▁t"]),
    ],
)
def test_neighbours_with_the_lowest_id_are_joined_first(text, split):
    (tokens,) = splitter().splits(text)
    assert names(tokens) == split


def test_other_splits_write_the_same_and_are_the_same_every_time():
    found = splitter().splits(" there inner", 8)
    assert len(found) > 2
    assert len(set(found)) == len(found)
    assert found[:1] == splitter().splits(" there inner")
    assert {"".join(names(each)) for each in found} == {"▁there▁inner"}
    assert found == splitter().splits(" there inner", 8)


def test_other_splits_do_not_begin_with_a_space_alone():
    assert all(names(each)[0] != "▁" for each in splitter().splits(" there", 8))
    assert len(splitter().splits(" inner", 8)) > 1


def test_letters_that_no_piece_has():
    assert splitter().splits(" thé") == ()
    assert splitter().unwritable(" théâ thé") == "éâ"


def test_wide_letters_are_written_as_plain_ones():
    assert splitter().splits(" ｔhe") == splitter().splits(" the")


def test_bytes_write_what_no_piece_does():
    pieces = (*PIECES[:-1], "<0xC3>", "<0xA9>", "<blk>")
    (tokens,) = splitter(pieces).splits(" thé")
    assert names(tokens, pieces)[-2:] == ["<0xC3>", "<0xA9>"]
    assert splitter(pieces).splits(" thü") == ()


def test_where_joins_do_not_lead_to_pieces_the_longest_are_taken():
    pieces = FakePieces(["hello", "hell", "+oween", "world"])
    assert Splitter(pieces).splits(" hello world") == ((0, 3),)
    assert Splitter(pieces).splits(" worlds") == ()


def test_pieces_of_several_words_are_found():
    (tokens,) = Splitter(FakePieces(["new", "york", "new york"])).splits(" new york")
    assert tokens == (2,)


def test_pieces_without_text_are_not_used():
    types = PieceTypes(frozenset({0}), frozenset({7}), frozenset())
    assert splitter(types=types).splits("t") == ()
