"""Windows know where they lie, and how their frames are divided."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from parakeet_streaming.engine.spans import Span, Window
from parakeet_streaming.timeline import FRAME_SAMPLES

FRAME = FRAME_SAMPLES


def test_a_span_ends_after_its_right_context():
    span = Span(2 * FRAME, 3 * FRAME, FRAME, 5 * FRAME, is_last=False)
    assert (span.chunk_end, span.lookahead_end) == (8 * FRAME, 9 * FRAME)
    assert span.needed_to == 9 * FRAME + 1
    last = Span(2 * FRAME, 4 * FRAME, 0, 5 * FRAME, is_last=True)
    assert last.needed_to == last.lookahead_end == 9 * FRAME


def test_the_last_window_decodes_all_its_frames():
    samples = np.zeros(7 * FRAME + 5, np.float32)
    window = Window(2 * FRAME + 5, 3 * FRAME, 2 * FRAME, 9 * FRAME, False, samples)
    assert (window.left_frames, window.chunk_frames(8)) == (2, 3)
    last = Window(2 * FRAME + 5, 5 * FRAME, 0, 9 * FRAME, True, samples)
    assert (last.chunk_frames(8), last.chunk_frames(1)) == (6, 0)


def test_spans_are_frozen():
    with pytest.raises(FrozenInstanceError):
        Span(0, FRAME, 0, 0, is_last=True).chunk_start = 6
