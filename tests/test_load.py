"""Loading and what must not depend on how a model is packed."""

from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile

import parakeet_streaming
from parakeet_streaming import (
    ContextConfig,
    RecognitionOptions,
    Recognizer,
    SpeechEnded,
    SpeechStarted,
    VadOptions,
    load,
    load_vad,
)
from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.load import DEFAULT_MODEL
from parakeet_streaming.testing import noise, silence

AUDIO = Path(__file__).parent / "parity" / "golden" / "audio"
RECORDINGS = Path(__file__).parents[1] / "examples" / "recordings"
TINY_EN = Path(parakeet_streaming.__file__).parent / "builtin" / "tiny-en"


def read(name: str) -> np.ndarray:
    samples, _ = soundfile.read(AUDIO / f"{name}.wav", dtype="float32")
    return samples


def test_the_default_model_is_inside_the_package() -> None:
    recognizer = load()
    assert recognizer.name == DEFAULT_MODEL
    assert recognizer.max_window_samples == 400 * 16_000


def test_a_folder_and_its_name_give_the_same() -> None:
    samples = read("cards")
    assert load(TINY_EN).transcribe(samples) == load("tiny-en").transcribe(samples)


def test_the_position_table_bounds_the_window(golden_recognizer: Recognizer) -> None:
    assert golden_recognizer.max_window_samples == 5_000 * 1_280


def test_options_reach_the_decoder(golden_folder: Path, golden_recognizer: Recognizer) -> None:
    samples = read("jfk")
    sure = load(golden_folder / "tdt-tiny-onnx", options=RecognitionOptions(confidence="entropy"))
    tokens = sure.transcribe(samples).tokens
    assert [token.id for token in tokens] == [
        token.id for token in golden_recognizer.transcribe(samples).tokens
    ]
    assert [token.confidence for token in tokens] != [
        token.confidence for token in golden_recognizer.transcribe(samples).tokens
    ]


def test_audio_beyond_one_window_loses_and_doubles_nothing_at_borders() -> None:
    digits, _ = soundfile.read(RECORDINGS / "digits.wav", dtype="float32")
    recognizer = load("tiny-en")
    repetitions = recognizer.max_window_samples // digits.shape[0] + 1
    transcript = recognizer.transcribe(np.tile(digits, repetitions))
    assert transcript.audio_s == pytest.approx(repetitions * digits.shape[0] / 16_000)
    frames = [token.start_frame for token in transcript.tokens]
    assert frames == sorted(frames)
    said = " ".join(["three one four one five nine two six"] * repetitions)
    assert jiwer.wer(said, transcript.text) < 0.02


def test_integer_audio_and_other_rates_are_converted(golden_recognizer: Recognizer) -> None:
    samples = read("espeak")
    whole = golden_recognizer.transcribe((samples * 32_768).astype(np.int16))
    assert whole == golden_recognizer.transcribe(samples)
    slow = golden_recognizer.stream(ContextConfig(5, 0.5, 0.5, sample_rate=48_000))
    slow.feed(np.repeat(samples, 3))
    slow.finish()
    assert slow.transcript().audio_s == pytest.approx(samples.shape[0] / 16_000, abs=1e-4)


def test_voice_activity_is_inside_the_package() -> None:
    digits, _ = soundfile.read(RECORDINGS / "digits.wav", dtype="float32")
    samples = np.concatenate([silence(2.0), digits, noise(2.0, level=1e-3), digits, silence(2.0)])
    vad, detector = load_vad(), SpeechDetector(VadOptions(min_silence_ms=500))
    state, found = vad.start(), []
    for start in range(0, samples.shape[0] - vad.frame_samples, vad.frame_samples):
        frame = samples[start : start + vad.frame_samples]
        (probabilities,), (state,) = vad.probabilities([frame], [state])
        found.append(detector.feed(float(probabilities[0])))
    events = [transition.event() for transition in found if transition]
    spoken_s = digits.shape[0] / 16_000
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded] * 2
    expected = [2.0, 2.0 + spoken_s, 4.0 + spoken_s, 4.0 + 2 * spoken_s]
    assert [event.at for event in events] == pytest.approx(expected, abs=0.4)
    assert detector.quiet(0, 16_000)
    assert not detector.quiet(32_000, 48_000)
