"""Windows in; what the encoder made of an equal window before, out.

Rules of this file:

1. Only windows without any sound are looked at: all their samples are one value, as those of a
   channel on which nobody is, or of a telephone that sends nothing. They are often equal; others
   never are.
2. What an encoder gives depends on the samples, their number and how many of them stand for silence
   after the audio, and on nothing else. So tokens are those that encoding again would give.
3. A window is encoded alone to be kept, and only a few are kept.
"""

from __future__ import annotations

from typing import Final

from parakeet_streaming.ports import Encoded, EncoderInput, Floats, Transducer
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_MOST_KEPT: Final = 12
"""Windows of a stream have about as many lengths, from its first to its last."""
_MOST_SAMPLES: Final = 60 * SAMPLE_RATE_HZ
"""Longer windows are rarely equal, and their frames take megabytes."""


class EqualWindows:
    """Windows without sound, encoded once. For one thread."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, float], Encoded] = {}

    def encoded(self, given: EncoderInput, transducer: Transducer) -> Encoded | None:
        """The window as its only row; None where it has sound, or is no equal to any other."""
        samples = given.samples
        if given.kept_frames is not None or given.past is not None or not _is_silent(samples):
            return None
        key = (len(samples), given.tail_samples, float(samples[0]))
        encoded = self._kept.get(key)
        if encoded is None:
            encoded = transducer.encode([given])
            if len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
        else:
            del self._kept[key]
        self._kept[key] = encoded
        return encoded


def _is_silent(samples: Floats) -> bool:
    """Whether all samples are one value."""
    if not 0 < len(samples) <= _MOST_SAMPLES or samples[0] != samples[-1]:
        return False
    return bool((samples == samples[0]).all())
