"""What recognition gives back: frozen values, no behaviour beyond reading them.

Times are seconds on the stream's own clock: 0 is its first sample. Token frames are absolute
encoder frames of 80 ms. Text of tokens and of `Partial.text` is append-only: joining them in order
gives the transcript.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from parakeet_streaming.timeline import ContextConfig


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of the vocabulary that the decoder emitted."""

    id: int
    """Index into the vocabulary."""
    text: str
    """What it adds to the transcript, a leading space included where a word starts."""
    start_frame: int
    """Absolute encoder frame at which it was emitted."""
    duration_frames: int
    """Frames that the decoder skipped after it (0 to 4 for TDT, 0 for RNN-T)."""
    start: float
    """Seconds; a punctuation mark starts and ends where the token before it ends."""
    end: float
    """Seconds; may lie past the end of the audio by up to one duration."""
    confidence: float
    """0 to 1, from the token part of the logits; never a constant."""
    recovered: bool = False
    """True when the stall guard found it in a stretch the decoder had passed over in silence."""


@dataclass(frozen=True, slots=True)
class TokenResult:
    """One committed token, in samples of the rate that was pushed."""

    token_id: int
    text: str
    """What it adds to the text, leading space included."""
    timestamp: int
    """Position of its start in the stream, in samples."""
    duration: int
    """Samples from its start to its end."""
    confidence: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Word:
    """Tokens from one word start to the next, punctuation attached."""

    text: str
    start: float
    """Seconds."""
    end: float
    """Seconds."""
    confidence: float
    """The minimum of its tokens' (their mean as an option)."""
    recovered: bool = False
    """True when any of its tokens was recovered by the stall guard."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Words up to the end of a sentence, or up to a long gap."""

    text: str
    start: float
    """Seconds."""
    end: float
    """Seconds."""
    words: tuple[Word, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transcript:
    """Everything recognised in one stretch of audio."""

    text: str
    tokens: tuple[Token, ...] = field(repr=False)
    words: tuple[Word, ...] = field(repr=False)
    segments: tuple[Segment, ...] = field(repr=False)
    audio_s: float
    """Seconds of audio that were decoded."""


@dataclass(frozen=True, slots=True)
class Partial:
    """One step of a stream: what it committed, and what it expects to come."""

    text: str
    """Text committed by this step; append it. Committed text never changes."""
    tokens: tuple[Token, ...]
    """Tokens committed by this step; often none."""
    tentative_text: str
    """Text decoded early from the right context; the next step replaces it."""
    tentative: tuple[Token, ...]
    """Tokens decoded early from the right context."""
    committed_s: float
    """Seconds of audio up to which text is committed."""
    lookahead_end_s: float
    """Seconds; where the audio that the step read ends, its look-ahead included."""


EndReason = Literal["silence", "max_length", "commit", "end"]
"""Why an utterance ended: a pause, its length, the caller's wish, the end of the stream."""


@dataclass(frozen=True, slots=True)
class Final:
    """The end of an utterance: its whole transcript, which will not change any more.

    A stream without endpointing is one utterance, which ends with the stream.
    """

    transcript: Transcript
    """Of this utterance alone; times count from the start of the stream."""
    utterance: int = 0
    """Its number in the stream, counted from 0."""
    reason: EndReason = "end"


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Someone speaks. Told when it is sure, so a little after `at`; with text or without."""

    at: float
    """Seconds; where the sound began, no padding before it."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Nobody speaks any more. Told when it is sure, so a little after `at`."""

    at: float
    """Seconds; where the sound ended, the silence that proved it not included."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Audio that could not be taken. Times behind it are as true as before."""

    start: float
    """Seconds; the first that is missing."""
    end: float
    """Seconds; behind the last that is missing."""


@dataclass(frozen=True, slots=True)
class ContextChanged:
    """The stream's context was adapted to the load."""

    context: ContextConfig
    """Of all windows from here on."""
    at: float
    """Seconds of audio that were decoded before it."""


Event = Partial | Final | SpeechStarted | SpeechEnded | Gap | ContextChanged
"""What a stream tells. `feed` and `finish` give `Partial` and `Final`; the others need someone who
listens for speech, or drops audio."""
