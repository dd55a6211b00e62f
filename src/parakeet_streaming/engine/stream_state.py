"""All of one stream between two chunks, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.resample import ResamplerState
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.room_noise import Room
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.utterance import Utterance
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.frozen import made_quickly
from parakeet_streaming.ports import DecoderState, Emission, Floats
from parakeet_streaming.results import EndReason, Token
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


@dataclass(frozen=True, slots=True)
class WindowState:
    """Between two chunks: which samples are kept, and how far they were decoded."""

    samples: Floats
    """(n,) float32, those that a window to come can reach."""
    kept_from: int
    """Position in the stream of the first of them."""
    reach_from: int
    """Position of the first sample that a left context to come can have."""
    decoded_samples: int
    begun_at: int
    """Position of the last cut, after which decoding began anew; 0 where there was none."""
    flush_to: int
    flush_seen_to: int
    cut_at: int | None
    """Position of a cut that is not decoded yet."""
    cut_tail: Floats
    """(n,) float32, what stands for the audio after the cut."""
    audio_end: int | None
    """Where the audio ended, and a tail may follow; None until it has."""


@dataclass(frozen=True, slots=True)
class EmissionColumns:
    """Emissions as arrays (n,), one for each field."""

    token_ids: NDArray[np.int32]
    frames: NDArray[np.int64]
    durations_frames: NDArray[np.int16]
    confidences: NDArray[np.float64]
    recovered: NDArray[np.int8]
    boosted: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class AudioEnd:
    """Where the audio ends, or is cut, and silence follows."""

    at_s: float
    emissions: int | None = None
    """Emissions of steps that did not read so far; None until one has."""


@dataclass(frozen=True, slots=True)
class UtteranceEnd:
    """Where an utterance ended that is over."""

    emissions: int
    """Emissions before its end."""
    audio_end: AudioEnd | None


@dataclass(frozen=True, slots=True)
class TranscriptState:
    """Between two chunks: what was recognised, and where its utterances end."""

    emissions: EmissionColumns
    last: Token | None
    """The last committed token, on which text and times of the next one depend."""
    tentative: tuple[Token, ...]
    utterance: int
    """Utterances that have ended."""
    utterance_from: int
    """Number of the first emission of the present utterance, in `emissions`."""
    before_utterance: Token | None
    """The last token before it."""
    ends: tuple[UtteranceEnd, ...]
    """Of utterances whose emissions are there."""
    audio_end: AudioEnd | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The end of an utterance."""

    reason: EndReason
    commit_to: int
    """Sample up to which audio is to be committed, at least, before the utterance is closed."""
    seen_to: int = 0
    """Sample up to which audio may be used for that."""
    left: int = 0
    """Tokens, committed already, that belong to the next utterance."""


@dataclass(frozen=True, slots=True)
class EndpointerState:
    """What an endpointer knows between two chunks; positions are samples at 16 kHz."""

    options: EndpointOptions
    known_to: int
    silence_from: int | None
    speaking: bool
    committed_to: int
    decoded_to: int
    said: Utterance
    tentative_to: int | None
    tentative_end: int | None


class Activity(Enum):
    """What a detector makes of the last frame."""

    QUIET = "quiet"
    STARTING = "starting"
    """Voice, not yet enough of it to be speech."""
    SPEAKING = "speaking"
    STOPPING = "stopping"
    """No voice, not yet long enough to end speech."""


@dataclass(frozen=True, slots=True)
class DetectorState:
    """What a detector knows between two frames; positions are samples at 16 kHz."""

    options: VadOptions
    frame_samples: int
    activity: Activity
    onset: int
    voiced: int
    silence_from: int | None
    known_to: int
    finished: bool
    remembered_from: int
    runs: tuple[tuple[int, int], ...]
    """Start and end of stretches of possible speech."""


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
