"""Units of text with times in; subtitle cues out, each as soon as it is sure.

Rules of this file:

1. A cue ends with a sentence, at a pause of a second, or where it is full: it has as many lines as
   it may, or lasts as long as it may. A full one ends where that reads best (`breaks.py`), so that
   neither a word alone nor half a phrase is left for the next one.
2. A cue stays until it can be read, and for a shortest time, but never into the next one: words are
   not dropped and not shown before they are spoken. A sentence that would be too short for a cue of
   its own shares one with the next.
3. Cues do not overlap, and none ends after the audio. Between two that follow each other closely is
   a gap of a few frames, and nothing that looks like a mistake: less than half a second is closed
   to it. No cue ends when it starts: it lasts at least 0.1 s, for which it may begin later than its
   first word, or earlier at the end of the audio, and for which a gap may be shorter.
4. Cues that come one by one are those that come of the whole.
5. A unit of which nothing can be read makes no cue, and line ends in a unit no lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from parakeet_streaming.plain_text import readable
from parakeet_streaming.subtitles.breaks import UNSPACED_ENDS, cost_between
from parakeet_streaming.subtitles.lines import WIDOW_COLUMNS, lines_needed, lines_of, width
from parakeet_streaming.subtitles.options import LEAST_CUE_S, TRADE, SubtitleOptions
from parakeet_streaming.subtitles.units import Unit, columns

PAUSE_S: Final = 1.0
_CLOSED_S: Final = 0.5
"""A gap that is shorter is closed (Netflix: 3 to 11 frames are)."""
_EMPTY: Final = 6.0
"""What a cue costs that ends before it is full, by the part that is empty."""
_TOO_SHORT: Final = 20.0
_WIDOW: Final = 3.0


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle."""

    start: float
    end: float
    text: str
    """Its lines."""
    times: tuple[tuple[int, float], ...] = ()
    """Where in the text each word begins but the first, and when; where that is asked for."""
    speaker: str = ""
    """Who says it, where several are told apart."""


class CueBuilder:
    """Makes cues of units that come one by one."""

    def __init__(self, options: SubtitleOptions = TRADE) -> None:
        self._options = options
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
        while self._group and (count := self._breaks_after(unit)):
            yield from self._close(count, (*self._group[count:], unit)[0].start)
        self._group.append(unit)
        self._ended = unit.ends_segment or unit.text.endswith(UNSPACED_ENDS)

    def end(self, audio_s: float) -> Iterator[Cue]:
        """Gives what is left, when no more units come before `audio_s`; more may come after it."""
        if self._group:
            self._make_room(audio_s)
            yield from self._close(len(self._group), audio_s, is_last=True)
        if self._held is not None:
            yield self._held
        self._held = None

    def _breaks_after(self, unit: Unit) -> int:
        """After how many units of the group a cue ends before `unit` comes; 0 for none."""
        group, options = self._group, self._options
        if lines_needed([*group, unit], options) > options.lines:
            return self._best_break(unit)
        if unit.end - group[0].start > options.longest_s:
            return self._best_break(unit)
        if unit.start - group[0].start < LEAST_CUE_S:
            return 0  # a cue of its own could not be read
        if unit.start - group[-1].end >= PAUSE_S:
            return len(group)
        is_short = unit.start - group[0].start < options.shortest_s + options.gap_s
        return len(group) if self._ended and not is_short else 0

    def _best_break(self, unit: Unit) -> int:
        """Where a group ends best for which one unit more is too much."""
        units, options = [*self._group, unit], self._options
        best, least = len(units) - 1, float("inf")
        used = 0
        for count in range(1, len(units)):
            used += columns(units[count - 1].text) + (count > 1 and units[count - 1].space)
            cost = cost_between(units[count - 1].text, units[count].text)
            cost += _EMPTY * (1 - min(1.0, used / options.cue_characters))
            lasts = units[count].start - units[0].start
            if lasts < options.shortest_s + options.gap_s:
                cost += _TOO_SHORT * (1 - lasts / (options.shortest_s + options.gap_s))
            rest = units[count:]
            if len(rest) == 1 and rest[0].space and columns(rest[0].text) < WIDOW_COLUMNS:
                cost += _WIDOW
            if cost <= least:
                best, least = count, cost
        return best

    def _close(self, count: int, limit_s: float, *, is_last: bool = False) -> Iterator[Cue]:
        """Makes a cue of the first units; it ends before `limit_s`, where the next one begins."""
        options, units = self._options, self._group[:count]
        start_s = max(units[0].start, self._floor_s)
        reading_s = width(units) / options.characters_per_second
        end_s = max(units[-1].end, start_s + max(options.shortest_s, reading_s))
        last_s = limit_s if is_last else limit_s - options.gap_s
        if end_s < last_s < end_s + _CLOSED_S and not is_last:
            end_s = last_s
        end_s = min(end_s, start_s + options.longest_s, last_s)
        end_s = max(end_s, start_s + LEAST_CUE_S)
        cue = self._cue(units, start_s, end_s)
        if self._held is not None:
            yield self._held
        self._held, self._floor_s, self._group = cue, end_s, self._group[count:]

    def _cue(self, units: Sequence[Unit], start_s: float, end_s: float) -> Cue:
        text, times = "", list[tuple[int, float]]()
        for line in lines_of(units, self._options):
            for number, unit in enumerate(line):
                text += "" if not text else "\n" if number == 0 else " " if unit.space else ""
                if text:
                    times.append((len(text), unit.start))
                text += unit.text
        timed = tuple(times) if self._options.word_times else ()
        return Cue(start_s, end_s, text, timed)

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
