"""Blocks of frames and streams' states in; probabilities of speech and the next states out.

Silero VAD, a small recurrent network that ships with the package. A frame is 512 samples at 16 kHz.

Rules of this file:

1. A stream's state is one frozen value, passed in and handed back; nothing is kept here.
2. Rows are independent: a stream gets the same probabilities alone and in any batch, and in blocks
   of any number of frames, apart from rounding.
3. One thread: a call takes a fraction of a millisecond.
4. A stream starts after a quarter of a second of silence. The first frames of a fresh network say
   little: it may miss a word that starts with the stream.
5. The network never knows more than two seconds of silence. After the first second of silence its
   memory is saved, and after each further second it goes back to that. Long silence or noise makes
   it deaf: after pauses of 5 to 40 s of room noise it notices one onset in three late or never, and
   with this rule all of them. It goes back to a memory that knows the noise; a fresh one would take
   the noise for a voice each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.catalog.built_in import BUILT_IN_FOLDER
from parakeet_streaming.errors import AudioInputError, SnapshotError
from parakeet_streaming.model.silero_graphs import (
    CONTEXT_SAMPLES,
    WIDTH,
    WINDOW_SAMPLES,
    read_silero,
)
from parakeet_streaming.ports import VAD_FRAME_SAMPLES, Floats
from parakeet_streaming.runtime.session import ONNX_RUNTIME, Session, open_session

Frames = NDArray[np.intp]
"""Numbers of frames."""

_FILE: Final = BUILT_IN_FOLDER / "silero-vad" / "silero_vad_16k_op15.onnx"
_START_FRAMES: Final = 8
_SILENCE: Final = 0.3
"""Probability of speech below which a frame counts as silence here."""
_FRAMES_OF_SILENCE: Final = 31
"""About a second."""
_MOST_FRAMES: Final = 128
"""Of one call of the first graph: what is computed in between fits the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class VadState:
    """What the network knows of one stream after a frame."""

    context: Floats
    """(64,) the last samples of the frame."""
    memory: Floats
    """(2, 128) hidden and cell of the network."""
    silent_frames: int = 0
    """Frames of silence since the last other frame, or since the memory went back."""
    saved: Floats | None = None
    """`memory` after the first second of the silence that goes on; None before."""


class SileroVad:
    """Voice activity of any number of streams; shared and frozen."""

    frame_samples: Final = VAD_FRAME_SAMPLES

    def __init__(self, frames: Session, step: Session) -> None:
        """`frames` and `step` run the two graphs of `silero_graphs.py`."""
        self._frames = frames
        self._step = step
        empty = VadState(np.zeros(CONTEXT_SAMPLES, np.float32), np.zeros((2, WIDTH), np.float32))
        silence = np.zeros(_START_FRAMES * VAD_FRAME_SAMPLES, dtype=np.float32)
        _, (after_silence,) = self.probabilities([silence], [empty])
        self._start = replace(_known(after_silence), silent_frames=0)

    def start(self) -> VadState:
        """The state of a stream that has received nothing but silence."""
        return self._start

    def probabilities(
        self, blocks: Sequence[Floats], states: Sequence[object]
    ) -> tuple[list[Floats], list[object]]:
        """Judges the next frames of each of B streams.

        Args:
            blocks: one float32 (K * 512,) at 16 kHz per stream, K from 1, not the same for all.
            states: one `VadState` per stream.

        Returns:
            Probabilities of speech (K,) float32 and the next state of each stream.

        Raises:
            AudioInputError: a block that is not a whole number of frames.
        """
        known = [_known(state) for state in states]
        counts = np.array([_frames_in(block) for block in blocks], dtype=np.intp)
        starts = counts.cumsum() - counts
        windows = np.empty((int(counts.sum()), WINDOW_SAMPLES), dtype=np.float32)
        for start, block, state in zip(starts.tolist(), blocks, known, strict=True):
            _write_windows(windows[start:], block, state.context)
        if not blocks:
            return [], []
        found, rows = self._walk(self._features(windows), counts, starts, known)
        contexts = [block[-CONTEXT_SAMPLES:].copy() for block in blocks]
        following: list[object] = [rows.state(row, context) for row, context in enumerate(contexts)]
        edges = pairwise([*starts.tolist(), found.shape[0]])
        return [found[start:end] for start, end in edges], following

    def state_to_arrays(self, state: object) -> dict[str, Floats]:
        """All of a state as named arrays, for a snapshot."""
        known = _known(state)
        arrays = {"context": known.context, "memory": known.memory}
        arrays["silent_frames"] = np.array([known.silent_frames], dtype=np.float32)
        return arrays if known.saved is None else arrays | {"saved": known.saved}

    def state_from_arrays(self, arrays: Mapping[str, Floats]) -> VadState:
        """The state that `state_to_arrays` gave these arrays for.

        Raises:
            SnapshotError: arrays that are no state of this network.
        """
        shapes = {"context": (CONTEXT_SAMPLES,), "memory": (2, WIDTH), "silent_frames": (1,)}
        if "saved" in arrays:
            shapes["saved"] = (2, WIDTH)
        sound = all(
            values.dtype == np.float32 and np.isfinite(values).all() for values in arrays.values()
        )
        if not sound or {name: values.shape for name, values in arrays.items()} != shapes:
            raise SnapshotError(
                "the snapshot holds no state of this voice activity detector; take it with the "
                "version that restores it"
            )
        silent_frames = int(arrays["silent_frames"][0])
        return VadState(arrays["context"], arrays["memory"], silent_frames, arrays.get("saved"))

    def _features(self, windows: Floats) -> Floats:
        """(n, 128) of windows (n, 576)."""
        features = np.empty((windows.shape[0], WIDTH), dtype=np.float32)
        for start in range(0, windows.shape[0], _MOST_FRAMES):
            part = slice(start, start + _MOST_FRAMES)
            features[part] = self._frames.run({"windows": windows[part]})["features"]
        return features

    def _walk(
        self, features: Floats, counts: Frames, starts: Frames, states: Sequence[VadState]
    ) -> tuple[Floats, _Rows]:
        """Steps through features (n, 128), where `starts` of each stream has `counts` of them.

        Returns:
            Probabilities (n,), and the rows after their last frames.
        """
        order = np.argsort(-counts, kind="stable")
        rows = _Rows(states, order)
        found = np.empty(features.shape[0], dtype=np.float32)
        for frame in range(int(counts.max())):
            # The longest blocks come first, so those that go on are the first rows.
            active = int(np.count_nonzero(counts > frame))
            at = starts[order[:active]] + frame
            outputs = self._step.run(
                {
                    "features": features[at][None],
                    "hidden": rows.memory[:1, :active],
                    "cell": rows.memory[1:, :active],
                }
            )
            found[at] = outputs["probability"][0, :, 0]
            rows.take(found[at], outputs["next_hidden"][0], outputs["next_cell"][0])
        return found, rows


