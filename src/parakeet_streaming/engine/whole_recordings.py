"""The length of a recording in; the context that decodes it as a whole, or in long windows, out."""

from __future__ import annotations

import math
from typing import Final

from parakeet_streaming.limits import check_number
from parakeet_streaming.timeline import FRAME_S, FRAME_SAMPLES, ContextConfig

OFFLINE_CONTEXT: Final = ContextConfig(left=15.0, chunk=90.0, right=15.0)
"""Overlapping windows for audio longer than one window can be."""

# What a file says of its length may be an estimate; room to spare costs nothing.
_SPARE_FRAMES: Final = 25


def whole_context(audio_s: float | None, max_window_samples: int) -> ContextConfig:
    """The context that decodes so many seconds (None: unknown), with windows of so many samples.

    Raises:
        OptionError: no number of seconds.
    """
    if audio_s is not None:
        # As long as it likes: a file may say anything of its length.
        check_number("audio_s", audio_s, 0, math.inf, "seconds")
        most_frames = max_window_samples // FRAME_SAMPLES
        frames = int(min(audio_s / FRAME_S, most_frames)) + 2
        if frames <= most_frames:
            chunk_frames = min(frames + _SPARE_FRAMES, most_frames)
            # Half a frame more, so that flooring gives these frames back.
            return ContextConfig(left=0.0, chunk=(chunk_frames + 0.5) * FRAME_S, right=0.0)
    longest = OFFLINE_CONTEXT.samples
    share = min(1.0, max_window_samples / longest.window)
    return ContextConfig(
        left=OFFLINE_CONTEXT.left * share,
        chunk=OFFLINE_CONTEXT.chunk * share,
        right=OFFLINE_CONTEXT.right * share,
    )
