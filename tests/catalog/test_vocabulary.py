import json
import os
from pathlib import Path

import pytest

from parakeet_streaming.catalog.vocabulary import Vocabulary, read_vocabulary
from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError
from tests.catalog.graphs import GOLDEN


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "vocab.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_reads_the_golden_vocabulary():
    vocabulary = read_vocabulary(GOLDEN / "vocab.txt")
    assert (vocabulary.size, vocabulary.blank_id) == (257, 256)
    assert vocabulary.pieces[:3] == ("<unk>", "▁t", "in")


@pytest.mark.parametrize(
    "text",
    ["▁a 0\nb 1\n<blk> 2\n", "<blk> 2\n▁a 0\nb 1", "\ufeff▁a 0\r\nb 1\r\n<blk> 2\r\n"],
    ids=["plain", "any order, no last line end", "byte order mark and CRLF"],
)
def test_order_and_line_ends_do_not_matter(tmp_path, text):
    assert read_vocabulary(written(tmp_path, text)) == Vocabulary(("▁a", "b", "<blk>"), 2)


def test_a_piece_may_hold_spaces_and_rare_line_separators(tmp_path):
    vocabulary = read_vocabulary(written(tmp_path, "a b 0\n  1\n\u2028 2\n\x85 3\n<blk> 4\n"))
    assert vocabulary.pieces == ("a b", " ", "\u2028", "\x85", "<blk>")


@pytest.mark.parametrize(
    ("text", "blank_id"),
    [
        ("<blk> 0\na 1\n", 0),
        ("<blank> 0\na 1\n", 0),
        ("a 0\nb 1\n", 1),
        ("a 0\n<blk> 1\nb 2\n<blk> 3\n", 3),
        ("<blank> 0\n<blk> 1\n", 1),
    ],
)
def test_blank_is_found_by_name_else_the_last(tmp_path, text, blank_id):
    assert read_vocabulary(written(tmp_path, text)).blank_id == blank_id


@pytest.mark.parametrize("end", ["\n\n", "\n\n\n\n", "\r\n\r\n", "\n\r\n"])
def test_blank_lines_at_the_end(tmp_path, end):
    assert read_vocabulary(written(tmp_path, f"▁a 0\n<blk> 1{end}")).pieces == ("▁a", "<blk>")


@pytest.mark.parametrize("end", ["\n", "\n\n", ""])
def test_a_piece_that_is_a_line_s_end_takes_two_lines(tmp_path, end):
    text = f"▁a 0\n\n 1\nb 2\n\n 3{end}"
    assert read_vocabulary(written(tmp_path, text)).pieces == ("▁a", "\n", "b", "\n")


def typed(tmp_path, text="a 0\n<pad> 1\n\\n 2\n<blk> 3\nb 4\n", **changes):
    """A vocabulary whose blank is not `<blk>`."""
    told = {"version": 1, "pieces": ["a", "<pad>", "\n", "<blk>", "b"], "blank": 4} | changes
    path = written(tmp_path, text)
    path.with_name("pieces.json").write_text(json.dumps(told), encoding="utf-8")
    return path


def test_types_beside_the_file_decide(tmp_path):
    vocabulary = read_vocabulary(typed(tmp_path, control=[0]))
    assert (vocabulary.size, vocabulary.blank_id) == (5, 4)
    texts = [vocabulary.text_of(token_id) for token_id in range(5)]
    # What stands in angle brackets is a sign to programs, whatever its type.
    assert texts == ["", "", "\n", "", ""]


@pytest.mark.parametrize(
    "text",
    ["a 0\n<pad> 1\n\\n 2\n<blk> 3\n", "b 0\n<pad> 1\n\\n 2\n<blk> 3\na 4\n"],
)
def test_types_of_another_model_are_refused(tmp_path, text):
    with pytest.raises(ModelFormatError, match=r"vocab\.txt have different pieces"):
        read_vocabulary(typed(tmp_path, text))


