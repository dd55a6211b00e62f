"""Frames (B, U, D) decoded from their start, without look-ahead."""

from parakeet_streaming.model.confidence import probability
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.ports import DecoderInput


def initial_state(joint):
    return LabelLoopingDecoder(joint).start()


def decode(frames, lengths, states, joint, *, max_symbols=10, confidence=probability):
    """`lengths[b]` frames of each row, from `states[b]`."""
    decoder = LabelLoopingDecoder(joint, max_symbols=max_symbols, confidence=confidence)
    inputs = [
        DecoderInput(row, 0, length, length, state)
        for row, (length, state) in enumerate(zip(lengths, states, strict=True))
    ]
    return decoder.decode(list(frames), inputs)
