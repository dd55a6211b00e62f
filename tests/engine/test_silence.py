"""Frames without speech, passed over as a decoder would pass over them."""

from dataclasses import replace

import pytest

from parakeet_streaming.engine.silence import after_silence
from parakeet_streaming.testing import ScriptedDecoderJoint
from tests.model.decoding import initial_state


@pytest.mark.parametrize(
    ("carried", "frames", "quiet_after", "entered_at"),
    [
        (0, 6, 3, 2),  # 0, 4, 8: two frames behind the sixth
        (3, 6, 3, 1),  # 3, 7
        (2, 6, 0, 0),  # 2, 6
        (0, 6, 1, 0),  # somebody may speak two frames behind it
        (0, 6, 2, 2),
        (9, 6, 0, 3),  # a duration that reaches beyond is kept whatever lies behind
        (6, 6, 3, 0),
    ],
)
def test_silence_is_passed_over_by_the_longest_duration(carried, frames, quiet_after, entered_at):
    state = replace(initial_state(ScriptedDecoderJoint([], 1)), frames_to_skip=carried)
    after = after_silence(state, frames, quiet_after, 4)
    assert (after.frames_to_skip, after.decoded_frames) == (entered_at, frames)


def test_without_durations_every_frame_is_looked_at():
    state = initial_state(ScriptedDecoderJoint([], 1, durations=()))
    assert after_silence(state, 6, 3, 1).frames_to_skip == 0
