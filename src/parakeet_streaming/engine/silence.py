"""A decoder's state before frames without speech in; its state after them, undecoded, out."""

from __future__ import annotations

from dataclasses import replace

from parakeet_streaming.ports import DecoderState


def after_silence(
    state: DecoderState, frames: int, quiet_frames: int, longest_duration: int
) -> DecoderState:
    """The state after `frames` without speech, which are not decoded.

    In silence a decoder goes from blank to blank by the longest duration. So does this, as far as
    `quiet_frames` frames of the next chunk are quiet too: the frames that are decoded when somebody
    speaks again are then those that decoding would have come to.
    """
    beyond = state.frames_to_skip - frames
    if beyond < 0:
        landing = beyond % longest_duration
        beyond = landing if landing <= quiet_frames else 0
    return replace(state, frames_to_skip=beyond, decoded_frames=state.decoded_frames + frames)