class _Rows:
    """States of B streams in stacked arrays."""

    def __init__(self, states: Sequence[VadState], order: Frames) -> None:
        """`order`: which state each row takes."""
        ordered = [states[at] for at in order.tolist()]
        self.memory = np.stack([state.memory for state in ordered], axis=1)
        """(2, B, 128) hidden and cell."""
        self._silent = np.array([state.silent_frames for state in ordered], dtype=np.intp)
        self._saved = [state.saved for state in ordered]
        self._row_of = np.argsort(order).tolist()

    def take(self, probabilities: Floats, hidden: Floats, cell: Floats) -> None:
        """One more frame of the first rows: (b,), (b, 128) and (b, 128); rule 5."""
        active = probabilities.shape[0]
        self.memory[0, :active] = hidden
        self.memory[1, :active] = cell
        silent = self._silent[:active]
        silent += 1
        for row in np.flatnonzero(probabilities >= _SILENCE).tolist():
            silent[row], self._saved[row] = 0, None
        for row in np.flatnonzero(silent >= _FRAMES_OF_SILENCE).tolist():
            saved = self._saved[row]
            if saved is None:
                self._saved[row] = self.memory[:, row].copy()
            else:
                self.memory[:, row] = saved
            silent[row] = 0

    def state(self, stream: int, context: Floats) -> VadState:
        """The state of a stream whose last frame ends with `context`."""
        row = self._row_of[stream]
        return VadState(
            context, self.memory[:, row].copy(), int(self._silent[row]), self._saved[row]
        )


def open_silero() -> SileroVad:
    """The network that ships with the package."""
    graphs = read_silero(_FILE)
    return SileroVad(*(_opened(graph) for graph in (graphs.frames, graphs.step)))


def _opened(graph: bytes) -> Session:
    return open_session(graph, runtime=ONNX_RUNTIME, provider="cpu", threads=1, name=_FILE.name)


def _known(state: object) -> VadState:
    if not isinstance(state, VadState):
        raise TypeError(f"a state of another voice activity detector: {type(state).__name__}")
    return state


def _frames_in(block: Floats) -> int:
    frames, rest = divmod(block.size, VAD_FRAME_SAMPLES)
    if block.ndim != 1 or rest or not frames:
        raise AudioInputError(
            f"a block is one or more frames of {VAD_FRAME_SAMPLES} samples, not {block.shape}"
        )
    return frames


def _write_windows(windows: Floats, block: Floats, context: Floats) -> None:
    """Writes each frame of a block, after the samples before it, into the first windows."""
    frames = block.reshape(-1, VAD_FRAME_SAMPLES)
    windows[: frames.shape[0], CONTEXT_SAMPLES:] = frames
    windows[0, :CONTEXT_SAMPLES] = context
    windows[1 : frames.shape[0], :CONTEXT_SAMPLES] = frames[:-1, -CONTEXT_SAMPLES:]
