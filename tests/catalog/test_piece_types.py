"""What a `pieces.json` may say, and what it may not."""

import json

import pytest

from parakeet_streaming.catalog.piece_types import PieceTypes, read_typed_pieces
from parakeet_streaming.errors import ModelFormatError

TOLD = {
    "version": 1,
    "pieces": ["<unk>", "<s>", "<0xC3>", "▁the", "\n", "<blk>", "<0xE2><0x82>"],
    "blank": 5,
    "unknown": [0],
    "control": [1],
    "byte": [2, 6],
    "unknown_text": " ? ",
}


def written(path, **changes):
    told = {key: value for key, value in (TOLD | changes).items() if value is not ...}
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pieces.json"


def test_what_it_says(path):
    told = read_typed_pieces(written(path, note="for people"))
    assert told.pieces == tuple(TOLD["pieces"])
    assert told.blank_id == 5
    types = PieceTypes(frozenset({0}), frozenset({1}), frozenset({2, 6}), " ? ")
    assert told.types == types


def test_what_may_be_left_out(path):
    told = read_typed_pieces(
        written(path, **dict.fromkeys(["unknown", "control", "byte", "unknown_text"], ...))
    )
    assert told.types == PieceTypes(frozenset(), frozenset(), frozenset(), " ⁇ ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "version 2; this program reads 1"),
        ({"version": ...}, "version None"),
        ({"pieces": ...}, "list of texts"),
        ({"pieces": []}, "list of texts"),
        ({"pieces": [1]}, "list of texts"),
        ({"pieces": ["\ud800"]}, "list of texts"),
        ({"blank": ...}, "blank must be an id"),
        ({"blank": True}, "blank must be an id"),
        ({"blank": 7}, "from 0 to 6"),
        ({"control": [-1]}, "from 0 to 6"),
        ({"control": {}}, "control must be a list of ids"),
        ({"byte": [2.0]}, "byte must be a list of ids"),
        ({"unknown": [1]}, "no id may have two types"),
        ({"unknown": [5]}, "no id may have two types"),
        ({"byte": [3]}, "piece 3 is no byte"),
        ({"unknown_text": 3}, "unknown_text must be a text"),
        ({"unknown_text": "\udfff"}, "unknown_text must be a text"),
    ],
)
def test_what_cannot_be_is_refused(path, changes, said):
    with pytest.raises(ModelFormatError, match=said):
        read_typed_pieces(written(path, **changes))


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_no_object_of_json(path, data):
    path.write_bytes(data)
    with pytest.raises(ModelFormatError, match=r"pieces\.json (is no JSON|holds no JSON object)"):
        read_typed_pieces(path)


def test_a_file_that_was_not_fetched(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ModelFormatError, match="git lfs pull"):
        read_typed_pieces(path)


def test_by_name():
    pieces = ("<unk>", "<s>", "<pad>", "<|en|>", "<0x41>", "▁<s>", "<0x4>", "a")
    types = PieceTypes.by_name(pieces)
    assert (types.unknown, types.control, types.bytes_) == ({0}, {1, 2, 3}, {4})


@pytest.mark.parametrize(
    "changes",
    [
        {"pieces": ["a" * 4_097, *TOLD["pieces"][1:]]},
        {"unknown_text": "?" * 1_000_000},
        {"pieces": ["a"] * (2**20 + 1)},
    ],
    ids=["a piece", "unknown_text", "pieces"],
)
def test_more_than_any_vocabulary_has(path, changes):
    with pytest.raises(ModelFormatError, match=r"the number of .* is \d+; 1 to \d+ is possible"):
        read_typed_pieces(written(path, **changes))


@pytest.mark.parametrize("changes", [{"version": [[["x" * 9_999]] * 999]}, {"byte": [3]}])
def test_messages_are_short(path, changes):
    long = {"pieces": [*TOLD["pieces"][:3], "a" * 4_000, *TOLD["pieces"][4:]]}
    with pytest.raises(ModelFormatError) as raised:
        read_typed_pieces(written(path, **long, **changes))
    assert len(str(raised.value)) < 500