def test_bytes_of_a_piece():
    vocabulary = Vocabulary(("<0xE2>", "<0x41>", "<0xe2><0x82><0xAC>", "a", "<blk>"), 4)
    assert [vocabulary.bytes_of(each) for each in range(4)] == [b"\xe2", b"A", "€".encode(), None]
    assert [vocabulary.text_of(each) for each in range(4)] == ["", "A", "€", "a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a 0\nb\n", "line 2"),
        ("a 0\n 1\n", "line 2"),
        ("a 0\nb x\n", "line 2"),
        ("a 0\nb ²\n", "line 2"),
        ("a 0\n\nb 1\n", "line 2"),
        ("", "line 1"),
        ("a 0\nb 0\n", "line 2: id 0 stands there twice"),
        ("a 0\nb 2\n", "none for id 1"),
        (b"\xff\xfe 0\n", "UTF-8"),
    ],
)
def test_broken_files_are_refused_by_line(tmp_path, text, said):
    with pytest.raises(ModelFormatError, match=said):
        read_vocabulary(written(tmp_path, text))


def test_a_missing_file_is_a_missing_part(tmp_path):
    with pytest.raises(ModelPartMissingError, match=r"nothing\.txt"):
        read_vocabulary(tmp_path / "nothing.txt")


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        ("▁the", " the"),
        ("ing", "ing"),
        (".", "."),
        ("▁", " "),
        ("a▁b", "a b"),
        ("<unk>", " ⁇ "),
        ("<pad>", ""),
        ("<|nospeech|>", ""),
        ("<0xE2>", ""),
        ("<", "<"),
        ("<b>", ""),
    ],
)
def test_text_of_a_piece(piece, text):
    assert Vocabulary((piece, "<blk>"), 1).text_of(0) == text


def test_blank_has_no_text_even_under_another_name():
    assert Vocabulary(("a", "b"), 1).text_of(1) == ""


@pytest.mark.parametrize("digits", ["1048576", "9" * 20, "9" * 5_000, "9" * 1_000_000])
def test_an_id_that_no_vocabulary_has(tmp_path, digits):
    (tmp_path / "vocab.txt").write_text(f"a 0\nb {digits}\n")
    with pytest.raises(ModelFormatError, match=r"line 2: its id is .*; 0 to 1048575 is possible"):
        read_vocabulary(tmp_path / "vocab.txt")


def test_a_piece_longer_than_any(tmp_path):
    (tmp_path / "vocab.txt").write_text(f"{'a' * 4_097} 0\n")
    with pytest.raises(ModelFormatError, match="number of characters of its piece is 4097"):
        read_vocabulary(tmp_path / "vocab.txt")


def test_a_line_without_an_end_is_not_quoted_whole(tmp_path):
    (tmp_path / "vocab.txt").write_text("a" * 1_000_000)
    with pytest.raises(ModelFormatError, match="expected a piece") as raised:
        read_vocabulary(tmp_path / "vocab.txt")
    assert len(str(raised.value)) < 300


def test_a_vocabulary_of_gigabytes_is_not_read(tmp_path):
    with (tmp_path / "vocab.txt").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ModelFormatError, match=r"vocab\.txt is larger than"):
        read_vocabulary(tmp_path / "vocab.txt")


@pytest.mark.parametrize("name", ["vocab.txt", "pieces.json"])
def test_a_pipe_makes_nobody_wait(tmp_path, name):
    (tmp_path / "vocab.txt").write_text("a 0\n<blk> 1\n")
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(ModelFormatError, match="is a pipe"):
        read_vocabulary(tmp_path / "vocab.txt")


@pytest.mark.parametrize("line", ["root:x:0:0:root", "hush", "a -1", "a b c", "PASSWORD=hush"])
def test_a_line_that_is_none_is_not_quoted(tmp_path, line):
    (tmp_path / "vocab.txt").write_text(f"a 0\n{line}\n")
    with pytest.raises(ModelFormatError, match="line 2: expected a piece") as caught:
        read_vocabulary(tmp_path / "vocab.txt")
    assert line not in str(caught.value)
