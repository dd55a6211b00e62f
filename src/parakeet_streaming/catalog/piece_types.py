"""A `pieces.json` in; a model's pieces by id, its blank, and how pieces become text, out.

```
{"version": 1, "pieces": ["<unk>", "<s>", "<0xC3>", "▁the", "<blk>"],
 "blank": 4, "unknown": [0], "control": [1], "byte": [2], "unknown_text": " ⁇ "}
```

Rules of this file:

1. A piece is text, with ▁ for each space, unless its id stands in one of the three lists.
2. The file comes from outside: every value is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from parakeet_streaming.catalog.file_reading import (
    read_object,
)
from parakeet_streaming.catalog.limits import MOST_PIECE_CHARACTERS, MOST_PIECES, refuse_beyond
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.plain_text import shown

_VERSION: Final = 1
UNKNOWN_TEXT: Final = " \u2047 "
"""What SentencePiece writes for an unknown piece, unless it was trained to write something else."""

_UNKNOWN: Final = "<unk>"
_CONTROL: Final = re.compile(r"<\|.*\|>|<pad>|<s>|</s>|<bos>|<eos>|<mask>")
_BYTES: Final = re.compile(r"(?:<0x[0-9A-Fa-f]{2}>)+")


@dataclass(frozen=True, slots=True)
class PieceTypes:
    """How pieces become text that are not their own text; ids, the blank's in none of them."""

    unknown: frozenset[int]
    control: frozenset[int]
    """Pieces that add nothing."""
    bytes_: frozenset[int]
    """Pieces named `<0xHH>`, once or more often: bytes of characters in UTF-8."""
    unknown_text: str = UNKNOWN_TEXT
    """What an unknown piece adds."""

    @classmethod
    def by_name(cls, pieces: Sequence[str]) -> Self:
        """What the names of pieces say."""

        def ids(fits: Callable[[str], object]) -> frozenset[int]:
            return frozenset(index for index, piece in enumerate(pieces) if fits(piece))

        return cls(ids(_UNKNOWN.__eq__), ids(_CONTROL.fullmatch), ids(_BYTES.fullmatch))


@dataclass(frozen=True, slots=True)
class TypedPieces:
    """What a `pieces.json` says."""

    pieces: tuple[str, ...]
    blank_id: int
    types: PieceTypes


def read_typed_pieces(path: Path) -> TypedPieces:
    """The pieces in a file.

    Raises:
        ModelFormatError: no such JSON, another version, or values that cannot be.
    """
    told = read_object(path)
    if told.get("version") != _VERSION:
        raise ModelFormatError(
            f"{path} has version {shown(told.get('version'))}; this program reads {_VERSION}: "
            "take a newer one, or export the model again"
        )
    pieces = told.get("pieces")
    if not _is_list_of(pieces, str) or not pieces or not all(map(_is_whole, pieces)):
        raise _wrong(path, "pieces must be a list of texts")
    refuse_beyond(f"{path}: the number of its pieces", len(pieces), MOST_PIECES)
    unknown, control, bytes_ = (_ids(path, told, key) for key in ("unknown", "control", "byte"))
    blank, unknown_text = told.get("blank"), told.get("unknown_text", UNKNOWN_TEXT)
    if type(blank) is not int:
        raise _wrong(path, "blank must be an id")
    every = [blank, *unknown, *control, *bytes_]
    if not all(0 <= each < len(pieces) for each in every):
        raise _wrong(path, f"all ids must lie from 0 to {len(pieces) - 1}")
    if len(set(every)) != len(every):
        raise _wrong(path, "no id may have two types")
    if not isinstance(unknown_text, str) or not _is_whole(unknown_text):
        raise _wrong(path, "unknown_text must be a text")
    longest = max(map(len, (*pieces, unknown_text)))
    refuse_beyond(f"{path}: the number of characters of a piece", longest, MOST_PIECE_CHARACTERS)
    for token_id in bytes_:
        if not _BYTES.fullmatch(pieces[token_id]):
            raise _wrong(
                path, f"piece {token_id} is no byte as <0x41> is: {shown(pieces[token_id])}"
            )
    types = PieceTypes(frozenset(unknown), frozenset(control), frozenset(bytes_), unknown_text)
    return TypedPieces(tuple(pieces), blank, types)


def _wrong(path: Path, what: str) -> ModelFormatError:
    return ModelFormatError(f"{path}: {what}; export the model again")


def _ids(path: Path, told: Mapping[str, Any], key: str) -> list[int]:
    found: list[int] = told.get(key, [])
    if not _is_list_of(found, int):
        raise _wrong(path, f"{key} must be a list of ids")
    return found


def _is_list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(type(each) is kind for each in value)


def _is_whole(text: str) -> bool:
    """Whether a text has no half characters."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
