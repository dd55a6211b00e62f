"""Words with times in; subtitle cues out, each as soon as it is sure.

Rules of this file:

1. A cue holds at most two lines of 42 columns and lasts at most 7 s; it breaks at the end of a
   sentence, at a pause of a second, or where it is full (the Netflix and BBC timed-text guides
   agree on these numbers). A wide character, as of Chinese, takes two columns.
2. Cues do not overlap, and none ends after the audio. No cue ends when it starts: it lasts at least
   0.1 s, for which it may begin later than its first word, or earlier at the end of the audio.
3. A word of a script without spaces between words is a whole sentence: it is cut between tokens,
   or between characters where there are no tokens. As long as a line has room, none begins with
   what belongs to the one before it: a closing mark, or a part of a character. Other words are cut
   only where they do not fit into a cue.
4. Cues that come one by one are those that come of the whole.
5. A unit of which nothing can be read makes no cue, and line ends in a unit no lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from parakeet_streaming.plain_text import readable
from parakeet_streaming.results import Segment, Token, Word

LINE_CHARACTERS: Final = 42
CUE_LINES: Final = 2
MOST_IN_A_UNIT: Final = 400
"""Characters, those without a width among them: letters have a few marks at most."""
CUE_S: Final = 7.0
SHORTEST_CUE_S: Final = 0.7
"""How long a cue stays where there is room."""
LEAST_CUE_S: Final = 0.1
"""How long a cue stays in any case."""
PAUSE_S: Final = 1.0

_UNSPACED: Final = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u3190-\ua4cf\uf900-\ufaff"
    "\uff01-\uff9f\U00020000-\U0003ffff]"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Chinese and Japanese; Korean has spaces."""
_SENTENCE_ENDS: Final = ("。", "！", "？", "｡", "។", "။")
_OPENING: Final = frozenset({"Ps", "Pi"})
_CLOSING: Final = frozenset({"Pe", "Pf", "Mn", "Mc", "Me"})
_STAYS_WITH: Final = frozenset(
    "、。，．！？：；｡､･・ーゝゞ々〜～…‥ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ,.!?:;%ๆฯ"
)


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle."""

    start: float
    end: float
    text: str
    """One or two lines."""
    speaker: str = ""
    """Who says it, where several are told apart."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What is never divided: a word, or a part of one in a script without spaces."""

    text: str
    start: float
    end: float
    space: bool
    """Whether a space is before it, unless it begins a line."""
    ends_segment: bool = False


def units_of(segments: Iterable[Segment], tokens: Sequence[Token]) -> Iterator[Unit]:
    """The units of a transcript's segments; `tokens` are those of all its words."""
    at = 0
    for segment in segments:
        for number, word in enumerate(segment.words):
            own, at = _tokens_of(word, tokens, at)
            *units, last = units_of_word(word, own)
            yield from units
            yield replace(last, ends_segment=number == len(segment.words) - 1)


def units_of_word(word: Word, tokens: Sequence[Token], *, continues: bool = False) -> list[Unit]:
    """The units of one word, at least one; `continues`: whether it is the rest of a longer word."""
    space = not continues
    if not continues and not is_divided(word.text):
        return [Unit(word.text, word.start, word.end, space)]
    parts: list[_Part] = []
    owner = -1
    for character, token, start, end in _timed_characters(word, tokens):
        within = token == owner
        if not (parts and parts[-1].takes(character, end, same_token=within)):
            parts.append(_Part(character, start, end, within_token=within))
        owner = token
    return [part.unit(space=space and part is parts[0]) for part in parts]


class _Part:
    """A unit that is still being made."""

    def __init__(self, character: str, start: float, end: float, *, within_token: bool) -> None:
        """Begins with a character; a part that begins within a token ends with it at the latest.

        So parts and tokens end together again, and text is sure before a word without end is.
        """
        self._within_token = within_token
        self._characters = [character]
        self._columns = columns(character)
        self._start, self._end = start, end

    def takes(self, character: str, end: float, *, same_token: bool) -> bool:
        """Takes a character if it belongs to this part and a line has room for both."""
        wider = self._columns + columns(character)
        full = wider > LINE_CHARACTERS or len(self._characters) >= MOST_IN_A_UNIT
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


