"""Units in; the lines they stand on, broken where it reads best, out.

Rules of this file:

1. What fits on one line stands on one line; of more lines, there are as few as possible.
2. Lines are about equally long, the last one rather longer (Netflix: a bottom-heavy pyramid), and
   break where `breaks.py` says that it costs least.
3. No short word stands on a line alone, where there is another way.
4. No line is longer than allowed, unless one unit alone is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from parakeet_streaming.subtitles.breaks import cost_between
from parakeet_streaming.subtitles.options import SubtitleOptions
from parakeet_streaming.subtitles.units import Unit, columns

WIDOW_COLUMNS: Final = 9
"""A word that is shorter is one that is not left alone."""
_WIDOW: Final = 6.0
_UNEVEN: Final = 16.0
"""What lines cost that differ from their mean, by the square of the part of a line."""
_TOP_HEAVY: Final = 0.5

_Line = tuple[int, int]
"""From which unit to which."""


def lines_needed(units: Sequence[Unit], options: SubtitleOptions) -> int:
    """How many lines units need at least."""
    return len(_full_lines(units, options))


def lines_of(units: Sequence[Unit], options: SubtitleOptions) -> list[Sequence[Unit]]:
    """The units of each line."""
    greedy = _full_lines(units, options)
    if len(greedy) == 1:
        return [units]
    best = _best(units, len(greedy), options) or greedy
    return [units[begin:end] for begin, end in best]


def width(units: Sequence[Unit]) -> int:
    """Columns of units side by side."""
    spaces = sum(unit.space for unit in units[1:])
    return sum(columns(unit.text) for unit in units) + spaces


def _full_lines(units: Sequence[Unit], options: SubtitleOptions) -> list[_Line]:
    """Each line as full as it can be."""
    lines: list[_Line] = []
    begin = used = 0
    for at, unit in enumerate(units):
        own = columns(unit.text)
        longer = used + unit.space + own
        if at > begin and longer > options.line_characters:
            lines.append((begin, at))
            begin, used = at, own
        else:
            used = longer if at > begin else own
    return [*lines, (begin, len(units))]


def _best(units: Sequence[Unit], count: int, options: SubtitleOptions) -> list[_Line] | None:
    """That many lines at the least cost; None where a unit alone is too long for a line."""
    ideal = width(units) / count
    # By the unit after its end: the cost of the lines so far, and how long they are.
    ways: dict[int, tuple[float, list[_Line]]] = {0: (0.0, [])}
    for number in range(count):
        is_last = number == count - 1
        longer: dict[int, tuple[float, list[_Line]]] = {}
        for begin, (cost, lines) in ways.items():
            for end in [len(units)] if is_last else range(begin + 1, len(units)):
                own = width(units[begin:end])
                if own > options.line_characters:
                    if is_last:
                        continue
                    break
                total = cost + _cost(units, begin, end, own, ideal, options)
                if is_last and lines and own < width(units[slice(*lines[0])]):
                    total += _TOP_HEAVY
                if end not in longer or total < longer[end][0]:
                    longer[end] = (total, [*lines, (begin, end)])
        ways = longer
    found = ways.get(len(units))
    return None if found is None else found[1]


def _cost(
    units: Sequence[Unit], begin: int, end: int, own: int, ideal: float, options: SubtitleOptions
) -> float:
    uneven = (own - ideal) / options.line_characters
    cost = _UNEVEN * uneven * uneven
    if end - begin == 1 and own < WIDOW_COLUMNS and units[begin].space:
        cost += _WIDOW
    if end < len(units):
        cost += cost_between(units[end - 1].text, units[end].text)
    return cost
