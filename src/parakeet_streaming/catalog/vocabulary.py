"""A file of `piece id` lines in; pieces by id and the text each adds to a transcript out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError

WORD_START: Final = "\u2581"
"""How a piece marks that a word starts with it."""

_BLANKS: Final = ("<blk>", "<blank>")
_UNKNOWN: Final = "<unk>"
# NVIDIA's tokenizer (SentencePiece) writes this for the unknown piece; text must be equal to its.
_UNKNOWN_TEXT: Final = " \u2047 "
# Control pieces, and raw bytes of a byte-fallback vocabulary: a byte alone is no text.
_SILENT: Final = re.compile(r"<\|.*\|>|<pad>|<s>|</s>|<bos>|<eos>|<mask>|<0x[0-9A-Fa-f]{2}>")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The pieces a decoder can emit, blank included."""

    pieces: tuple[str, ...] = field(repr=False)
    """As they stand in the file, by id."""
    blank_id: int

    @property
    def size(self) -> int:
        """V: pieces, blank included."""
        return len(self.pieces)

    def text_of(self, token_id: int) -> str:
        """What a token adds to the transcript, a leading space included where a word starts."""
        piece = self.pieces[token_id]
        if piece == _UNKNOWN:
            return _UNKNOWN_TEXT
        if token_id == self.blank_id or _SILENT.fullmatch(piece):
            return ""
        return piece.replace(WORD_START, " ")


def read_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary in a `vocab.txt` or `tokens.txt`: one `piece id` per line, ids in any order.

    Raises:
        ModelPartMissingError: no such file.
        ModelFormatError: not text in UTF-8, a line without an id, an id twice or left out.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ModelPartMissingError(f"{path} is missing; fetch the model again") from error
    except UnicodeDecodeError as error:
        raise ModelFormatError(f"{path} is no UTF-8 text; fetch it again ({error})") from error
    pieces: dict[int, str] = {}
    # Not splitlines(): a piece may be one of the rarer line separators of Unicode.
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        piece, token_id = _parse(path, number, line.removesuffix("\r"))
        if token_id in pieces:
            raise ModelFormatError(f"{path}, line {number}: id {token_id} stands there twice")
        pieces[token_id] = piece
    for token_id in range(len(pieces)):
        if token_id not in pieces:
            raise ModelFormatError(
                f"{path} has {len(pieces)} lines but none for id {token_id}; fetch it again"
            )
    ordered = tuple(pieces[token_id] for token_id in range(len(pieces)))
    return Vocabulary(ordered, _blank_of(ordered))


def _parse(path: Path, number: int, line: str) -> tuple[str, int]:
    piece, separator, digits = line.rpartition(" ")
    if not separator or not piece or not (digits.isascii() and digits.isdecimal()):
        raise ModelFormatError(
            f"{path}, line {number}: expected a piece, a space and its id, found {line!r}"
        )
    return piece, int(digits)


def _blank_of(pieces: tuple[str, ...]) -> int:
    for name in _BLANKS:
        if name in pieces:
            return pieces.index(name)
    return len(pieces) - 1
