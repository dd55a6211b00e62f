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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

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
from parakeet_streaming.model.answers import Shaped, require_room
from parakeet_streaming.model.encoder_past import EncoderPast, Past, lay_blocks, with_block
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
class Step:
    """A row's part in a call of the graph."""

    given: EncoderInput
    length: int
    """U: its encoder frames."""

    features: Floats
    """(F, 8 + T), normalised; the first 8 are the look-back, zeros where there is none."""
    log_mel: Floats
    """(F, n) of the whole window, not normalised."""
    chunk_at: int
    """Where the chunk begins in it."""
    look_back: int
    """8 or 0."""
    past: Past
    """What it begins with."""

    @property
    def chunk_frames(self) -> int:
        """How many of its frames are the chunk's."""
        unknown_samples = self.given.left_samples - known_samples(self.given)
        frames = unknown_samples // FRAME_SAMPLES + self.given.chunk_samples // FRAME_SAMPLES
        return min(frames, self.length)

    @property
    def kept_log_mel(self) -> tuple[Floats, int]:
        """What is kept of the log-mels, and how many of these follow the chunk."""
        columns = self.log_mel.shape[1]
        certain = columns - SPOILT_BEFORE_CUT
        chunk_end = min(self.chunk_at + self.chunk_frames * SUBSAMPLING, columns)
        return self.log_mel[:, :certain], certain - chunk_end


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
        self._first: Past = self._empty
        """The past of a stream of which nothing was encoded."""
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
        lengths = [encoder_frames(each.samples.shape[0] - known_samples(each)) for each in inputs]
        frames: list[object] = [np.zeros((0, self._width), np.float32) for _ in inputs]
        pasts = [None if each.kept_frames is None else each.past or self._first for each in inputs]
        for rows in self._groups(inputs, lengths):
            steps = [self._prepare(inputs[row]) for row in rows]
            for row, (row_frames, past) in zip(rows, self._encoded(steps), strict=True):
                frames[row] = row_frames
                if inputs[row].kept_frames is not None:
                    pasts[row] = past
        return Encoded(frames, tuple(lengths), tuple(pasts))

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """What is kept of a stream as named arrays."""
        assert isinstance(past, EncoderPast)
        return past.to_arrays()

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> Past:
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

    def _prepare(self, given: EncoderInput) -> Step:
        past = given.past or self._first
        assert isinstance(past, type(self._first)), "the past of another encoder"
        known = known_samples(given)
        new = feature_frames(given.samples.shape[0] - known)
        log_mel, left = self._log_mel(given.samples, known, past, new)
        look_back = SUBSAMPLING if left >= SUBSAMPLING else 0
        features = np.zeros((self._mel_bins, SUBSAMPLING + new), dtype=np.float32)
        heard = without_tail(log_mel, given.samples.shape[0], given.tail_samples)
        features[:, SUBSAMPLING - look_back :] = normalised(log_mel[:, left - look_back :], heard)
        length = encoder_frames(given.samples.shape[0] - known)
        return Step(given, length, features, log_mel, left, look_back, past)

    def _log_mel(
        self, samples: Floats, known_samples: int, past: Past, new: int
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

    def _encoded(self, steps: Sequence[Step]) -> Iterable[tuple[object, Past]]:
        """Runs the graph on rows; frames of each, and the past after its chunk if one is kept."""
        outputs = self._session.run(self._feeds(steps) | self._pasts(steps))
        self._check_shapes(outputs, steps)
        frames = outputs[self._names.frames].transpose(0, 2, 1)
        for at, step in enumerate(steps):
            row: Floats = frames[at, : step.length].copy()
            require_finite(row, self._name)
            keeps = step.given.kept_frames is not None
            yield row, self._kept(step, outputs, at) if keeps else step.past

    def _feeds(self, steps: Sequence[Step]) -> dict[str, Array]:
        """All that the graph takes but keys, values and inputs of convolutions."""
        lengths = np.array([step.features.shape[1] for step in steps], dtype=np.int64)
        features = np.zeros((len(steps), self._mel_bins, int(lengths.max())), dtype=np.float32)
        for at, step in enumerate(steps):
            features[at, :, : lengths[at]] = step.features
        return {
            self._names.features: features,
            self._names.feature_lengths: lengths,
            self._past_names.look_back: np.array([each.look_back for each in steps], np.int64),
            self._past_names.past_filled: np.array([each.past.frames for each in steps], np.int64),
        }

    def _pasts(self, steps: Sequence[Step]) -> dict[str, Array]:
        names, pasts = self._past_names, [cast(EncoderPast, each.past) for each in steps]
        layers, _, width = self._empty.convolved.shape
        slots = max(1, *(past.frames for past in pasts))
        keys, values = self._room.of((layers, len(steps), slots, width))
        for at, past in enumerate(pasts):
            lay_blocks(past.keys, keys[:, at])
            lay_blocks(past.values, values[:, at])
        return {
            names.past_keys: keys,
            names.past_values: values,
            names.past_convolved: np.stack([past.convolved for past in pasts], axis=1),
        }

    def _check_shapes(self, outputs: Mapping[str, Shaped], steps: Sequence[Step]) -> None:
        layers, reach, width = self._empty.convolved.shape
        names, file = self._past_names, self._name
        rows, frames = len(steps), max(step.length for step in steps)
        require_room(
            outputs[self._names.frames], (rows, self._width, frames), 2, file, self._names.frames
        )
        for name in (names.keys, names.values):
            require_room(outputs[name], (layers, rows, frames, width), 2, file, name)
        convolved = outputs[names.convolved]
        require_room(convolved, (layers, rows, reach + frames, width), 2, file, names.convolved)

    def _kept(self, step: Step, outputs: Mapping[str, Array], at: int) -> EncoderPast:
        """The past after the chunk of a row."""
        names, past, chunk = self._past_names, cast(EncoderPast, step.past), step.chunk_frames
        keys, values = (outputs[name][:, at, :chunk] for name in (names.keys, names.values))
        kept, reach = step.given.kept_frames or 0, past.convolved.shape[1]
        log_mel, ahead = step.kept_log_mel
        return EncoderPast(
            log_mel=log_mel,
            ahead=ahead,
            keys=with_block(past.keys, keys, kept),
            values=with_block(past.values, values, kept),
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


def known_samples(given: EncoderInput) -> int:
    """Samples of left context that the past stands for."""
    return 0 if given.past is None else given.left_samples
