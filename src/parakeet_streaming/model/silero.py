"""Frames of 512 samples and streams' states in; probabilities of speech and the next states out.

Silero VAD, a small recurrent network that ships with the package, on a session of ours.

Rules of this file:

1. A stream's state is one frozen value, passed in and handed back; nothing is kept here.
2. Rows are independent: in any batch a stream gets the probabilities it would get alone.
3. One thread: a call takes a fraction of a millisecond.
4. A stream begins behind silence. The network's first frames tell little: of a word that begins
   with the stream it may hear nothing at all, but behind silence it does.
5. Silence never lasts longer than two seconds to the network: at the end of each it is what it was
   behind the first. Long silence or noise makes it deaf: of speech between pauses of 5 to 40 s of
   room noise it hears one onset in three late or never, and all of them with this rule. Where it
   goes back to knows the noise, which else would be taken for a voice each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from parakeet_streaming.catalog.built_in import BUILT_IN_FOLDER
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.ports import VAD_FRAME_SAMPLES, Floats
from parakeet_streaming.runtime.session import ONNX_RUNTIME, Session, open_session
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

CONTEXT_SAMPLES: Final = 64
_STATE_SHAPE: Final = (2, 128)
_GRAPH: Final = BUILT_IN_FOLDER / "silero-vad" / "silero_vad_16k_op15.onnx"
_SILENT_FRAMES: Final = 8
_SILENCE: Final = 0.3
"""Probability of speech below which a frame counts as silence here."""
_FRAMES_OF_SILENCE: Final = 31
"""About a second."""
_RATE: Final = np.array(SAMPLE_RATE_HZ, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class VadState:
    """What the network knows of one stream behind a frame."""

    context: Floats
    """(64,) the last samples of the frame."""
    hidden: Floats
    """(2, 128) its recurrent state."""
    silent_frames: int = 0
    """Frames of silence since there was something else, or since it went back."""
    behind_silence: Floats | None = None
    """`hidden` as it was behind the first second of the silence that goes on."""


class SileroVad:
    """Voice activity of any number of streams; shared and frozen."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.frame_samples = VAD_FRAME_SAMPLES
        silence = np.zeros(VAD_FRAME_SAMPLES, dtype=np.float32)
        nothing = np.zeros(_STATE_SHAPE, dtype=np.float32)
        start: object = VadState(silence[:CONTEXT_SAMPLES], nothing)
        for _ in range(_SILENT_FRAMES):
            _, (start,) = self.probabilities([silence], [start])
        self._start = replace(_known(start), silent_frames=0)

    def start(self) -> VadState:
        """The state of a stream that has heard nothing but silence."""
        return self._start

    def probabilities(
        self, frames: Sequence[Floats], states: Sequence[object]
    ) -> tuple[Floats, list[object]]:
        """Judges the next frame of each of B streams.

        Args:
            frames: one float32 (512,) at 16 kHz per stream.
            states: one `VadState` per stream.

        Returns:
            Probabilities of speech (B,) float32, and the next states.

        Raises:
            AudioInputError: a frame that is not 512 samples long.
        """
        for frame in frames:
            if frame.shape != (VAD_FRAME_SAMPLES,):
                raise AudioInputError(f"a frame is {VAD_FRAME_SAMPLES} samples, not {frame.shape}")
        if not frames:
            return np.empty(0, dtype=np.float32), []
        known = [_known(state) for state in states]
        rows = zip(known, frames, strict=True)
        outputs = self._session.run(
            {
                "input": np.stack([np.concatenate([state.context, row]) for state, row in rows]),
                "state": np.stack([state.hidden for state in known], axis=1),
                "sr": _RATE,
            }
        )
        found = outputs["output"][:, 0]
        hidden = outputs["stateN"]
        following: list[object] = [
            _following(state, frame, float(found[row]), hidden[:, row].copy())
            for row, (state, frame) in enumerate(zip(known, frames, strict=True))
        ]
        return found, following


def open_silero() -> SileroVad:
    """The network that ships with the package."""
    return SileroVad(open_session(_GRAPH, runtime=ONNX_RUNTIME, provider="cpu", threads=1))


def _known(state: object) -> VadState:
    if not isinstance(state, VadState):
        raise TypeError(f"a state of another voice activity detector: {type(state).__name__}")
    return state


def _following(state: VadState, frame: Floats, probability: float, hidden: Floats) -> VadState:
    """The state behind a frame; rule 5."""
    context = frame[-CONTEXT_SAMPLES:].copy()
    if probability >= _SILENCE:
        return VadState(context, hidden)
    silent_frames = state.silent_frames + 1
    if silent_frames < _FRAMES_OF_SILENCE:
        return VadState(context, hidden, silent_frames, state.behind_silence)
    known = hidden if state.behind_silence is None else state.behind_silence
    return VadState(context, known, 0, known)
