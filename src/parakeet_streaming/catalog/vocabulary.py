"""A file of `piece id` lines in; pieces by id and the text each adds to a transcript out.

Rules of this file:

1. A `pieces.json` beside the file decides: which piece is the blank, and which are unknown, control
   or byte pieces. Without it their names say so.
2. Text is what the tokenizer itself would write. A piece named `<…>` that is neither unknown nor
   bytes adds nothing, whatever its type: it is a sign to programs, such as `<EOU>` or `<|en|>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.file_reading import (
    exists,
    read_bytes,
    reading,
)
from parakeet_streaming.catalog.limits import (
    MOST_PIECE_CHARACTERS,
    MOST_PIECES,
    refuse_beyond,
    whole_number,
)
from parakeet_streaming.catalog.piece_types import PieceTypes, read_typed_pieces
from parakeet_streaming.errors import ModelFormatError

WORD_START: Final = "\u2581"
"""How a piece marks a space, most often before a word that starts with it."""
PIECES_NAME: Final = "pieces.json"
"""The file with the types of pieces, beside the one that lists them."""

_REST_OF_A_LINE_END: Final = re.compile(r" \d+")

_SPECIAL: Final = re.compile(rf"{WORD_START}?<[^<>\s]+>")
_BLANKS: Final = ("<blk>", "<blank>")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The pieces a decoder can emit, blank included."""

    pieces: tuple[str, ...] = field(repr=False)
    """As they stand in the file, by id."""
    blank_id: int
    types: PieceTypes = field(default=None, repr=False)  # type: ignore[assignment]
    """By the names of the pieces where nothing else says it."""

    def __post_init__(self) -> None:
        if self.types is None:
            object.__setattr__(self, "types", PieceTypes.by_name(self.pieces))

    @property
    def size(self) -> int:
        """V: pieces, blank included."""
        return len(self.pieces)

    def text_of(self, token_id: int) -> str:
        """What a token adds to the transcript, a leading space included where a word starts.

        Of a byte piece, what it adds alone: nothing, where it is a part of a character.
        """
        if token_id == self.blank_id or token_id in self.types.control:
            return ""
        if token_id in self.types.unknown:
            return self.types.unknown_text
        raw = self.bytes_of(token_id)
        if raw is not None:
            return raw.decode("utf-8", "ignore")
        if _SPECIAL.fullmatch(self.pieces[token_id]):
            return ""
        return self.pieces[token_id].replace(WORD_START, " ")

    def bytes_of(self, token_id: int) -> bytes | None:
        """The bytes of a byte piece, which become characters with those around it; else None."""
        if token_id not in self.types.bytes_:
            return None
        return bytes.fromhex(self.pieces[token_id].replace("<0x", "").replace(">", ""))


def read_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary in a `vocab.txt` or `tokens.txt`: one `piece id` per line, ids in any order.

    Raises:
        ModelPartMissingError, FileAccessError: no such file, or one that may not be read.
        ModelFormatError: not text in UTF-8, a line without an id, an id twice or left out; or a
            `pieces.json` that is broken or of another model; more or longer pieces than any has.
    """
    content = read_bytes(path)
    with reading(path, "is no UTF-8 text"):
        text = content.decode("utf-8-sig")
    pieces: dict[int, str] = {}
    for number, line in _lines(text):
        piece, token_id = _parse(path, number, line)
        if token_id in pieces:
            raise ModelFormatError(f"{path}, line {number}: id {token_id} stands there twice")
        refuse_beyond(f"{path}, line {number}: its id", token_id, MOST_PIECES - 1, least=0)
        pieces[token_id] = piece
    for token_id in range(len(pieces)):
        if token_id not in pieces:
            raise ModelFormatError(
                f"{path} has {len(pieces)} lines but none for id {token_id}; fetch it again"
            )
    ordered = tuple(pieces[token_id] for token_id in range(len(pieces)))
    typed = path.with_name(PIECES_NAME)
    if exists(typed):
        told = read_typed_pieces(typed)
        _check_alike(told.pieces, typed, ordered, path)
        return Vocabulary(told.pieces, told.blank_id, told.types)
    return Vocabulary(ordered, _blank_of(ordered))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines and their numbers, without blank ones at the end.

    A piece that is a line's end takes two lines, the first of which is empty: they come as one.
    """
    # Not splitlines(): a piece may be one of the rarer line separators of Unicode.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    broken = False
    for number, line in enumerate(lines, start=1):
        following = lines[number : number + 1]
        if not line and following and _REST_OF_A_LINE_END.fullmatch(following[0]):
            broken = True
            continue
        yield number, f"\n{line}" if broken else line
        broken = False


def _parse(path: Path, number: int, line: str) -> tuple[str, int]:
    piece, separator, digits = line.rpartition(" ")
    if not separator or not piece or not (digits.isascii() and digits.isdecimal()):
        raise ModelFormatError(
            f"{path}, line {number}: expected a piece, a space and its id; fetch it again"
        )
    refuse_beyond(
        f"{path}, line {number}: the number of characters of its piece",
        len(piece),
        MOST_PIECE_CHARACTERS,
    )
    return piece, whole_number(digits)


def _blank_of(pieces: tuple[str, ...]) -> int:
    """The id of the piece that is named as the blank; of several, the last."""
    named = [token_id for token_id, piece in enumerate(pieces) if piece in _BLANKS]
    return named[-1] if named else len(pieces) - 1


def _check_alike(typed: Sequence[str], typed_in: Path, listed: Sequence[str], path: Path) -> None:
    """Refuses pieces of two files that are not of one model.

    A piece with a line's end has it in a line as two letters.
    """
    pairs = zip(typed, listed, strict=len(typed) == len(listed))
    if len(typed) != len(listed) or any(
        line not in (piece, piece.replace("\n", "\\n").replace("\r", "\\r"))
        for piece, line in pairs
    ):
        raise ModelFormatError(
            f"{typed_in} and {path.name} have different pieces; they are not of one model: fetch "
            "both from the same place"
        )
