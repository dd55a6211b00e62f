"""A tokenizer's file in; its pieces by id, and how each becomes text, out.

| file | written by |
|---|---|
| `tokenizer.model` | sentencepiece |
| `tokenizer.json` | tokenizers, the library under transformers |

Rules of this file:

1. Text is what the tokenizer itself would write; transformers is asked to leave special tokens out.
2. A way to text that `vocab.txt` and its types cannot hold is refused, not approximated.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Final, Self

from sentencepiece import SentencePieceProcessor

from parakeet_streaming.catalog.vocabulary import WORD_START
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.plain_text import shown, visible
from parakeet_streaming.torch_model.settings import Settings

UNKNOWN_TEXT: Final = " \u2047 "
"""What sentencepiece writes for an unknown piece, unless it was trained otherwise."""

_HALF: Final = re.compile("[\ud800-\udfff]")
_MOST_REASON: Final = 200
"""Characters of the library's own words."""
_BYTE: Final = re.compile(r"<0x[0-9A-Fa-f]{2}>")
# Steps that only join, or take a space away where the text begins.
_JOINING: Final = ("Fuse", "Strip")


class Pieces(tuple[str, ...]):
    """Pieces by id, without the blank, as sentencepiece names them: "▁" stands for a space.

    Byte pieces are one or more `<0xHH>`.
    """

    unknown: frozenset[int]
    control: frozenset[int]
    """Ids that add nothing to a text."""
    bytes_: frozenset[int]
    unknown_text: str

    def __new__(
        cls,
        pieces: Iterable[str],
        unknown: Collection[int] = (),
        control: Collection[int] = (),
        bytes_: Collection[int] = (),
        unknown_text: str = UNKNOWN_TEXT,
    ) -> Self:
        made = super().__new__(cls, pieces)
        made.unknown, made.control = frozenset(unknown), frozenset(control)
        made.bytes_, made.unknown_text = frozenset(bytes_), unknown_text
        return made


def pieces_of(model: bytes, origin: str) -> Pieces:
    """The pieces of a sentencepiece model.

    Raises:
        ModelFormatError: no sentencepiece model.
    """
    broken = f"{origin} is no sentencepiece model; fetch the model again"
    if not model:
        raise ModelFormatError(broken)
    try:
        return _typed(SentencePieceProcessor(model_proto=model))
    except Exception as error:  # of a library in C++, whatever the file makes it do
        raise ModelFormatError(f"{broken} ({visible(str(error), _MOST_REASON)})") from error


def _typed(tokenizer: SentencePieceProcessor) -> Pieces:
    every = range(tokenizer.get_piece_size())
    unknown = [index for index in every if tokenizer.is_unknown(index)]
    return Pieces(
        (tokenizer.id_to_piece(index) for index in every),
        unknown=unknown,
        control=[index for index in every if tokenizer.is_control(index)],
        bytes_=[index for index in every if tokenizer.is_byte(index)],
        unknown_text=tokenizer.decode(unknown[:1]) if unknown else UNKNOWN_TEXT,
    )


def pieces_of_json(tokenizer: Settings, blank_id: int) -> Pieces:
    """The pieces in a `tokenizer.json` with ids below the blank's.

    Raises:
        ModelFormatError: pieces are missing, or become text in a way that cannot be exported.
    """
    model, added = tokenizer.section("model"), _added(tokenizer)
    by_id = {**_listed(model), **{index: content for index, (content, _) in added.items()}}
    named = [by_id[index] for index in range(blank_id) if index in by_id]
    if len(named) < blank_id:
        raise ModelFormatError(
            f"{tokenizer.origin} has {len(named)} of the {blank_id} pieces before the blank; "
            "config.json and the tokenizer must be of one model"
        )
    for piece in named:
        if _HALF.search(piece):
            raise ModelFormatError(
                f"{tokenizer.origin}: the piece {shown(piece)} has half a character, which no text "
                "can hold; fetch the tokenizer again"
            )
    decoder = _Decoder(tokenizer)
    control = {index for index, (_, special) in added.items() if special and index < blank_id}
    unknown = set(_unknown(model, named)) - control
    written = [decoder.piece(each) for each in named]
    bytes_ = {index for index, (_, is_bytes) in enumerate(written) if is_bytes}
    return Pieces(
        (piece for piece, _ in written),
        unknown,
        control,
        bytes_ - control - unknown,
        # transformers writes it as it is named.
        unknown_text=named[min(unknown)] if unknown else UNKNOWN_TEXT,
    )


