"""Where a session is between two events, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionState:
    """What a session knows beside the tokens of its stream. Names are those of `Session`."""

    number: int
    """Of the present utterance."""
    answered: int
    """Commits and clears that have been answered."""
    told: int
    """Tokens of the present utterance that were told."""
    moved: int
    """Tokens at the start of the stream's present utterance that were told with the last one."""
    characters: int
    """Of its text that were told."""
    begin_s: float | None
    end_s: float
    tentative: bool
    started: bool
    speaking: bool
    turns: tuple[float, ...]
    """Where speech began and stopped since it was opened."""