def is_divided(text: str) -> bool:
    """Whether a word is cut into several units: it has no spaces, or does not fit into a cue."""
    if _UNSPACED.search(text) is not None or len(text) > MOST_IN_A_UNIT:
        return True
    return columns(text) > CUE_LINES * LINE_CHARACTERS


def columns(text: str) -> int:
    """How wide a text is; wide characters take two columns, marks on others none."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


class CueBuilder:
    """Makes cues of units that come one by one."""

    def __init__(self) -> None:
        self._group: list[Unit] = []
        self._ended = False
        self._held: Cue | None = None
        self._floor_s = 0.0

    @property
    def open_from(self) -> float | None:
        """Where the first cue begins that has not been given; None where there is none."""
        if self._held is not None:
            return self._held.start
        return max(self._group[0].start, self._floor_s) if self._group else None

    def add(self, unit: Unit) -> Iterator[Cue]:
        """Takes the next unit; gives the cues that have become sure."""
        unit = replace(unit, text=readable(unit.text).strip())
        if not unit.text:
            self._ended = self._ended or unit.ends_segment
            return
        if self._group and self._breaks_before(unit):
            yield from self._close(unit.start)
        self._group.append(unit)
        self._ended = unit.ends_segment or unit.text.endswith(_SENTENCE_ENDS)

    def end(self, audio_s: float) -> Iterator[Cue]:
        """Gives what is left, when no more units come before `audio_s`; more may come after it."""
        if self._group:
            self._make_room(audio_s)
            yield from self._close(audio_s)
        if self._held is not None:
            yield self._held
        self._held = None

    def _breaks_before(self, unit: Unit) -> bool:
        group = self._group
        if not _fits([*group, unit]) or unit.end - group[0].start > CUE_S:
            return True
        if unit.start - group[0].start < LEAST_CUE_S:
            return False  # a cue of its own could not be read
        return self._ended or unit.start - group[-1].end >= PAUSE_S

    def _close(self, limit_s: float) -> Iterator[Cue]:
        """Makes a cue of the group; it ends at `limit_s` at the latest."""
        start_s = max(self._group[0].start, self._floor_s)
        end_s = max(self._group[-1].end, start_s + SHORTEST_CUE_S)
        end_s = max(min(end_s, start_s + CUE_S, limit_s), start_s + LEAST_CUE_S)
        cue = Cue(start_s, end_s, "\n".join(_lines(self._group)))
        if self._held is not None:
            yield self._held
        self._held, self._floor_s, self._group = cue, end_s, []

    def _make_room(self, audio_s: float) -> None:
        """Lets the last cue begin so early that it is over with the audio."""
        if audio_s - max(self._group[0].start, self._floor_s) >= LEAST_CUE_S:
            return
        start_s = max(0.0, audio_s - LEAST_CUE_S)
        if self._held is None:
            start_s = max(start_s, self._floor_s)
        else:
            start_s = max(start_s, self._held.start + LEAST_CUE_S)
            self._held = replace(self._held, end=min(self._held.end, start_s))
        self._floor_s = start_s
        self._group[0] = replace(self._group[0], start=start_s)


def _fits(units: Sequence[Unit]) -> bool:
    return len(_lines(units)) <= CUE_LINES


def _lines(units: Sequence[Unit]) -> list[str]:
    """Units in lines, each as full as it can be."""
    lines: list[str] = []
    for unit in units:
        longer = f"{lines[-1]}{' ' if unit.space else ''}{unit.text}" if lines else ""
        if lines and columns(longer) <= LINE_CHARACTERS:
            lines[-1] = longer
        else:
            lines.append(unit.text)
    return lines


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
