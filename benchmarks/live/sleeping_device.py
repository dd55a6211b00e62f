"""Windows in; tokens at the rate of speech out, after a sleep as long as a GPU would compute.

Rules of this file:

1. A call sleeps for its operations, by the arithmetic of docs/gpu.md, and for its launches. So what
   the processor does meanwhile, and between the calls, is the host's work and nothing else.
2. What is said depends on the absolute frame alone, so tentative tokens come again as committed
   ones. It is words of one to three tokens in three seconds of five, three tokens a second in all:
   most steps of 0.24 s give none.
3. The processor's time within the calls is the device's own part of the book-keeping, and is
   counted apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np

from parakeet_streaming.ports import (
    VAD_FRAME_SAMPLES,
    Decoded,
    DecoderInput,
    DecoderState,
    Emission,
    Encoded,
    EncoderInput,
    Floats,
)
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, encoder_frames, frames_to_seconds

OPERATIONS_PER_S: Final = 14.9e9
"""Of the 0.6 B encoder, for a second of audio that is encoded."""
CYCLE_FRAMES: Final = 4096
"""What is said begins anew after so many frames."""
WORDS: Final = tuple(f"word{number}" for number in range(64))
_WORDS_PER_FRAME: Final = 0.34
_PERIOD_FRAMES: Final = 62
_SPEECH_FRAMES: Final = 37
"""Of a period, from its start; the rest is a pause."""
PERIOD_S: Final = frames_to_seconds(_PERIOD_FRAMES)
"""After so long, speech and pauses come again."""
_MORE_PIECES: Final = (0, 1, 1, 2)


@dataclass
class SleepingDevice:
    """A `Transducer` that computes nothing."""

    operations_per_s: float = 190e12
    """What the best engine gave that anybody has measured."""
    launches_s: float = 0.002
    """Of one call, whatever its batch."""
    sleep: Callable[[float], None] = time.sleep
    calls: int = 0
    rows: int = 0
    own_s: float = 0.0
    """Processor time within the calls; rule 3."""

    max_samples = None
    keeps_past = True
    durations = (0, 1, 2, 3, 4)
    fingerprint = "sleeping"
    runs_on = "a sleep"

    def __post_init__(self) -> None:
        self._said = _script(Random(7))
        self._first = [_first_from(self._said, frame) for frame in range(CYCLE_FRAMES)]
        self._start = DecoderState(len(WORDS), 0, 0, None)

    def start(self) -> DecoderState:
        """The state of a stream of which nothing was decoded."""
        return self._start

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Sleeps as long as these windows would take."""
        began_s = time.thread_time()
        known = [0 if each.past is None else each.left_samples for each in inputs]
        fresh = [each.samples.shape[0] - start for each, start in zip(inputs, known, strict=True)]
        lengths = tuple(encoder_frames(each) for each in fresh)
        pasts = tuple(None if each.kept_frames is None else True for each in inputs)
        operations = OPERATIONS_PER_S * sum(fresh) / SAMPLE_RATE_HZ
        self.own_s += time.thread_time() - began_s
        self.sleep(self.launches_s + operations / self.operations_per_s)
        self.calls += 1
        self.rows += len(inputs)
        return Encoded(None, lengths, pasts)

    def decode(self, encoded: Encoded, inputs: Sequence[DecoderInput]) -> list[Decoded]:
        """What is said in those frames."""
        began_s = time.thread_time()
        decoded = [self._decoded(each) for each in inputs]
        self.own_s += time.thread_time() - began_s
        self.sleep(self.launches_s)
        return decoded

    def memory_to_arrays(self, memory: object) -> dict[str, Floats]:
        """Nothing is remembered."""
        return {}

    def memory_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        """Nothing is remembered."""
        return None

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """Nothing is kept."""
        return {}

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> object:
        """Nothing is kept."""
        return True

    def _decoded(self, given: DecoderInput) -> Decoded:
        state = given.state
        begin = state.decoded_frames
        border = begin + given.chunk_end - given.chunk_start
        end = begin + given.lookahead_end - given.chunk_start
        after = DecoderState(state.last_token, 0, border, None)
        ahead = DecoderState(state.last_token, 0, end, None)
        return Decoded(self._emitted(begin, border), self._emitted(border, end), after, ahead)

    def _emitted(self, begin: int, end: int) -> tuple[Emission, ...]:
        """Of frames [begin, end)."""
        turn, frame = divmod(begin, CYCLE_FRAMES)
        said, number, base = self._said, self._first[frame], turn * CYCLE_FRAMES
        found: list[Emission] = []
        while True:
            if number == len(said):
                number, base = 0, base + CYCLE_FRAMES
            at, token = said[number]
            if base + at >= end:
                return tuple(found)
            found.append(Emission(token, base + at, 2, 0.9))
            number += 1


@dataclass
class ScheduledVoice:
    """A `VoiceActivity` that hears speech in three seconds of five, and computes nothing."""

    frame_samples: int = VAD_FRAME_SAMPLES
    own_s: float = 0.0

    def __post_init__(self) -> None:
        self._heard = np.array([0.9] * 94 + [0.01] * 62, np.float32)

    def start(self) -> object:
        """A state counts the frames judged so far."""
        return 0

    def probabilities(
        self, blocks: Sequence[Floats], states: Sequence[object]
    ) -> tuple[list[Floats], list[object]]:
        """Probabilities (K,) of blocks of K frames, and the next states."""
        began_s = time.thread_time()
        found, following = [], list[object]()
        for block, judged in zip(blocks, states, strict=True):
            assert isinstance(judged, int), "a state of another voice activity"
            frames = block.shape[0] // self.frame_samples
            found.append(self._heard[(judged + np.arange(frames)) % len(self._heard)])
            following.append(judged + frames)
        self.own_s += time.thread_time() - began_s
        return found, following

    def state_to_arrays(self, state: object) -> dict[str, Floats]:
        """The number of frames judged so far."""
        assert isinstance(state, int), "a state of another voice activity"
        return {"judged": np.array([state], np.float32)}

    def state_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        """The state that `state_to_arrays` gave these arrays for."""
        return int(arrays["judged"][0])


@dataclass(frozen=True)
class Texts:
    """A vocabulary of words, and of pieces that go on with one."""

    size: int = len(WORDS)

    def text_of(self, token_id: int) -> str:
        """Every other piece begins a word."""
        return f" {WORDS[token_id]}" if token_id % 2 == 0 else WORDS[token_id]


def _script(drawn: Random) -> list[tuple[int, int]]:
    """Frames and tokens of one cycle, in order."""
    said: list[tuple[int, int]] = []
    frame = 0
    while frame < CYCLE_FRAMES:
        if frame % _PERIOD_FRAMES < _SPEECH_FRAMES and drawn.random() < _WORDS_PER_FRAME:
            pieces = 1 + drawn.choice(_MORE_PIECES)
            for piece in range(pieces):
                token = 2 * drawn.randrange(len(WORDS) // 2) + (piece > 0)
                said.append((min(frame, CYCLE_FRAMES - 1), token))
                frame += 1
        frame += 1
    return said


def _first_from(said: Sequence[tuple[int, int]], frame: int) -> int:
    """Number of the first token at that frame or after it."""
    return next((at for at, (when, _) in enumerate(said) if when >= frame), len(said))
