import json

import pytest

pytest.importorskip("torch", reason="the export extra")

from parakeet_streaming.catalog.vocabulary import read_vocabulary
from parakeet_streaming.export.vocabulary_files import write_vocabulary
from parakeet_streaming.torch_model.pieces import Pieces

PIECES = Pieces(["<unk>", "<s>", "<0xC3>", "▁the", "\n", "\r\n", "<blk>"], [0], [1], [2], " ? ")


def test_types_stand_beside_the_names(tmp_path):
    write_vocabulary(PIECES, tmp_path)
    assert json.loads((tmp_path / "pieces.json").read_bytes()) == {
        "version": 1,
        "pieces": [*PIECES, "<blk>"],
        "blank": 7,
        "unknown": [0],
        "control": [1],
        "byte": [2],
        "unknown_text": " ? ",
    }


def test_every_piece_has_one_line(tmp_path):
    write_vocabulary(PIECES, tmp_path)
    lines = (tmp_path / "vocab.txt").read_bytes().split(b"\n")
    assert lines[3:] == ["▁the 3".encode(), b"\\n 4", b"\\r\\n 5", b"<blk> 6", b"<blk> 7", b""]
    assert read_vocabulary(tmp_path / "vocab.txt").size == 8


def test_of_names_alone_no_types_are_written(tmp_path):
    write_vocabulary(PIECES, tmp_path)
    write_vocabulary(["<unk>", "a"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["vocab.txt"]
    assert (tmp_path / "vocab.txt").read_bytes() == b"<unk> 0\na 1\n<blk> 2\n"
