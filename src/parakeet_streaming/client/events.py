"""What a server tells of a stream: frozen values that can only be read.

Times are seconds of the stream's audio: 0 is its first sample. `channel` is the number of the
channel where channels are recognised each for itself, else 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from parakeet_streaming.results import EndReason, Token, Word
from parakeet_streaming.timeline import ContextConfig


@dataclass(frozen=True, slots=True)
class CheckpointTerms:
    """What a server says of its checkpoints."""

    every_s: float
    replay_s: float
    """Seconds of audio that may have to be sent again."""
    lasts_s: float
    """For how long one is taken."""
    shared: bool
    """Whether other servers may take it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The stream is open; what the server has made of the request."""

    id: str
    """The stream's name in the server's log."""
    model: str
    sample_rate: int
    encoding: str
    channels: int
    """Interleaved in the audio."""
    separate: bool
    """Whether each channel is recognised for itself; else they are averaged."""
    context: ContextConfig
    latency_s: float
    """Audio that a word waits for: chunk and right context."""
    idle_s: float
    """After so many seconds without any message from here the server closes."""
    session_s: float
    """How long the connection may last."""
    checkpoints: CheckpointTerms | None = None
    """How the stream can go on elsewhere; None where it cannot."""
    resumed: Literal["", "exact", "warm"] = ""
    """How it goes on from a checkpoint."""
    sample: int = 0
    """The first sample that it wants then."""


@dataclass(frozen=True, slots=True)
class Partial:
    """Text of the present utterance."""

    utterance: int
    text: str
    """Committed text; append it. It never changes."""
    tentative: str
    """Text after it that the next `Partial` replaces and `Final` makes void."""
    committed: float
    """Seconds up to which text is committed."""
    lookahead_end: float
    """Seconds up to which audio was looked at."""
    tokens: tuple[Token, ...] = ()
    """Of `text`, where they were asked for."""
    channel: int = 0
    offset: int = -1
    """Characters of the utterance before `text`; -1 where the server does not say."""


@dataclass(frozen=True, slots=True)
class Final:
    """The end of an utterance, which will not change any more."""

    utterance: int
    text: str
    """All of it: its partials' texts, joined. Empty for speech without a word."""
    start: float
    end: float
    reason: EndReason
    words: tuple[Word, ...] = field(default=(), repr=False)
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    channel: int = 0


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech has begun."""

    utterance: int
    at: float
    channel: int = 0


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Speech has ended."""

    utterance: int
    at: float
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Audio that is missing; later times stay true."""

    start: float
    end: float
    channel: int = 0


@dataclass(frozen=True, slots=True)
class ContextChanged:
    """The server has adapted the context to its load."""

    context: ContextConfig
    latency_s: float
    at: float
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Hint:
    """Samples seem to be something else than they were announced as."""

    kind: str
    message: str
    at: float
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Marker:
    """All audio before that marker is decoded, and its text was told."""

    id: str
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Cleared:
    """What had not ended when `clear` came is forgotten."""

    channel: int = 0
    utterance: int = 0
    """The number that nothing more is told of."""


@dataclass(frozen=True, slots=True)
class GoingAway:
    """The server is about to stop; it takes no more audio and tells what it has heard."""

    reason: str
    deadline_s: float
    """By when it will have closed."""


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection is lost; what is sent is kept until there is another one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """The stream goes on over another connection; nothing is told twice."""

    how: Literal["exact", "warm", "anew"]
    """`exact`: as if nothing had been. `warm`: something began anew in the server, so a word near
    here may differ. `anew`: the server did not know the stream any more; a `Gap` tells what is
    missing, if anything is."""
    reason: str = ""
    """Why it is not exact."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something that was sent and that the server did not take; the stream goes on."""

    code: str
    message: str
    field: str | None = None


Event = (
    Partial
    | Final
    | SpeechStarted
    | SpeechEnded
    | Gap
    | ContextChanged
    | Hint
    | Marker
    | Cleared
    | GoingAway
    | Mistake
    | Reconnecting
    | Resumed
)
"""What a stream gives."""


@dataclass(frozen=True, slots=True)
class ChannelStats:
    """How one channel goes, at one moment."""

    id: str
    audio_s: float
    """Audio that is decoded, or passed over as quiet."""
    speech_s: float
    backlog_s: float
    """Audio that was received and is not decoded; a chunk and a right context are normal."""
    lag_s: float
    """What waiting and computing added to the context's latency in the last step."""
    tokens: int
    utterances: int
    context: ContextConfig
    """In use now."""
    emission_delay_p95_s: float | None
    """From the end of a word to its text, in the server; None before the first word."""
