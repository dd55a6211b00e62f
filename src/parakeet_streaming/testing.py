"""Marked audio in, scripted tokens out: fakes for testing code that recognises speech.

`marked_audio` writes the number of every encoder frame into its samples. `FakeEncoder` reads those
numbers back from any window. `ScriptedDecoderJoint` emits a script's tokens on exactly the frames
it names. `ScriptedVad` hears speech where a script says so, or where it is loud.

```python
script = [Cue(frame=3, token=0), Cue(frame=9, token=1, duration=4)]
stream = fake_recognizer(script, ["hello", "world"]).stream(ContextConfig(1.0, 0.4, 0.4))
stream.feed(marked_audio(frames=20))
assert stream.finish()[-1].transcript.text == "hello world"
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from parakeet_streaming.engine.recognition_options import RecognitionOptions
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.engine.words import Pieces
from parakeet_streaming.model.confidence import measure
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.model.numpy_networks import DecoderJoint
from parakeet_streaming.model.transducer import FrameEncoder, NumpyTransducer
from parakeet_streaming.ports import Encoded, EncoderInput, Floats
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    encoder_frames,
    seconds_to_samples,
)

__all__ = [
    "Cue",
    "FakeEncoder",
    "FakePieces",
    "HandClock",
    "ScriptedDecoderJoint",
    "ScriptedVad",
    "fake_recognizer",
    "marked_audio",
    "noise",
    "recognizer_of",
    "silence",
    "tone",
]

# Float32 keeps 2**24 steps apart, so frames up to 2**23 can be told from each other.
_MARK: Final = np.float32(2.0**-23)


def silence(seconds: float) -> Floats:
    """Digital silence, (n,) float32 at 16 kHz."""
    return np.zeros(seconds_to_samples(seconds), dtype=np.float32)


def tone(seconds: float, frequency_hz: float = 440.0, level: float = 0.1) -> Floats:
    """A sine, (n,) float32 at 16 kHz with peaks at ±`level`."""
    times_s = np.arange(seconds_to_samples(seconds)) / SAMPLE_RATE_HZ
    return (level * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> Floats:
    """White noise, (n,) float32 at 16 kHz with standard deviation `level`."""
    generator = np.random.default_rng(seed)
    return generator.normal(0.0, level, seconds_to_samples(seconds)).astype(np.float32)


def marked_audio(frames: int, extra_samples: int = 0) -> Floats:
    """Audio of `frames` encoder frames and some samples, each sample marked with its frame."""
    samples = np.arange(frames * FRAME_SAMPLES + extra_samples)
    return (samples // FRAME_SAMPLES).astype(np.float32) * _MARK


class HandClock:
    """Seconds that only its owner moves: call it for the time, set `now_s` to move it."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


