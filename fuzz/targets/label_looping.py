"""Decoding with logits of any value, NaN and infinity too, and any durations.

The runtime is a fake that answers from the input's bytes; what checks its answers is the product's.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import numpy as np

from fuzz.choices import ODD_REALS, Choices
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.model.confidence import measure
from parakeet_streaming.model.decoder_joint import OnnxDecoderJoint
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.ports import Decoded, DecoderInput, Floats
from parakeet_streaming.runtime.session import Array

PIECES = 4
WIDTH = 2
MOST_FRAMES = 9
NAMES = SimpleNamespace(
    joint_frames="frames",
    logits="logits",
    targets="targets",
    target_lengths=None,
    hidden="hidden",
    cell="cell",
    next_hidden="next_hidden",
    next_cell="next_cell",
)


def run(data: bytes) -> None:
    choices = Choices(data)
    durations = tuple(range(choices.one_of((5, 0, 2, 16))))
    max_symbols = choices.number(1, 10)
    fake: Any = FakeRuntime(choices.number(0, 7), len(durations), choices.block())
    joint = OnnxDecoderJoint(fake, fake, _spec(durations, choices), ("output", "output"))
    with suppress(ParakeetError):
        decoder = LabelLoopingDecoder(
            joint,
            max_symbols=max_symbols,
            confidence=measure(choices.one_of(("probability", "entropy"))),
        )
        _decode(decoder, choices, max_symbols)


def _spec(durations: tuple[int, ...], choices: Choices) -> Any:  # noqa: ANN401  a part of a spec
    return SimpleNamespace(
        names=NAMES,
        rows_independent=choices.flag(),
        predictor_batch_one=choices.flag(),
        predictor_layers=1,
        predictor_width=WIDTH,
        vocabulary=SimpleNamespace(size=PIECES, blank_id=PIECES - 1),
        durations=durations,
    )


def _decode(decoder: LabelLoopingDecoder, choices: Choices, max_symbols: int) -> None:
    rows = choices.number(1, 3)
    states = [decoder.start()] * rows
    for _ in range(3):
        ends = [choices.number(0, MOST_FRAMES) for _ in range(rows)]
        frames = [np.full((end, WIDTH), row, np.float32) for row, end in enumerate(ends)]
        inputs = [
            DecoderInput(row, 0, choices.number(0, end), end, states[row])
            for row, end in enumerate(ends)
        ]
        decoded = decoder.decode(frames, inputs)
        for given, each in zip(inputs, decoded, strict=True):
            _check(given, each, max_symbols)
        states = [each.state for each in decoded]


def _check(given: DecoderInput, decoded: Decoded, max_symbols: int) -> None:
    before, after = given.state, decoded.state
    border = before.decoded_frames + given.chunk_end
    assert after.decoded_frames == border
    assert after.frames_to_skip >= 0
    assert len(decoded.emissions) <= max_symbols * given.chunk_end
    at = before.decoded_frames
    for each in (*decoded.emissions, *decoded.lookahead):
        assert at <= each.frame < before.decoded_frames + given.lookahead_end
        assert 0 <= each.token_id < PIECES - 1
        assert 0 <= each.confidence <= 1, each.confidence
        at = each.frame
    assert all(each.frame < border for each in decoded.emissions)


class FakeRuntime:
    """Prediction network and joint in one; `fault` chooses an answer of a wrong shape."""

    inputs: Mapping[str, object] = {}

    def __init__(self, fault: int, durations: int, values: bytes) -> None:
        self._fault = fault
        self._scores = PIECES + durations
        self._values = np.frombuffer(values or b"\0", np.uint8)
        self._at = 0

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Answers of any value, in the shapes that are wanted but for the fault."""
        if "frames" in feeds:
            rows, _, columns = feeds["frames"].shape
            scores = self._scores - (self._fault == 1)
            columns += {2: -1, 3: 1}.get(self._fault, 0)
            return {"logits": self._filled((rows, columns, 1, scores))}
        rows = feeds["targets"].shape[0] + (self._fault == 4)
        state = (1, rows, WIDTH - (self._fault == 5))
        return {
            "output": np.zeros((rows, WIDTH, 1), np.float32),
            "next_hidden": np.zeros(state, np.float32),
            "next_cell": np.zeros(state, np.float32),
        }

    def _filled(self, shape: tuple[int, ...]) -> Floats:
        count = int(np.prod(shape))
        drawn = self._values[(self._at + np.arange(count)) % len(self._values)]
        self._at += count + 1
        odd = np.array(ODD_REALS, np.float64)[drawn % len(ODD_REALS)]
        with np.errstate(over="ignore"):
            values = np.where(drawn < 224, drawn / 16.0 - 7, odd).astype(np.float32)
        filled: Floats = values.reshape(shape)
        return filled


def seeds() -> Iterator[bytes]:
    for fault in range(6):
        yield bytes((fault % 4, 4, fault, 40, *range(0, 240, 6), 1, 0, 0, 2, 9, 9, 9, 5, 5, 5))
    yield bytes((0, 9, 0, 30, *range(226, 256), 0, 0, 0, 0, 9, 4))
