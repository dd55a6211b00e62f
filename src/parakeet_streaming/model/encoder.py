"""Windows of samples in; encoder frames (U, D) float32 of each out.

Rules of this file:

1. Frames are counted by our own arithmetic: exports answer 1 for a window without any feature
   frame, and some answer more than their tensor holds. A tensor that holds fewer is refused.
2. A window longer than the position table never reaches the network.
3. Windows are padded with zero features to the longest of the call. Where a graph quantises
   activations over the whole call, rows would colour each other, so each goes alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.errors import AudioInputError, SnapshotError
from parakeet_streaming.model.answers import Shaped, require_room
from parakeet_streaming.model.features import log_mel
from parakeet_streaming.model.finite import require_finite
from parakeet_streaming.ports import Encoded, EncoderInput, Floats
from parakeet_streaming.runtime.session import Array, Session
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    SUBSAMPLING,
    encoder_frames,
    samples_to_seconds,
)


class OnnxEncoder:
    """Log-mel features and the encoder graph."""

    keeps_past = False

    def __init__(self, session: Session, spec: ModelSpec, name: str = "the encoder") -> None:
        """`name`: what messages call the graph."""
        self._session = session
        self._name = name
        self._mel_bins = spec.mel_bins
        self._width = spec.encoder_width
        self._names = spec.names
        self._rows_independent = spec.encoder_rows_independent
        self.max_samples = None if spec.max_frames is None else spec.max_frames * FRAME_SAMPLES

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Encodes B windows of 0 to `max_samples` samples; frames are B arrays float32 (U, D).

        Raises:
            AudioInputError: a window longer than the position table.
            ComputeError: the graph could not run, or gave numbers that are not finite.
            ModelFormatError: it gave another width, or fewer frames than there are.
        """
        windows = [each.samples for each in inputs]
        for window in windows:
            self._check_length(window)
        lengths = [encoder_frames(window.shape[0]) for window in windows]
        frames: list[object] = [np.zeros((0, self._width), np.float32) for _ in windows]
        rows = [row for row, length in enumerate(lengths) if length > 0]
        groups = [rows] if self._rows_independent else [[row] for row in rows]
        for group in filter(None, groups):
            encoded = self._encoded(
                [log_mel(windows[row], self._mel_bins, inputs[row].tail_samples) for row in group],
                [lengths[row] for row in group],
            )
            for row, row_frames in zip(group, encoded, strict=True):
                frames[row] = row_frames
        return Encoded(frames, tuple(lengths), (None,) * len(inputs))

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """Nothing: this encoder keeps nothing."""
        return {}

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> object:
        """Raises SnapshotError: this encoder keeps nothing."""
        raise SnapshotError("this model's encoder keeps nothing between steps")

    def _encoded(self, features: Sequence[Floats], lengths: Sequence[int]) -> Sequence[object]:
        """Runs the graph on features (F, T) of each row; frames of each, as many as it has."""
        outputs = self._session.run(self._feeds(features))
        frames: Floats = outputs[self._names.frames]
        self._require_room(frames, features)
        rows = []
        for row, length in zip(frames.transpose(0, 2, 1), lengths, strict=True):
            rows.append(row[:length].copy())
            require_finite(rows[-1], self._name)
        return rows

    def _feeds(self, features: Sequence[Floats]) -> dict[str, Array]:
        lengths = np.array([each.shape[1] for each in features], dtype=np.int64)
        padded = np.zeros((len(features), self._mel_bins, int(lengths.max())), dtype=np.float32)
        for row, each in enumerate(features):
            padded[row, :, : each.shape[1]] = each
        return {self._names.features: padded, self._names.feature_lengths: lengths}

    def _require_room(self, frames: Shaped, features: Sequence[Floats]) -> None:
        least = -(-max(each.shape[1] for each in features) // SUBSAMPLING)
        shape = (len(features), self._width, least)
        require_room(frames, shape, 2, self._name, self._names.frames)

    def _check_length(self, window: Floats) -> None:
        if self.max_samples is not None and window.shape[0] > self.max_samples:
            raise AudioInputError(
                f"a window of {samples_to_seconds(window.shape[0]):.1f} s is longer than this "
                f"model's position table ({samples_to_seconds(self.max_samples):.1f} s); "
                "transcribe in overlapping windows instead"
            )
