"""Parts follow one another as long as nothing but a space or a hyphen is between them."""

from parakeet_streaming.writing.parts_of_words import PartsOfWords
from parakeet_streaming.writing.words_ahead import Piece
from tests.writing.spelling import ahead


def parts_of(text):
    parts, found = PartsOfWords(ahead(text)), []
    while (part := parts(len(found))) is not None:
        found.append(part)
    return parts, found


def test_hyphens_join_and_marks_end():
    assert parts_of("Twenty-five Men")[1] == ["twenty", "five", "men"]
    assert parts_of("(twenty five, six")[1] == ["twenty", "five"]
    assert parts_of("twenty (five")[1] == ["twenty"]
    assert parts_of("— five")[1] == []


def test_what_follows_a_mark_is_not_looked_at():
    words = ahead("twenty,", ended=False)
    parts = PartsOfWords(words)
    assert parts(1) is None
    assert not words.wanted_more


def test_pieces_are_of_whole_words_with_the_marks_around_them():
    parts, _ = parts_of("(twenty-five men)")
    assert parts.piece(0, 3, "x") == Piece(2, "(x)")
    assert parts.piece(0, 2, "25") == Piece(1, "(25")
    assert parts.piece(0, 1, "20") is None
    assert parts.piece(1, 2, "5") is None
    assert parts.words_to(2) == 1
    assert parts.words_to(1) is None
    assert parts.words_with(1) == 1
    assert parts.rest_of_word(1) == ("five",)
