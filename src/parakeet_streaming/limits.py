"""A number that a caller chose in; the number, or an OptionError that says what is possible, out.

Rules of this file:

1. Every number that a caller may give has a least and a most; here are those of all rooms, each
   with its reason. (Contexts and sample rates are in `timeline.py`, with the arithmetic of time.)
2. What is no number, NaN and infinity among it, is refused like a number that is too large.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from parakeet_streaming.errors import OptionError

LEAST_SECONDS: Final = 1e-6
"""A time that must not be nothing."""
DEFAULT_SYMBOLS: Final = 10
"""Tokens on one frame of 80 ms, where neither the caller nor the model says how many: NeMo's own
default. The fastest speech needs two or three."""
MOST_SYMBOLS: Final = 1_000
"""Tokens on one frame, by a caller or by a model's files. No decoder goes without a bound: one that
stays on a frame would never end. A file that asks for none gets this one."""
MOST_SEGMENT_GAP_S: Final = 3_600.0
"""A gap between words that ends a segment."""
MOST_STALL_S: Final = 3_600.0
"""Speech without a token that counts as a stall; a window holds less."""
MOST_LEVEL_DB: Final = 200.0
"""Beyond the range of float32 samples, in both directions."""
MOST_RING_S: Final = 3_600.0
"""Audio that may wait in a ring: 230 MB at 16 kHz. Longer recordings are read in blocks."""
MOST_GAP_S: Final = 86_400
"""Audio that was lost at once; silence of that length is decoded in its place."""
MOST_BURST_S: Final = 600.0
"""Audio that a source hands over at once; a ring holds twice that."""
MOST_RING_SLOTS: Final = 250_000
"""Values that may wait in a ring: tokens of half a day of speech, in a quarter of a second."""
MOST_RING_SAMPLES: Final = 2**32
"""Samples of one ring: more than `MOST_RING_S` at any rate, and 16 GiB."""
MOST_SEPARATE_CHANNELS: Final = 8
"""Channels of one recording, or of one client, that are transcribed each for itself."""
MOST_STREAMS: Final = 100_000
"""Streams of one engine, and of one step."""
MOST_STEP_AUDIO_S: Final = 86_400.0
"""Audio that one step encodes: a day, of all its streams together."""
MOST_PHRASES: Final = 5_000
"""Phrases that one stream boosts. Each makes all others a little less sure."""
MOST_PHRASE_CHARACTERS: Final = 100
"""Of one phrase: a long name of a firm or a title. A sentence is no phrase."""
MOST_PHRASES_CHARACTERS: Final = 100_000
"""Of all phrases of one stream: 20 for each of the most."""
MOST_PHRASE_WEIGHT: Final = 5.0
"""In both directions; beyond it audio counts for nothing."""
MOST_BOOST: Final = 10.0
"""What weights are multiplied with."""
MOST_BIAS_NATS: Final = 1_000.0
"""A difference of two tokens' logits; real ones stay below a hundred."""
MOST_OTHER_SPLITS: Final = 8
"""Splits of one phrase into tokens, beside the usual one."""
MOST_SHARE: Final = 10.0
"""Nats; with more, a list of two words would never count."""
MOST_DEPTH_SCALING: Final = 10.0
"""How much more a token counts that goes on with a phrase."""
MOST_WAIT_S: Final = 31 * 86_400.0
"""A time to wait for something, in seconds; what is to last longer has no end (None)."""


def check_number(name: str, value: object, least: float, most: float, unit: str = "") -> float:
    """The value, if it is a number from `least` to `most`.

    Raises:
        OptionError: it is none; the message calls it `name`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise OptionError(f"{name} must be a number{_of(unit)}, not {in_short(value)}")
    if not least <= value <= most:  # nor does NaN lie there
        possible = f"{_plain(least)} to {_plain(most)} {unit}".rstrip()
        raise OptionError(f"{name} {in_short(value)}; use {possible}")
    return float(value)


def check_whole(name: str, value: object, least: int, most: int) -> int:
    """The value, if it is a whole number from `least` to `most`.

    Raises:
        OptionError: it is none; the message calls it `name`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise OptionError(f"{name} must be a whole number, not {in_short(value)}")
    if not least <= value <= most:
        raise OptionError(f"{name} {in_short(value)}; use {least} to {most}")
    return int(value)


def _of(unit: str) -> str:
    return f" of {unit}" if unit else ""


def _plain(number: float) -> str:
    return f"{number:.12g}"


def in_short(value: object) -> str:
    """A value as Python writes it; of a long one its beginning."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"of {value.bit_length()} bits"  # thousands of digits cannot even be written
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
