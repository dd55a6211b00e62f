"""What recognition gives: frozen values that can only be read.

Times are seconds on the stream's own clock: 0 is its first sample. Token frames are absolute
encoder frames of 80 ms. Text of tokens and of `Partial.text` is append-only: joining them in order
gives the transcript.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from parakeet_streaming.frozen import made_quickly
from parakeet_streaming.timeline import ContextConfig


@made_quickly
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
    """True when the stall guard found it in speech for which the decoder had given no token."""
    unfinished: str = ""
    """Of a vocabulary with byte pieces: the bytes so far, in hexadecimal, of a character that the
    next token goes on with."""
    boosted: bool = False
    """True when a boosted phrase chose it in place of another token."""
    spoken: str = ""
    """What the model said, where `WritingOptions` have it written otherwise: then this stands for
    several tokens. It has the id of the first, the times of all, and the lowest confidence."""


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


@made_quickly
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
    boosted: bool = False
    """True when a boosted phrase chose any of its tokens."""
    spoken: str = ""
    """What was said, where `WritingOptions` have it written otherwise: "twenty three" for 23. Where
    that is several words, the first has all of it."""


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


@made_quickly
@dataclass(frozen=True, slots=True)
class StepTiming:
    """Where the time of one step of a live stream went."""

    waited_s: float
    """From the moment its window was complete to the start of the step."""
    encode_s: float
    """The encoder call, which all streams of the step share."""
    decode_s: float
    """The decoding, which all streams of the step share."""
    streams: int
    """How many streams shared the step."""
    share: float
    """This stream's part of the audio of the step, 0 to 1."""

    @property
    def computing_s(self) -> float:
        """This stream's part of the computing."""
        return self.share * (self.encode_s + self.decode_s)

    @property
    def lag_s(self) -> float:
        """From the moment the window was complete to its text."""
        return self.waited_s + self.encode_s + self.decode_s


@made_quickly
@dataclass(frozen=True, slots=True)
class Partial:
    """One step of a stream: the text that it committed, and tentative text after that."""

    text: str
    """Text committed by this step; append it. Committed text never changes."""
    tokens: tuple[Token, ...]
    """Tokens committed by this step; often none."""
    tentative_text: str
    """Text decoded early from the look-ahead (right context); the next step replaces it."""
    tentative: tuple[Token, ...]
    """Tokens decoded early from the look-ahead."""
    committed_s: float
    """Seconds of audio up to which text is committed."""
    lookahead_end_s: float
    """Seconds; where the audio that the step read ends, its look-ahead included."""
    timing: StepTiming | None = field(default=None, compare=False)
    """Where the step's time went; set for live streams only."""


EndReason = Literal["silence", "max_length", "commit", "no_audio", "end"]
"""Why an utterance ended: silence, its length, a `commit`, no audio for long, the stream's end."""


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
    """Speech has begun, with text or without. Reported when it is sure, so a little after `at`."""

    at: float
    """Seconds; where the sound began, without padding before it."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Speech has ended. Reported when it is sure, so a little after `at`."""

    at: float
    """Seconds; where the sound ended, without the silence after it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Audio that was refused, because too much audio waited. Later times stay true."""

    start: float
    """Seconds; where the missing audio begins."""
    end: float
    """Seconds; where the missing audio ends."""


@dataclass(frozen=True, slots=True)
class ContextChanged:
    """The stream's context was adapted to the load."""

    context: ContextConfig
    """Of all windows after it."""
    at: float
    """Seconds of audio that were decoded before it."""


HintKind = Literal["scale", "interleaved", "rate"]
"""What samples seem to be: not scaled, two channels read as one, of another rate."""


@dataclass(frozen=True, slots=True)
class HealthHint:
    """Samples that seem to be something else than the stream takes them for; told once."""

    kind: HintKind
    message: str
    """For people: what is seen and what to do."""
    at: float
    """Seconds of audio that had been pushed before it."""


@dataclass(frozen=True, slots=True)
class FilterStart:
    """Where one resampler of a stream began; each commit and each gap is followed by a new one."""

    sample: int
    """The first sample that went in."""
    position: int
    """That of the first sample that came out, at 16 kHz."""


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """A live stream as it is after all events before this one; `ask_snapshot` asks for it."""

    position: int
    """The first sample, at 16 kHz, that a stream that goes on from here is to be pushed."""
    write: Callable[[], bytes] = field(repr=False, compare=False)
    """Gives what `LiveEngine.open(resume=)` takes; any thread may call it."""
    filters: tuple[FilterStart, ...] = ()
    """What `LiveEngine.open(filters=)` takes, at other rates than 16 kHz."""


Event = (
    Partial
    | Final
    | SpeechStarted
    | SpeechEnded
    | Gap
    | ContextChanged
    | HealthHint
    | SnapshotTaken
)
"""What a stream gives. `feed` and `finish` give `Partial` and `Final`; live streams give all."""
