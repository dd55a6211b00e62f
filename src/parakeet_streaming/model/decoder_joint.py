"""Tokens, LSTM states and encoder frames in; prediction network outputs and raw logits out.

Rules of this file:

1. Prediction network and joint are two sessions, whether the export has them in one file or two.
2. A graph that quantises activations over the whole call gives every row its own call of one frame:
   what a stream gets must not depend on its neighbours, nor a frame on the frames scored with it.
3. The start symbol is the blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.model.answers import require_shape
from parakeet_streaming.model.finite import require_finite, require_scores
from parakeet_streaming.ports import Floats
from parakeet_streaming.runtime.session import Session

FRAMES_PER_CALL: Final = 4
"""Frames scored ahead. A call mostly costs reading the joint's weights, so a few frames more are
nearly free, and the next token is mostly among them. Of 1, 2, 4, 8 and 16, with a joint of full
size, 4 is the fastest on long chunks; on short ones all are alike (`benchmarks.speed.overhead`)."""


class OnnxDecoderJoint:
    """Prediction network and joint.

    What they give is finite, or it is a ComputeError; it has the shapes that the files promise, or
    it is a ModelFormatError.
    """

    def __init__(
        self,
        predictor: Session,
        joint: Session,
        spec: ModelSpec,
        predictions: tuple[str, str],
        files: tuple[str, str] = ("the prediction network", "the joint"),
    ) -> None:
        """A prediction network and a joint as one.

        Args:
            predictor: the prediction network.
            joint: the joint.
            spec: of the model.
            predictions: what the predictor, and the joint, call the tensor between them.
            files: what messages call the two.
        """
        self._predictor_file, self._joint_file = files
        self._predictor = predictor
        self._joint = joint
        self._names = spec.names
        self._predictions, self._joint_predictions = predictions
        self._rows_alone = not spec.rows_independent
        self._predictor_alone = self._rows_alone or spec.predictor_batch_one
        self._state_shape = (spec.predictor_layers, 1, spec.predictor_width)
        self._vocabulary_size = spec.vocabulary.size
        self._prediction_shape: tuple[int, ...] = ()
        """Of a row of the prediction network's output: what the first call gave."""
        self._scores = spec.vocabulary.size + len(spec.durations)
        self.blank_id = spec.vocabulary.blank_id
        self.durations = spec.durations
        self.frames_per_call = 1 if self._rows_alone else FRAMES_PER_CALL

    def start(self) -> tuple[Floats, Floats, Floats]:
        """Output (1, ...), hidden and cell (L, 1, H) after the start symbol."""
        zeros = np.zeros(self._state_shape, dtype=np.float32)
        return self._predict([self.blank_id], zeros, zeros)

    def advance(
        self, tokens: Sequence[int], hidden: Floats, cell: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Runs the prediction network of B streams by one token each.

        Args:
            tokens: B token ids.
            hidden: (L, B, H) float32.
            cell: (L, B, H) float32.

        Returns:
            Output (B, ...), hidden and cell (L, B, H), float32.
        """
        if len(tokens) == 1 or not self._predictor_alone:
            return self._predict(tokens, hidden, cell)
        steps = [
            self._predict([token], hidden[:, row : row + 1], cell[:, row : row + 1])
            for row, token in enumerate(tokens)
        ]
        outputs, hiddens, cells = zip(*steps, strict=True)
        return np.concatenate(outputs), np.concatenate(hiddens, 1), np.concatenate(cells, 1)

    def score(self, frames: Floats, output: Floats) -> tuple[Floats, Floats | None]:
        """Scores frames (B, K, D) under outputs (B, ...) of the prediction network.

        Returns:
            Raw logits (B, K, V) of tokens and (B, K, n) of durations, None for RNN-T.
        """
        columns = np.ascontiguousarray(frames.transpose(0, 2, 1))
        if self._rows_alone and frames.shape[0] > 1:
            rows = range(frames.shape[0])
            logits = np.concatenate(
                [self._join(columns[row : row + 1], output[row : row + 1]) for row in rows]
            )
        else:
            logits = self._join(columns, output)
        if not self.durations:
            return logits, None
        return logits[..., : self._vocabulary_size], logits[..., self._vocabulary_size :]

    def _join(self, columns: Floats, output: Floats) -> Floats:
        """Logits (B, K, V + n) of frames (B, D, K)."""
        feeds = {self._names.joint_frames: columns, self._joint_predictions: output}
        logits: Floats = self._joint.run(feeds)[self._names.logits]
        shape = (columns.shape[0], columns.shape[2], 1, self._scores)
        require_shape(logits, shape, self._joint_file, self._names.logits)
        # Each part needs a best one: durations that are well say nothing of tokens that are not.
        require_scores(logits[..., : self._vocabulary_size], self._joint_file)
        require_scores(logits[..., self._vocabulary_size :], self._joint_file)
        return logits[:, :, 0, :]

    def _predict(
        self, tokens: Sequence[int], hidden: Floats, cell: Floats
    ) -> tuple[Floats, Floats, Floats]:
        names = self._names
        feeds: dict[str, NDArray[np.generic]] = {
            names.targets: np.array(tokens, dtype=np.int64)[:, None],
            names.hidden: hidden,
            names.cell: cell,
        }
        if names.target_lengths is not None and names.target_lengths in self._predictor.inputs:
            feeds[names.target_lengths] = np.ones(len(tokens), dtype=np.int64)
        outputs = self._predictor.run(feeds)
        found = outputs[self._predictions], outputs[names.next_hidden], outputs[names.next_cell]
        output, *states = found
        layers, _, width = self._state_shape
        for values, name in zip(states, (names.next_hidden, names.next_cell), strict=True):
            require_shape(values, (layers, len(tokens), width), self._predictor_file, name)
        rest = self._prediction_shape = self._prediction_shape or output.shape[1:]
        require_shape(output, (len(tokens), *rest), self._predictor_file, self._predictions)
        for values in found:
            require_finite(values, self._predictor_file)
        return found
