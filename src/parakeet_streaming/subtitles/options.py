"""How subtitles are to be: a frozen value whose defaults are the numbers of the trade's guides.

Netflix: Timed Text Style Guide, General Requirements, and English (USA). BBC: Subtitle Guidelines
1.2.3, sections 3 and 4. `docs/words.md` has both beside these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import check_number, check_whole

FRAMES_A_SECOND: Final = 24
"""Of film; the guides count in its frames."""
LEAST_CUE_S: Final = 0.1
"""How long a cue stays in any case, however dense the words are."""
LEAST_LINE: Final = 10
MOST_LINE: Final = 200
"""Characters of a line."""
MOST_LINES: Final = 4
LEAST_SPEED: Final = 5.0
MOST_SPEED: Final = 200.0
"""Characters a second; nobody speaks faster."""
MOST_CUE_S: Final = 60.0
MOST_GAP_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class SubtitleOptions:
    """How subtitles are to be.

    Raises:
        OptionError: a number out of its range, or a shortest time above the longest.
    """

    lines: int = 2
    """At most, of a cue (Netflix, BBC: 2)."""
    line_characters: int = 42
    """At most, of a line; wide ones, as of Chinese, count twice (Netflix: 42; BBC: 37 on TV)."""
    characters_per_second: float = 20.0
    """To read: a cue stays as long as that takes, where there is room (Netflix: 20 for adults, 17
    for children; BBC: 160 to 180 words a minute, about 15)."""
    shortest_s: float = 20 / FRAMES_A_SECOND
    """A cue stays so long, where there is room (Netflix: 20 frames, 5/6 s)."""
    longest_s: float = 7.0
    """A cue stays no longer (Netflix: 7 s)."""
    gap_s: float = 2 / FRAMES_A_SECOND
    """Between cues that follow each other closely (Netflix: 2 frames; BBC: none)."""
    word_times: bool = False
    """Whether WebVTT says when each word begins, as karaoke does."""

    def __post_init__(self) -> None:
        check_whole("lines", self.lines, 1, MOST_LINES)
        check_whole("line_characters", self.line_characters, LEAST_LINE, MOST_LINE)
        check_number("characters_per_second", self.characters_per_second, LEAST_SPEED, MOST_SPEED)
        check_number("shortest_s", self.shortest_s, LEAST_CUE_S, MOST_CUE_S, "s")
        check_number("longest_s", self.longest_s, 2 * LEAST_CUE_S, MOST_CUE_S, "s")
        check_number("gap_s", self.gap_s, 0.0, MOST_GAP_S, "s")
        if self.shortest_s > self.longest_s:
            raise OptionError(
                f"shortest_s {self.shortest_s:g} is above longest_s {self.longest_s:g}; lower it"
            )

    @property
    def cue_characters(self) -> int:
        """At most, of a cue."""
        return self.lines * self.line_characters


TRADE: Final = SubtitleOptions()
"""The guides' own numbers."""
