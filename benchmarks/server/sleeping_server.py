"""`parakeet serve` with a model that computes nothing: it sleeps as long as a GPU would take.

python -m benchmarks.server.sleeping_server serve --port 0 --io-processes 2

So the processor's time is that of sockets and of the engine's book-keeping. A call sleeps 5 ms and
1 ms more for each second of audio in it; a token is said in every fifth frame, by its number.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import parakeet_command
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.ports import (
    Decoded,
    DecoderInput,
    DecoderState,
    Emission,
    Encoded,
    EncoderInput,
    Floats,
)
from parakeet_streaming.server import composition
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, encoder_frames

_CALL_S = 0.005
_SECOND_S = 0.001
_TOKEN_EVERY = 5
_TOKENS = 64


@dataclass
class SleepingModel:
    """A `Transducer`."""

    max_samples = None
    keeps_past = False
    durations = (0, 1, 2, 3, 4)
    fingerprint = "sleeping"
    runs_on = "a sleep"

    def start(self) -> DecoderState:
        return DecoderState(_TOKENS, 0, 0, None)

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        lengths = tuple(encoder_frames(each.samples.shape[0]) for each in inputs)
        audio_s = sum(each.samples.shape[0] for each in inputs) / SAMPLE_RATE_HZ
        time.sleep(_CALL_S + _SECOND_S * audio_s)
        return Encoded(None, lengths, tuple(None for _ in inputs))

    def decode(self, encoded: Encoded, inputs: Sequence[DecoderInput]) -> list[Decoded]:
        found = []
        for each in inputs:
            state = each.state
            begin = state.decoded_frames
            border = begin + each.chunk_end - each.chunk_start
            end = begin + each.lookahead_end - each.chunk_start
            after = DecoderState(state.last_token, 0, border, None)
            ahead = DecoderState(state.last_token, 0, end, None)
            found.append(Decoded(_said(begin, border), _said(border, end), after, ahead))
        return found

    def memory_to_arrays(self, memory: object) -> dict[str, Floats]:
        return {}

    def memory_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        return None

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        return {}

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> object:
        return None


@dataclass(frozen=True)
class Numbers:
    """A vocabulary."""

    size: int = _TOKENS

    def text_of(self, token_id: int) -> str:
        return f" word{token_id}"


class Voice:
    """A `VoiceActivity` that hears speech all the time."""

    frame_samples = 512

    def start(self) -> object:
        return 0

    def probabilities(
        self, blocks: Sequence[Floats], states: Sequence[object]
    ) -> tuple[list[Floats], list[object]]:
        found = [np.full(len(each) // self.frame_samples, 0.9, np.float32) for each in blocks]
        return found, list(states)

    def state_to_arrays(self, state: object) -> dict[str, Floats]:
        return {}

    def state_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        return 0


def _said(begin: int, end: int) -> tuple[Emission, ...]:
    """Tokens of frames [begin, end)."""
    first = -(-begin // _TOKEN_EVERY) * _TOKEN_EVERY
    return tuple(
        Emission(frame // _TOKEN_EVERY % _TOKENS, frame, 1, 0.9)
        for frame in range(first, end, _TOKEN_EVERY)
    )


def main() -> None:
    """Runs the command."""

    def load(*_: object, **__: object) -> Recognizer:
        return Recognizer(SleepingModel(), Numbers(), name="sleeping")

    setattr(composition, "load", load)  # noqa: B010  what it is typed as loads from a folder
    setattr(composition, "load_vad", Voice)  # noqa: B010
    parakeet_command.main()


if __name__ == "__main__":
    main()
