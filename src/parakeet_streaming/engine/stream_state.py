"""All of one stream between two chunks, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from parakeet_streaming.audio.resample import ResamplerState
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.engine.activity import DetectorState
from parakeet_streaming.engine.endpoint import Endpoint, EndpointerState
from parakeet_streaming.engine.room_noise import Room
from parakeet_streaming.engine.spans import WindowState
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.transcript_builder import TranscriptState
from parakeet_streaming.frozen import made_quickly
from parakeet_streaming.ports import DecoderState, Emission
from parakeet_streaming.timeline import ContextConfig

Resumed = Literal["exact", "warm"]
"""How a restored stream goes on: with the very events of an uninterrupted one, or with an encoder
that has lost its past, or a resampler that begins anew, and so perhaps with other tokens."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What was chosen for one stream."""

    context: ContextConfig
    tentative: bool = True
    """Whether the right context is decoded early."""
    stall_guard: StallGuard | None = None
    cached: bool = False
    """Whether each frame is encoded once, beside what the encoder kept of the left context."""
    boosting: Boosting | None = None
    """Phrases to boost."""
    languages: tuple[str, ...] = ()
    """Tokens of scripts in which none of these is written are ruled out; none: all scripts."""

    @property
    def kept_frames(self) -> int | None:
        """Encoder frames of left context that the encoder keeps; None where it keeps nothing."""
        frames = self.context.frames
        return frames.left if self.cached else None


@made_quickly
@dataclass(frozen=True, slots=True)
class Ahead:
    """What the last step found in its right context: tentative, until it is chunk or settled."""

    emissions: tuple[Emission, ...]
    decoder: DecoderState
    """After it."""


@dataclass(frozen=True, slots=True)
class ActivityState:
    """What a live stream knows of speech, besides what it recognises."""

    detector: DetectorState | None
    """As far as it was used: to the end of what was decoded, and some more."""
    heard: tuple[tuple[int, float], ...]
    """Where the frames end that were judged and not used yet, and their probabilities of speech; -1
    for a gap."""
    voice: object | None
    """The memory of the voice activity's network; None where it begins anew."""
    endpointer: EndpointerState | None
    endpoint: Endpoint | None
    """The end of an utterance that waits for its audio to be committed."""
    gaps: tuple[tuple[int, int], ...]
    """Start and end of stretches without audio that a window to come can reach."""
    gap_room: Room
    """The room before the gap that a stream of this state is in."""
    speech_samples: int


@dataclass(frozen=True, slots=True)
class WaitingChange:
    """Other phrases that a live stream boosts from a position on."""

    position: int
    boosting: Boosting | None


@dataclass(frozen=True, slots=True)
class StreamState:
    """One stream. Positions are samples at 16 kHz from its start."""

    options: StreamOptions
    window: WindowState
    decoder: DecoderState
    stall_from: int
    """Absolute frame from which the stall guard looks for a stall."""
    ahead: Ahead | None
    """None where no right context was decoded."""
    past: object | None
    """What the encoder keeps; None where the stream begins, and where it was left out."""
    transcript: TranscriptState
    audio_end: int | None
    """Where the audio ended; None until it has."""
    closed: bool
    resumed: Resumed = "exact"
    resampler: ResamplerState | None = None
    """Of a stream that is fed at another rate."""
    activity: ActivityState | None = None
    """Of a live stream."""
    changes: tuple[WaitingChange, ...] = ()
    """Of a live stream; those that wait for audio that is in the state."""
    changed_at: int = -1
    """Position of the last one that was made; -1 for none."""

    @property
    def context(self) -> ContextConfig:
        options = self.options
        return options.context

    @property
    def fed_samples(self) -> int:
        """Position of the first sample that is not in the window."""
        window = self.window
        return window.kept_from + len(window.samples)
