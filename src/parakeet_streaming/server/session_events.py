"""What a session tells its client: values, in the order in which they may be sent.

Rules of this file:

1. Times are seconds of the stream's own clock; 0 is its first sample.
2. An utterance is told as `Started` (if the engine heard speech), any number of `Heard`, `Stopped`
   (if it had started), and one `Ended`; never mixed with another utterance.
3. The texts of its `Heard` events, joined, are the text of its `Ended`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from parakeet_streaming.results import EndReason, FilterStart, HealthHint, Token, Word
from parakeet_streaming.server.session_state import SessionState
from parakeet_streaming.timeline import ContextConfig


@dataclass(frozen=True, slots=True)
class Started:
    """Speech has begun, with text or without."""

    utterance: int
    """Number of the utterance in the session, from 0."""
    at_s: float


@dataclass(frozen=True, slots=True)
class Heard:
    """Text of the present utterance."""

    utterance: int
    text: str
    """Committed text; append it to what came before in this utterance. It never changes."""
    tokens: tuple[Token, ...]
    """The tokens of `text`."""
    tentative: str
    """Text after it that the next `Heard` replaces."""
    tentative_tokens: tuple[Token, ...]
    committed_s: float
    """Audio up to which text is committed."""
    lookahead_end_s: float
    """Audio up to which the step read."""
    offset: int = 0
    """Characters of this utterance that were told before `text`."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Speech has ended."""

    utterance: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an utterance; it will not change any more."""

    utterance: int
    text: str
    """All of it; empty for speech in which no word was recognised."""
    words: tuple[Word, ...]
    tokens: tuple[Token, ...]
    start_s: float
    """Where its speech or its first word began; the end of the one before where there is none."""
    end_s: float
    """Audio up to which it was decoded."""
    reason: EndReason


@dataclass(frozen=True, slots=True)
class Lost:
    """Audio that the server could not take, because too much waited; later times stay true."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class ContextTold:
    """The context was adapted to the load."""

    context: ContextConfig
    at_s: float


@dataclass(frozen=True, slots=True)
class Hinted:
    """Samples seem to be something else than the session takes them for."""

    hint: HealthHint


@dataclass(frozen=True, slots=True)
class Marked:
    """All audio before that marker is decoded, and its text was told."""

    marker: str


@dataclass(frozen=True, slots=True)
class Cleared:
    """What had not ended when the client asked for it is forgotten."""

    utterance: int = 0
    """The number that nothing more is told of."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The channel as it is after all events before this one; whoever asked for it goes on there."""

    position: int
    """The first sample, at 16 kHz, that the stream needs again."""
    session: SessionState
    write: Callable[[], bytes] = field(repr=False, compare=False)
    """Gives the stream's snapshot; any thread may call it."""
    filters: tuple[FilterStart, ...] = ()
    """Where resamplers began that are needed again."""


SessionEvent = (
    Started | Heard | Stopped | Ended | Lost | ContextTold | Hinted | Marked | Cleared | Kept
)
"""What a session tells."""
