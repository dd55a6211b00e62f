"""Windows in; what the model made of an equal window before, out.

Rules of this file:

1. Only windows without any sound are looked at: all their samples are one value, as those of a
   channel on which nobody is, or of a telephone that sends nothing. They are often equal; others
   never are.
2. What an encoder gives depends on the samples, their number and how many of them stand for silence
   after the audio, and on nothing else. So tokens are those that encoding again would give.
3. What a decoder gives depends on that, on its memory and on where it goes on. So a decoding that
   gave no token is that of every later one from the same memory.
4. A window is encoded alone to be kept, and only a few are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from parakeet_streaming.ports import (
    Decoded,
    DecoderInput,
    Encoded,
    EncoderInput,
    Floats,
    Transducer,
)
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_MOST_KEPT: Final = 12
"""Windows of a stream have about as many lengths, from its first to its last."""
_MOST_SAMPLES: Final = 60 * SAMPLE_RATE_HZ
"""Longer windows are rarely equal, and their frames take megabytes."""


@dataclass(frozen=True, slots=True)
class EqualWindow:
    """One window without sound: its frames, and what was decoded of them."""

    encoded: Encoded
    """The window as its only row."""
    _decoded: dict[tuple[object, ...], tuple[DecoderInput, Decoded]] = field(default_factory=dict)

    def decoded(self, given: DecoderInput, transducer: Transducer) -> Decoded:
        """What the decoder makes of the window. Where that is nothing, it is made once."""
        state = given.state
        frames = (given.chunk_start, given.chunk_end, given.lookahead_end)
        key = (*frames, state.last_token, state.frames_to_skip, *state.bias_states)
        before, known = self._decoded.get(key, (None, None))
        if before is not None and known is not None and _is_alike(before, given):
            first = before.state
            return _later(known, state.decoded_frames - first.decoded_frames)
        (decoded,) = transducer.decode(self.encoded, [given])
        if not decoded.emissions and not decoded.lookahead:
            self._decoded[key] = (given, decoded)
        return decoded


class EqualWindows:
    """Windows without sound, encoded once. For one thread."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, float], EqualWindow] = {}

    def find(self, given: EncoderInput, transducer: Transducer) -> EqualWindow | None:
        """The window; None where it has sound, or is no equal to any other."""
        samples = given.samples
        if given.kept_frames is not None or given.past is not None or not _is_silent(samples):
            return None
        key = (len(samples), given.tail_samples, float(samples[0]))
        window = self._kept.pop(key, None) or EqualWindow(transducer.encode([given]))
        if len(self._kept) >= _MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = window
        return window


def _is_alike(before: DecoderInput, given: DecoderInput) -> bool:
    """Whether the decoder goes on from the same memory, by the same biases."""
    one, other = before.state, given.state
    biases = zip(before.biases, given.biases, strict=False)
    same = len(before.biases) == len(given.biases) and all(a is b for a, b in biases)
    return same and one.memory is other.memory


def _later(decoded: Decoded, frames: int) -> Decoded:
    """The same, so many frames later in its stream."""
    state, ahead = decoded.state, decoded.ahead
    state = replace(state, decoded_frames=state.decoded_frames + frames)
    if ahead is not None:
        ahead = replace(ahead, decoded_frames=ahead.decoded_frames + frames)
    return replace(decoded, state=state, ahead=ahead)


def _is_silent(samples: Floats) -> bool:
    """Whether all samples are one value."""
    if not 0 < len(samples) <= _MOST_SAMPLES or samples[0] != samples[-1]:
        return False
    return bool((samples == samples[0]).all())