class FakeEncoder:
    """Encodes marked audio: every encoder frame is the number of the audio frame it ends in."""

    keeps_past = True

    def __init__(self, max_samples: int | None = None) -> None:
        self.max_samples = max_samples
        self.calls: list[tuple[int, ...]] = []
        """Samples of every window of every call."""

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Frames (U, 1) of windows of marked audio; a past is how many frames were kept.

        Raises:
            AssertionError: a window whose past is not that of the window before it.
        """
        self.calls.append(tuple(each.samples.shape[0] for each in inputs))
        frames: list[Floats] = []
        pasts: list[object | None] = []
        for each in inputs:
            known_samples = 0 if each.past is None else each.left_samples
            row = self._read(each.samples[known_samples:])
            frames.append(row)
            pasts.append(None if each.kept_frames is None else self._kept(each, row))
        return Encoded(frames, tuple(row.shape[0] for row in frames), tuple(pasts))

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """How many frames were kept."""
        assert isinstance(past, int)
        return {"kept": np.array([past], dtype=np.float32)}

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> object:
        """The same back."""
        return int(arrays["kept"][0])

    def _kept(self, each: EncoderInput, row: Floats) -> int:
        kept = int(row[0, 0]) if each.past is None and len(row) else each.past or 0
        assert isinstance(kept, int)
        assert len(row) == 0 or kept == int(row[0, 0]), "the past of another window"
        left_frames = 0 if each.past is not None else each.left_samples // FRAME_SAMPLES
        return kept + min(left_frames + each.chunk_samples // FRAME_SAMPLES, len(row))

    def _read(self, window: Floats) -> Floats:
        ends = np.arange(1, encoder_frames(window.shape[0]) + 1) * FRAME_SAMPLES
        marks = window[np.minimum(ends, window.shape[0]) - 1] / _MARK
        frames: Floats = np.round(marks).astype(np.float32)[:, None]
        return frames


@dataclass(frozen=True, slots=True)
class Cue:
    """One token of a script."""

    frame: int
    """Absolute encoder frame on which it is emitted."""
    token: int
    duration: int = 1
    """Frames skipped after it."""


class ScriptedDecoderJoint:
    """Emits the script's cues, each when its frame is looked at; blank everywhere else."""

    def __init__(
        self,
        script: Sequence[Cue],
        vocabulary_size: int,
        *,
        durations: tuple[int, ...] = (0, 1, 2, 3, 4),
        blank_durations: Mapping[int, int] | None = None,
        frames_per_call: int = 4,
    ) -> None:
        self.script = tuple(script)
        self.blank_id = vocabulary_size
        self.durations = durations
        self.frames_per_call = frames_per_call
        self._blank_durations = dict(blank_durations or {})

    def start(self) -> tuple[Floats, Floats, Floats]:
        """The state counts the tokens emitted so far."""
        none = np.zeros((1, 1, 1), dtype=np.float32)
        return none[0], none, none

    def advance(
        self, tokens: Sequence[int], hidden: Floats, cell: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Counts one more token in every row."""
        if any(token == self.blank_id for token in tokens):
            raise AssertionError("a blank reached the prediction network")
        return hidden[0] + 1, hidden + 1, cell

    def score(self, frames: Floats, output: Floats) -> tuple[Floats, Floats | None]:
        """Logits (B, K, V + 1) and (B, K, number of durations)."""
        batch, width = frames.shape[:2]
        tokens = np.zeros((batch, width, self.blank_id + 1), dtype=np.float32)
        durations = np.zeros((batch, width, len(self.durations)), dtype=np.float32)
        for row in range(batch):
            for column in range(width):
                frame = int(frames[row, column, 0])
                token, duration = self._choice(frame, int(output[row, 0]))
                tokens[row, column, token] = 10.0
                if self.durations:
                    durations[row, column, self.durations.index(duration)] = 10.0
        return tokens, durations if self.durations else None

    def _choice(self, frame: int, emitted: int) -> tuple[int, int]:
        for number, cue in enumerate(self.script[emitted:]):
            if cue.frame == frame and (number == 0 or cue.duration > 0):
                return cue.token, cue.duration
        return self.blank_id, self._blank_durations.get(frame, 1)


class FakePieces:
    """A vocabulary of whole words; a text beginning with `+` continues the word before it."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = tuple(texts)

    @property
    def size(self) -> int:
        return len(self._texts)

    def text_of(self, token_id: int) -> str:
        """` word` for a word, `ing` for `+ing`."""
        text = self._texts[token_id]
        return text[1:] if text.startswith("+") else f" {text}"


class ScriptedVad:
    """Hears speech in the frames a script names, or, without a script, in all that are loud."""

    def __init__(
        self,
        script: Sequence[float] | None = None,
        *,
        level: float = 0.01,
        frame_samples: int = 512,
    ) -> None:
        """Without `script`, a frame whose effective value reaches `level` is speech.

        Args:
            script: the probability of every frame of a stream from its start; 0 after its end.
            level: effective value, 0 to 1.
            frame_samples: samples of one frame at 16 kHz.
        """
        self.frame_samples = frame_samples
        self.calls: list[int] = []
        """Streams of every call."""
        self._script = None if script is None else tuple(script)
        self._level = level

    def start(self) -> object:
        """A state counts the frames judged so far."""
        return 0

    def probabilities(
        self, blocks: Sequence[Floats], states: Sequence[object]
    ) -> tuple[list[Floats], list[object]]:
        """Probabilities (K,) of blocks (K * frame_samples,), and the next states."""
        self.calls.append(len(blocks))
        found, following = [], list[object]()
        for block, judged in zip(blocks, states, strict=True):
            assert isinstance(judged, int), "a state of another voice activity detector"
            assert block.size, "a block without frames"
            assert block.shape[0] % self.frame_samples == 0, "a frame of another length"
            frames = block.reshape(-1, self.frame_samples)
            each = [self._probability(frame, judged + at) for at, frame in enumerate(frames)]
            found.append(np.array(each, dtype=np.float32))
            following.append(judged + frames.shape[0])
        return found, following

    def state_to_arrays(self, state: object) -> dict[str, Floats]:
        """The number of frames judged so far."""
        assert isinstance(state, int), "a state of another voice activity detector"
        return {"judged": np.array([state], dtype=np.float32)}

    def state_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        """The state that `state_to_arrays` gave these arrays for."""
        return int(arrays["judged"][0])

    def _probability(self, frame: Floats, judged: int) -> float:
        if self._script is not None:
            return self._script[judged] if judged < len(self._script) else 0.0
        return float(np.sqrt(np.mean(np.square(frame))) >= self._level)


def fake_recognizer(
    script: Sequence[Cue],
    texts: Sequence[str],
    *,
    blank_durations: Mapping[int, int] | None = None,
    max_samples: int | None = None,
    options: RecognitionOptions | None = None,
) -> Recognizer:
    """A recognizer that finds `script` in marked audio; token ids index `texts`."""
    decoder_joint = ScriptedDecoderJoint(script, len(texts), blank_durations=blank_durations)
    return recognizer_of(FakeEncoder(max_samples), decoder_joint, FakePieces(texts), options)


def recognizer_of(
    encoder: FrameEncoder,
    decoder_joint: DecoderJoint,
    pieces: Pieces,
    options: RecognitionOptions | None = None,
) -> Recognizer:
    """A recognizer of parts that speak numpy's arrays."""
    options = options or RecognitionOptions()
    most, confidence = options.max_symbols, measure(options.confidence)
    decoder = LabelLoopingDecoder(decoder_joint, max_symbols=most, confidence=confidence)
    transducer = NumpyTransducer(encoder, decoder, fingerprint="fake", runs_on="fakes")
    return Recognizer(transducer, pieces, name="fake", options=options)
