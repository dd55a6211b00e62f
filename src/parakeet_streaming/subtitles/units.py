"""Words and their tokens in; units of subtitles, which are never divided, out.

Rules of this file:

1. A word of a script without spaces between words is a whole sentence: it is cut between tokens,
   or between characters where there are no tokens. As long as a line has room, none begins with
   what belongs to the one before it: a closing mark, or a part of a character. Other words are cut
   only where they do not fit into a cue.
2. A wide character, as of Chinese, takes two columns of a line, a mark on another none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from parakeet_streaming.results import Segment, Token, Word
from parakeet_streaming.subtitles.options import TRADE, SubtitleOptions

MOST_IN_A_UNIT: Final = 400
"""Characters, those without a width among them: letters have a few marks at most."""

_UNSPACED: Final = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u3190-\ua4cf\uf900-\ufaff"
    "\uff01-\uff9f\U00020000-\U0003ffff]"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Chinese and Japanese; Korean has spaces."""
_OPENING: Final = frozenset({"Ps", "Pi"})
_CLOSING: Final = frozenset({"Pe", "Pf", "Mn", "Mc", "Me"})
_STAYS_WITH: Final = frozenset(
    "、。，．！？：；｡､･・ーゝゞ々〜～…‥ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ,.!?:;%ๆฯ"
)


@dataclass(frozen=True, slots=True)
class Unit:
    """What is never divided: a word, or a part of one in a script without spaces."""

    text: str
    start: float
    end: float
    space: bool
    """Whether a space is before it, unless it begins a line."""
    ends_segment: bool = False


def units_of(
    segments: Iterable[Segment], tokens: Sequence[Token], options: SubtitleOptions = TRADE
) -> Iterator[Unit]:
    """The units of a transcript's segments; `tokens` are those of all its words."""
    at = 0
    for segment in segments:
        for number, word in enumerate(segment.words):
            own, at = _tokens_of(word, tokens, at)
            *units, last = units_of_word(word, own, options)
            yield from units
            yield replace(last, ends_segment=number == len(segment.words) - 1)


def units_of_word(
    word: Word,
    tokens: Sequence[Token],
    options: SubtitleOptions = TRADE,
    *,
    continues: bool = False,
) -> list[Unit]:
    """The units of one word, at least one; `continues`: whether it is the rest of a longer word."""
    space = not continues
    if not continues and not is_divided(word.text, options):
        return [Unit(word.text, word.start, word.end, space)]
    parts: list[_Part] = []
    owner = -1
    for character, token, start, end in _timed_characters(word, tokens):
        within = token == owner
        if not (parts and parts[-1].takes(character, end, same_token=within)):
            parts.append(_Part(character, start, end, options, within_token=within))
        owner = token
    return [part.unit(space=space and part is parts[0]) for part in parts]


class _Part:
    """A unit that is still being made."""

    def __init__(
        self,
        character: str,
        start: float,
        end: float,
        options: SubtitleOptions,
        *,
        within_token: bool,
    ) -> None:
        """Begins with a character; a part that begins within a token ends with it at the latest.

        So parts and tokens end together again, and text is sure before a word without end is.
        """
        self._within_token = within_token
        self._most = options.line_characters
        self._characters = [character]
        self._columns = columns(character)
        self._start, self._end = start, end

    def takes(self, character: str, end: float, *, same_token: bool) -> bool:
        """Takes a character if it belongs to this part and a line has room for both."""
        wider = self._columns + columns(character)
        full = wider > self._most or len(self._characters) >= MOST_IN_A_UNIT
        full = full or (self._within_token and not same_token)
        if full or not _stays(self._characters[-1], character, same_token):
            return False
        self._characters.append(character)
        self._columns, self._end = wider, max(self._end, end)
        return True

    def unit(self, *, space: bool) -> Unit:
        """What it has become."""
        text = "".join(self._characters)
        return Unit(text.strip() or text, self._start, self._end, space)


def is_divided(text: str, options: SubtitleOptions = TRADE) -> bool:
    """Whether a word is cut into several units: it has no spaces, or does not fit into a cue."""
    if _UNSPACED.search(text) is not None or len(text) > MOST_IN_A_UNIT:
        return True
    return columns(text) > options.cue_characters


def columns(text: str) -> int:
    """How wide a text is; wide characters take two columns, marks on others none."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def _stays(before: str, character: str, same_token: bool) -> bool:
    """Whether no line should begin with `character` after the one `before` it."""
    if character.isspace() or character in _STAYS_WITH:
        return True
    if unicodedata.category(character) in _CLOSING or unicodedata.category(before) in _OPENING:
        return True
    return same_token or (_is_plain(before) and _is_plain(character))


def _is_plain(character: str) -> bool:
    return character.isalnum() and _UNSPACED.match(character) is None


def _tokens_of(word: Word, tokens: Sequence[Token], at: int) -> tuple[Sequence[Token], int]:
    """The tokens of a word that begins at token `at`, and where the next word begins."""
    wanted, found, end = _unspaced(word.text), "", at
    while end < len(tokens) and len(found) < len(wanted):
        found += _unspaced(tokens[end].text)
        end += 1
    return (tokens[at:end], end) if found == wanted else ((), at)


def _timed_characters(
    word: Word, tokens: Sequence[Token]
) -> Iterator[tuple[str, int, float, float]]:
    """Each character of a word with the number of its token and its times."""
    spans = [(each.text.strip(), each.start, each.end) for each in tokens]
    if "".join(_unspaced(text) for text, _, _ in spans) != _unspaced(word.text):
        spans = [
            (word.text[at], *_share(word.start, word.end, at, len(word.text)))
            for at in range(len(word.text))
        ]
    for number, (text, start, end) in enumerate(spans):
        for at, character in enumerate(text):
            yield (character, number, *_share(start, end, at, len(text)))


def _share(start: float, end: float, at: int, count: int) -> tuple[float, float]:
    """The times of one of `count` equal parts."""
    part = (end - start) / count
    return start + at * part, start + (at + 1) * part


def _unspaced(text: str) -> str:
    return "".join(text.split())
