"""Windows of samples and the kept past of their streams in; encoder frames (U, D) of each out.

The graph is that of `torch_model/cached.py`: it encodes one step beside the keys and values of the
left context. From an empty past, one step over a whole window is that window's encoding, so the
same graph serves window mode too.

Rules of this file:

1. Features are normalised by mean and deviation over the whole window, as in window mode. Log-mels
   are kept for that, and none is computed twice but the few that more sound would change.
2. A past is never changed: a step that fails can be tried again.
3. What is kept is the chunk's. Frames of the right context are encoded again by the next step.

What differs from the window's answer: a frame of the left context stays as it was when it was
chunk, where a window would encode it again, from another left end and normalised anew.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parakeet_streaming.catalog.limits import (
    MOST_ENCODER_LAYERS,
    MOST_PAST_VALUES,
    MOST_REACH,
    MOST_WIDTH,
    refuse_beyond,
)
from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.model.answers import require_room
from parakeet_streaming.model.encoder_past import EncoderPast, lay_blocks, with_block
from parakeet_streaming.model.features import (
    SPOILT_BEFORE_CUT,
    SPOILT_BEHIND_CUT,
    normalised,
    raw_log_mel,
    without_tail,
)
from parakeet_streaming.model.finite import require_finite
from parakeet_streaming.ports import Encoded, EncoderInput, Floats
from parakeet_streaming.runtime.session import Array, Session
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    HOP_SAMPLES,
    SUBSAMPLING,
    encoder_frames,
    feature_frames,
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A step's part in a call of the graph."""

    features: Floats
    """(F, 8 + T), normalised; the first 8 are the look-back, zeros where there is none."""
    log_mel: Floats
    """(F, n) of the whole window, not normalised."""
    chunk_at: int
    """Where the chunk begins in it."""
    look_back: int
    """8 or 0."""
    past: EncoderPast


