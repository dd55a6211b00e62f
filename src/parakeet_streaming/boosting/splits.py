"""A vocabulary and texts in; each text as token ids, in one or several splits, out.

An exported model has its pieces and no tokenizer. Rules of this file:

1. The usual split is that of byte-pair encoding: of all neighbours that make a piece together,
   those with the lowest id are joined first, which is the order in which they were learned. For
   models with such a tokenizer (NVIDIA's Parakeets, the built-in one) it is the tokenizer's own.
2. Other splits are those of BPE dropout: each join is passed over with a probability. They are
   drawn from the text alone, so they are the same everywhere. One that begins with nothing but the
   space is left out: with it, every word would be made likelier.
3. A text begins where a word does: its first piece has the space before it.
4. What no piece writes is written in bytes, where the vocabulary has them.
5. Where joins do not lead to pieces, the longest piece is taken, from left to right.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final, Protocol

_DROPOUT: Final = 0.3
"""Of a join; NeMo's own."""

Tokens = tuple[int, ...]
_Drop = Callable[[], bool]


class WrittenPieces(Protocol):
    """A vocabulary, as far as texts are split by it.

    One with byte pieces also has `bytes_of`: a token id to its bytes, None for other pieces.
    """

    @property
    def size(self) -> int:
        """How many pieces there are; token ids are below it."""
        ...

    def text_of(self, token_id: int) -> str:
        """Text of a piece, with a leading space where it starts a word; none of one that has no
        text of its own.
        """
        ...


class Splitter:
    """Splits texts into the pieces of one vocabulary."""

    def __init__(self, pieces: WrittenPieces) -> None:
        bytes_of: Callable[[int], bytes | None] = getattr(pieces, "bytes_of", lambda _: None)
        self.width = pieces.size + 1
        """Token ids, the blank's included, are below it."""
        self._ids: dict[str, int] = {}
        self._bytes: dict[int, int] = {}
        for token_id in range(pieces.size):
            raw = bytes_of(token_id)
            if raw is not None:
                if len(raw) == 1:
                    self._bytes.setdefault(raw[0], token_id)
            elif text := pieces.text_of(token_id):
                self._ids.setdefault(text, token_id)
        self._space = self._ids.get(" ", -1)
        self._longest = max(map(len, self._ids), default=0)
        # Where no piece reaches over a space, words can be split one by one.
        self._by_words = not any(" " in text.strip(" ") for text in self._ids)

    def splits(self, text: str, others: int = 0) -> tuple[Tokens, ...]:
        """A text's usual split, then at most so many others; none where it cannot be written.

        Args:
            text: with a leading space where it is to begin a word.
            others: how many more to draw.
        """
        for form in dict.fromkeys((text, unicodedata.normalize("NFKC", text))):
            usual = self._split(form, _never)
            if usual is not None:
                break
        else:
            return ()
        found = {usual: None}
        # A text's own numbers: the same splits in every process and on every machine.
        draw = random.Random(form).random
        for _ in range(others):
            other = self._split(form, lambda: draw() < _DROPOUT)
            if other is not None and (other[0] != self._space or usual[0] == self._space):
                found[other] = None
        return tuple(found)

    def unwritable(self, text: str) -> str:
        """Characters of a text that no piece has, in any split."""
        return "".join(
            dict.fromkeys(each for each in text if self._written(each) is None and each != " ")
        )

    def _split(self, text: str, drop: _Drop) -> Tokens | None:
        tokens: list[int] = []
        for word in _words(text) if self._by_words else [text]:
            split = self._joined(word, drop)
            if split is None:
                split = self._longest_first(word)
            if split is None:
                return None
            tokens += split
        return tuple(tokens)

    def _joined(self, text: str, drop: _Drop) -> list[int] | None:
        symbols = list(text)
        ids = self._ids
        while len(symbols) > 1:
            best, at = -1, -1
            for place in range(len(symbols) - 1):
                joined = ids.get(symbols[place] + symbols[place + 1], -1)
                if joined >= 0 and (best < 0 or joined < best) and not drop():
                    best, at = joined, place
            if at < 0:
                break
            symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]
        found: list[int] = []
        for symbol in symbols:
            written = self._written(symbol)
            if written is None:
                return None
            found += written
        return found

    def _longest_first(self, text: str) -> list[int] | None:
        found: list[int] = []
        at = 0
        while at < len(text):
            for end in range(min(len(text), at + self._longest), at, -1):
                if (token_id := self._ids.get(text[at:end])) is not None:
                    found.append(token_id)
                    break
            else:
                end = at + 1
                written = self._written(text[at])
                if written is None:
                    return None
                found += written
            at = end
        return found

    def _written(self, symbol: str) -> Sequence[int] | None:
        """The piece of a symbol, or its bytes; None where the vocabulary has neither."""
        if (token_id := self._ids.get(symbol)) is not None:
            return (token_id,)
        raw = [self._bytes.get(byte, -1) for byte in symbol.encode()]
        return None if -1 in raw else raw


def _never() -> bool:
    return False


def _words(text: str) -> list[str]:
    """The words of a text, each with the space before it."""
    first, *rest = text.split(" ")
    words = [f" {word}" for word in rest]
    return [first, *words] if first else words
