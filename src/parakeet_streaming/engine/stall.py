"""A window's samples and what the decoder made of its chunk in; a result without stalls out.

The defect most often reported of transducers in streaming use is silence where there was speech:
after the end of a sentence the carried state makes the decoder choose blank for seconds on end. The
guard looks for stretches without a token over frames with the
energy of speech, decodes such a stretch again from a fresh state, and marks what it finds.

Rules of this file:

1. Without a guard nothing here runs, and results are exactly the reference's.
2. The guard only adds tokens, only where the decoder gave none, and only in order. What was
   committed before stays.
3. A stretch is decoded again once; it must gain as much speech again before the next attempt.
4. Energy is judged within the window, against its own quietest frames: short windows (below about
   four seconds) hold too little to judge, and there the guard stays silent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.limits import MOST_LEVEL_DB, MOST_STALL_S, check_number
from parakeet_streaming.ports import Decoded, Emission, Floats
from parakeet_streaming.timeline import FRAME_S, FRAME_SAMPLES

_FLOOR_PERCENTILE: Final = 10.0
_SILENT_DBFS: Final = -120.0

Redecode = Callable[[int, int], Decoded]
"""Decodes frames [first, last) of the window from a fresh state; emissions have absolute frames."""


@dataclass(frozen=True, slots=True)
class StallGuard:
    """When silence of the decoder counts as a stall.

    Raises:
        OptionError: a threshold that makes no sense.
    """

    min_speech_s: float = 2.0
    """Seconds of frames with speech energy, without a token, that make a stall."""
    above_floor_db: float = 15.0
    """How far above the window's quietest tenth a frame must be to count as speech."""
    min_level_dbfs: float = -50.0
    """A frame below this level is never speech."""
    min_confidence: float = 0.5
    """A second decoding is taken only if its tokens' mean confidence reaches this."""

    def __post_init__(self) -> None:
        check_number("min_speech_s", self.min_speech_s, FRAME_S, MOST_STALL_S, "seconds")
        check_number("above_floor_db", self.above_floor_db, -MOST_LEVEL_DB, MOST_LEVEL_DB, "dB")
        check_number("min_level_dbfs", self.min_level_dbfs, -MOST_LEVEL_DB, MOST_LEVEL_DB, "dBFS")
        check_number("min_confidence", self.min_confidence, 0, 1)

    @property
    def min_speech_frames(self) -> int:
        return round(self.min_speech_s / FRAME_S)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A step's result after the guard has looked at it."""

    decoded: Decoded
    stall_from: int
    """Absolute frame from which the next step looks for a stall."""


def speech_frames(samples: Floats, guard: StallGuard) -> NDArray[np.bool_]:
    """Which encoder frames of a window (n,) have the energy of speech; the last may be partial."""
    frames = -(-samples.shape[0] // FRAME_SAMPLES)
    padded = np.zeros(frames * FRAME_SAMPLES, dtype=np.float32)
    padded[: samples.shape[0]] = samples
    power = np.square(padded.reshape(frames, FRAME_SAMPLES)).mean(axis=1)
    level_db = 10.0 * np.log10(np.maximum(power, 10.0 ** (_SILENT_DBFS / 10.0)))
    floor_db = np.percentile(level_db, _FLOOR_PERCENTILE) if frames else _SILENT_DBFS
    threshold_db = max(floor_db + guard.above_floor_db, guard.min_level_dbfs)
    return np.asarray(level_db >= threshold_db)


def recover(
    guard: StallGuard,
    decoded: Decoded,
    speech: NDArray[np.bool_],
    *,
    window_frame: int,
    stall_from: int,
    redecode: Redecode,
) -> Recovered:
    """Decodes again every stretch of a step in which the decoder stalled.

    Args:
        guard: when it counts as a stall.
        decoded: what the step gave.
        speech: (U,) which frames of the window have speech energy.
        window_frame: absolute frame of the window's first frame.
        stall_from: absolute frame from which no token has been emitted before this step.
        redecode: decodes a stretch of the window from a fresh state.
    """
    emissions: list[Emission] = []
    state = decoded.state
    end = state.decoded_frames
    quiet = max(stall_from, window_frame)
    for emission in (*decoded.emissions, None):
        until = end if emission is None else emission.frame
        first, last = quiet - window_frame, until - window_frame
        if int(speech[first:last].sum()) >= guard.min_speech_frames:
            found = redecode(first, last)
            if _convincing(found, guard):
                emissions += [replace(token, recovered=True) for token in found.emissions]
                state = found.state if emission is None else state
            quiet = until
        if emission is not None:
            emissions.append(emission)
            quiet = emission.frame + max(emission.duration_frames, 1)
    if len(emissions) > len(decoded.emissions) and emissions[-1].recovered:
        quiet = emissions[-1].frame + max(emissions[-1].duration_frames, 1)
    return Recovered(Decoded(tuple(emissions), decoded.lookahead, state), quiet)


def _convincing(found: Decoded, guard: StallGuard) -> bool:
    if not found.emissions:
        return False
    mean = sum(token.confidence for token in found.emissions) / len(found.emissions)
    return bool(mean >= guard.min_confidence)