class _Room(threading.local):
    """Where the pasts of a call are put together: new memory for each call costs half as much.

    What an earlier call left in slots that a row does not fill is masked.
    """

    def __init__(self) -> None:
        self._room = np.zeros((2, 0), dtype=np.float32)

    def of(self, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
        """Two arrays of that shape, until the same thread's next call."""
        size = math.prod(shape)
        if size > self._room.shape[1]:
            self._room = np.zeros((2, size), dtype=np.float32)
        keys, values = (room[:size].reshape(shape) for room in self._room)
        return keys, values


class OnnxCachedEncoder:
    """Log-mel features and an encoder graph that takes and gives the past."""

    max_samples = None
    keeps_past = True

    def __init__(self, session: Session, spec: ModelSpec, name: str = "the encoder") -> None:
        """`name`: what messages call the graph."""
        assert spec.names.cached is not None
        self._name = name
        self._session = session
        self._mel_bins = spec.mel_bins
        self._width = spec.encoder_width
        self._names = spec.names
        self._past_names = spec.names.cached
        self._rows_independent = spec.encoder_rows_independent
        self._empty = self._empty_past()
        self._room = _Room()

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Encodes B windows; frames are B arrays float32 (U, D).

        A window without a past is encoded whole; one with a past from its chunk on. Whole windows
        share a call, and so do windows of streams that keep a past: padding one kind to the length
        of the other would cost more than a call.

        Raises:
            ComputeError: the graph could not run, or gave numbers that are not finite.
            ModelFormatError: it gave tensors of another shape than it declares.
        """
        lengths = [encoder_frames(each.samples.shape[0] - _known_samples(each)) for each in inputs]
        frames = [np.zeros((0, self._width), np.float32) for _ in inputs]
        pasts = [None if each.kept_frames is None else each.past or self._empty for each in inputs]
        for rows in self._groups(inputs, lengths):
            prepared = [self._prepare(inputs[row]) for row in rows]
            outputs = self._run(prepared)
            self._check_shapes(outputs, len(rows), max(lengths[row] for row in rows))
            encoded = outputs[self._names.frames].transpose(0, 2, 1)
            for at, row in enumerate(rows):
                frames[row] = encoded[at, : lengths[row]].copy()
                require_finite(frames[row], self._name)
                if inputs[row].kept_frames is not None:
                    pasts[row] = self._kept(inputs[row], prepared[at], outputs, at, lengths[row])
        return Encoded(frames, tuple(lengths), tuple(pasts))

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """What is kept of a stream as named arrays."""
        assert isinstance(past, EncoderPast)
        return past.to_arrays()

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> EncoderPast:
        """What was kept, of which `past_to_arrays` made the arrays: `most_frames` at most.

        Raises:
            SnapshotError: arrays of other names or shapes, or more frames than that.
        """
        return self._empty.from_arrays(arrays, most_frames)

    def _groups(self, inputs: Sequence[EncoderInput], lengths: Sequence[int]) -> list[list[int]]:
        """Rows that share a call of the graph; rows without a frame need none."""
        rows = [row for row, length in enumerate(lengths) if length > 0]
        if not self._rows_independent:
            return [[row] for row in rows]
        whole = [row for row in rows if inputs[row].kept_frames is None]
        keeping = [row for row in rows if inputs[row].kept_frames is not None]
        return [group for group in (whole, keeping) if group]

    def _prepare(self, given: EncoderInput) -> _Row:
        past = given.past or self._empty
        assert isinstance(past, EncoderPast)
        known = _known_samples(given)
        new = feature_frames(given.samples.shape[0] - known)
        log_mel, left = self._log_mel(given.samples, known, past, new)
        look_back = SUBSAMPLING if left >= SUBSAMPLING else 0
        features = np.zeros((self._mel_bins, SUBSAMPLING + new), dtype=np.float32)
        heard = without_tail(log_mel, given.samples.shape[0], given.tail_samples)
        features[:, SUBSAMPLING - look_back :] = normalised(log_mel[:, left - look_back :], heard)
        return _Row(features, log_mel, left, look_back, past)

    def _log_mel(
        self, samples: Floats, known_samples: int, past: EncoderPast, new: int
    ) -> tuple[Floats, int]:
        """Log-mels of a window whose chunk and right context are `new` frames, and its left ones.

        Only those that the past does not have are computed.
        """
        chunk_at = past.log_mel.shape[1] - past.ahead
        left = min(feature_frames(known_samples), chunk_at)
        ahead = max(-left, min(past.ahead, new - SPOILT_BEFORE_CUT))
        lead = min(left + ahead, SPOILT_BEHIND_CUT)
        unknown = samples[known_samples + (ahead - lead) * HOP_SAMPLES :]
        fresh = raw_log_mel(unknown, self._mel_bins)[:, lead:]
        known = past.log_mel[:, chunk_at - left : chunk_at + ahead]
        return np.concatenate((known, fresh), axis=1), left

    def _run(self, rows: Sequence[_Row]) -> dict[str, Array]:
        names = self._past_names
        lengths = np.array([row.features.shape[1] for row in rows], dtype=np.int64)
        features = np.zeros((len(rows), self._mel_bins, int(lengths.max())), dtype=np.float32)
        filled = np.array([row.past.frames for row in rows], dtype=np.int64)
        layers, _, width = self._empty.convolved.shape
        slots = max(1, int(filled.max()))
        keys, values = self._room.of((layers, len(rows), slots, width))
        for at, row in enumerate(rows):
            features[at, :, : lengths[at]] = row.features
            lay_blocks(row.past.keys, keys[:, at])
            lay_blocks(row.past.values, values[:, at])
        return self._session.run(
            {
                self._names.features: features,
                self._names.feature_lengths: lengths,
                names.look_back: np.array([row.look_back for row in rows], dtype=np.int64),
                names.past_keys: keys,
                names.past_values: values,
                names.past_convolved: np.stack([row.past.convolved for row in rows], axis=1),
                names.past_filled: filled,
            }
        )

    def _check_shapes(self, outputs: dict[str, Array], rows: int, frames: int) -> None:
        layers, reach, width = self._empty.convolved.shape
        names, file = self._past_names, self._name
        require_room(
            outputs[self._names.frames], (rows, self._width, frames), 2, file, self._names.frames
        )
        for name in (names.keys, names.values):
            require_room(outputs[name], (layers, rows, frames, width), 2, file, name)
        convolved = outputs[names.convolved]
        require_room(convolved, (layers, rows, reach + frames, width), 2, file, names.convolved)

    def _kept(
        self, given: EncoderInput, row: _Row, outputs: dict[str, Array], at: int, length: int
    ) -> EncoderPast:
        """The past after the chunk of a window."""
        assert given.kept_frames is not None
        names, past = self._past_names, row.past
        unknown_samples = given.left_samples - _known_samples(given)
        chunk_frames = unknown_samples // FRAME_SAMPLES + given.chunk_samples // FRAME_SAMPLES
        chunk = min(chunk_frames, length)
        chunk_end = min(row.chunk_at + chunk * SUBSAMPLING, row.log_mel.shape[1])
        certain = row.log_mel.shape[1] - SPOILT_BEFORE_CUT
        keys, values = (outputs[name][:, at, :chunk] for name in (names.keys, names.values))
        reach = past.convolved.shape[1]
        return EncoderPast(
            log_mel=row.log_mel[:, :certain],
            ahead=certain - chunk_end,
            keys=with_block(past.keys, keys, given.kept_frames),
            values=with_block(past.values, values, given.kept_frames),
            convolved=outputs[names.convolved][:, at, chunk : chunk + reach].copy(),
        )

    def _empty_past(self) -> EncoderPast:
        keys = self._session.inputs[self._past_names.past_keys]
        convolved = self._session.inputs[self._past_names.past_convolved]
        layers, width, reach = keys.fixed(0), keys.fixed(3), convolved.fixed(2)
        if layers is None or width is None or reach is None:
            raise ModelFormatError(
                "the cached encoder does not declare its layers, width and reach; export it again "
                "with `parakeet export MODEL --to FOLDER --streaming cached`"
            )
        for what, size, most in (
            ("layers", layers, MOST_ENCODER_LAYERS),
            ("reach", reach, MOST_REACH),
            ("width", width, MOST_WIDTH),
            ("layers by reach by width", layers * reach * width, MOST_PAST_VALUES),
        ):
            refuse_beyond(f"{self._name}: {what} of its past", size, most)
        return EncoderPast(
            np.zeros((self._mel_bins, 0), dtype=np.float32),
            0,
            (),
            (),
            np.zeros((layers, reach, width), dtype=np.float32),
        )


def _known_samples(given: EncoderInput) -> int:
    """Samples of left context that the past stands for."""
    return 0 if given.past is None else given.left_samples
