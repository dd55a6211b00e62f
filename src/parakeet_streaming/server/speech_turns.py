"""Where someone began and stopped to speak in; which of that is of the utterance that ends, out.

Speech is told as soon as it is heard, which may be long before the text of the same audio: several
utterances ahead, where audio comes faster than it is decoded. What is told of an utterance must not
depend on that, so that it is the same when the audio comes a second time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

_SAMPLE_S: Final = 1e-4
_REMEMBERED_S: Final = 10.0
"""Before what is decoded; an utterance that was told does not end earlier."""


class SpeechTurns:
    """Beginnings and stops since the present utterance was opened, in turns."""

    def __init__(self, speaking: bool = False, at_s: Sequence[float] = ()) -> None:
        """`speaking`: whether someone speaks after the last of them."""
        self.speaking = speaking
        self._at_s = list(at_s)

    @property
    def at_s(self) -> tuple[float, ...]:
        """All of them."""
        return tuple(self._at_s)

    def turn(self, at_s: float) -> None:
        """Someone began there, or stopped."""
        self.speaking = not self.speaking
        self._at_s.append(at_s)

    def forget_before(self, decoded_s: float) -> None:
        """What lies long before that is of no utterance that may still end."""
        while len(self._at_s) > 2 and self._at_s[2] < decoded_s - _REMEMBERED_S:
            del self._at_s[:2]

    def silent_from(self, silence_s: float) -> float | None:
        """The first stop after which nobody spoke for so long, as far as is known."""
        turns = list(self._turns())
        for (at_s, begins), (next_s, _) in zip(turns, [*turns[1:], (math.inf, True)], strict=False):
            if not begins and next_s >= at_s + silence_s:
                return at_s
        return None

    def end(self, to_s: float) -> tuple[float | None, list[float]]:
        """The utterance ends there.

        Returns:
            Where speech had stopped, None if it had not or was never heard to, and the turns after
            it: `speaking` says how it is at the end, and what comes later has to be told once more.
        """
        before, stopped_s = 0, None
        for at_s, begins in self._turns():
            if at_s > to_s - _SAMPLE_S if begins else at_s > to_s + _SAMPLE_S:
                break
            before, stopped_s = before + 1, None if begins else at_s
        later = self._at_s[before:]
        self._at_s = []
        if len(later) % 2:
            self.speaking = not self.speaking
        return stopped_s, later

    def _turns(self) -> Iterator[tuple[float, bool]]:
        """Each, and whether it is a beginning."""
        begins = self.speaking == (len(self._at_s) % 2 == 1)
        for at_s in self._at_s:
            yield at_s, begins
            begins = not begins