def _listed(model: Settings) -> dict[int, str]:
    """The pieces of the model: a mapping to ids, or pieces with scores in the order of ids."""
    vocabulary = model.value("vocab")
    if isinstance(vocabulary, Mapping):
        return {
            index: piece
            for piece, index in vocabulary.items()
            if isinstance(piece, str) and isinstance(index, int)
        }
    if not isinstance(vocabulary, list):
        return {}
    return {
        index: entry[0]
        for index, entry in enumerate(vocabulary)
        if isinstance(entry, list) and entry and isinstance(entry[0], str)
    }


def _added(tokenizer: Settings) -> dict[int, tuple[str, bool]]:
    """Added tokens by id, and whether they are special."""
    added = tokenizer.value("added_tokens")
    return {
        each["id"]: (each["content"], each.get("special") is True)
        for each in (added if isinstance(added, list) else [])
        if isinstance(each, Mapping)
        and isinstance(each.get("id"), int)
        and isinstance(each.get("content"), str)
    }


def _unknown(model: Settings, pieces: list[str]) -> list[int]:
    by_id, by_name = model.value("unk_id"), model.value("unk_token")
    return [index for index, piece in enumerate(pieces) if index == by_id or piece == by_name]


class _Decoder:
    """What the decoder of a `tokenizer.json` does to each piece."""

    def __init__(self, tokenizer: Settings) -> None:
        """Reads its steps.

        Raises:
            ModelFormatError: a step that is not known here.
        """
        self._spaces: list[str] = []
        self._byte_level = False
        self._byte_fallback = False
        for step in _steps(tokenizer):
            kind = step.value("type")
            if kind == "ByteFallback":
                self._byte_fallback = True
            elif kind == "ByteLevel":
                self._byte_level = True
            elif kind not in _JOINING:
                self._spaces.append(_space_in(step))

    def piece(self, named: str) -> tuple[str, bool]:
        """The piece with "▁" for spaces, and whether it is bytes."""
        if self._byte_fallback and _BYTE.fullmatch(named):
            return named, True
        for space in self._spaces:
            named = named.replace(space, " ")
        table = _byte_alphabet()
        if self._byte_level and all(letter in table for letter in named):
            return _from_bytes(bytes(table[letter] for letter in named))
        return _from_bytes(named.encode("utf-8", "surrogatepass"))


def _steps(tokenizer: Settings) -> list[Settings]:
    """The steps of the decoder; of none, those of every Parakeet."""
    decoder = tokenizer.section("decoder")
    inner = decoder.value("decoders") if decoder.value("type") == "Sequence" else None
    if isinstance(inner, list):
        return [Settings(each, decoder.origin, "decoder") for each in inner]
    return [decoder if "type" in decoder else Settings({"type": "Metaspace"}, decoder.origin)]


def _space_in(step: Settings) -> str:
    """The letters that a step replaces by a space."""
    kind = step.value("type")
    space = None
    if kind == "Metaspace":
        space = step.value("replacement", WORD_START)
    elif kind == "Replace" and step.value("content") == " ":
        space = step.section("pattern").value("String")
    if not isinstance(space, str) or not space:
        raise ModelFormatError(
            f"{step.origin}: a decoder {shown(kind)} makes text of pieces, and only Metaspace, "
            "ByteLevel, ByteFallback and a Replace by spaces can be exported; use a Parakeet TDT "
            "with its own tokenizer"
        )
    return space


def _from_bytes(raw: bytes) -> tuple[str, bool]:
    """A piece that adds these bytes to a text; byte by byte where letters cannot say it."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = WORD_START
    if WORD_START in text:  # would become a space
        return "".join(f"<0x{byte:02X}>" for byte in raw), True
    return text.replace(" ", WORD_START), False


@cache
def _byte_alphabet() -> dict[str, int]:
    """Letters to bytes: printable ones stand for themselves, the rest follows from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    letters = {chr(byte): byte for byte in printable}
    return letters | {chr(0x100 + at): byte for at, byte in enumerate(rest)}
