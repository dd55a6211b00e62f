"""Windows of samples in; encoder frames (B, U, D) float32 and their lengths out.

Rules of this file:

1. Frames are counted by our own arithmetic: exports answer 1 for a window without any feature
   frame, and some answer more than their tensor holds.
2. A window longer than the position table never reaches the network.
3. Windows are padded with zero features to the longest of the call. Where a graph quantises
   activations over the whole call, rows would colour each other, so each goes alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.model.features import log_mel
from parakeet_streaming.ports import Floats
from parakeet_streaming.runtime.session import Session
from parakeet_streaming.timeline import FRAME_SAMPLES, encoder_frames, samples_to_seconds


class OnnxEncoder:
    """Log-mel features and the encoder graph."""

    def __init__(self, session: Session, spec: ModelSpec) -> None:
        self._session = session
        self._mel_bins = spec.mel_bins
        self._width = spec.encoder_width
        self._names = spec.names
        self._rows_independent = spec.encoder_rows_independent
        self.max_samples = None if spec.max_frames is None else spec.max_frames * FRAME_SAMPLES

    def encode(self, windows: Sequence[Floats]) -> tuple[Floats, NDArray[np.int64]]:
        """Encodes B windows, each float32 (n,) at 16 kHz, n from 0 to `max_samples`.

        Returns:
            Frames (B, U, D) float32, padded behind each row's length, and lengths (B,).

        Raises:
            AudioInputError: a window longer than the position table.
        """
        for window in windows:
            self._check_length(window)
        lengths = np.array([encoder_frames(window.shape[0]) for window in windows], dtype=np.int64)
        frames = np.zeros((len(windows), int(lengths.max(initial=0)), self._width), np.float32)
        heard = [row for row in range(len(windows)) if lengths[row] > 0]
        groups = [heard] if self._rows_independent else [[row] for row in heard]
        for rows in filter(None, groups):
            encoded = self._run([log_mel(windows[row], self._mel_bins) for row in rows])
            for row, row_frames in zip(rows, encoded, strict=True):
                frames[row, : lengths[row]] = row_frames[: lengths[row]]
        return frames, lengths

    def _run(self, features: Sequence[Floats]) -> Floats:
        """Runs the graph on features (F, T) of each row; frames (B, U, D)."""
        lengths = np.array([each.shape[1] for each in features], dtype=np.int64)
        padded = np.zeros((len(features), self._mel_bins, int(lengths.max())), dtype=np.float32)
        for row, each in enumerate(features):
            padded[row, :, : each.shape[1]] = each
        outputs = self._session.run(
            {self._names.features: padded, self._names.feature_lengths: lengths}
        )
        frames: Floats = outputs[self._names.frames]
        return frames.transpose(0, 2, 1)

    def _check_length(self, window: Floats) -> None:
        if self.max_samples is not None and window.shape[0] > self.max_samples:
            raise AudioInputError(
                f"a window of {samples_to_seconds(window.shape[0]):.1f} s is longer than this "
                f"model's position table ({samples_to_seconds(self.max_samples):.1f} s); "
                "transcribe in overlapping windows instead"
            )
