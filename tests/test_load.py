"""Loading and what must not depend on how a model is packed."""

import importlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
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


@pytest.fixture
def bounds(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The tokens on a frame that decoders are made with."""
    made = []

    class Decoder(LabelLoopingDecoder):
        def __init__(self, *parts: Any, max_symbols: int | None, **others: Any) -> None:
            made.append(max_symbols)
            super().__init__(*parts, max_symbols=max_symbols, **others)

    module = importlib.import_module("parakeet_streaming.load")  # its name is the function's, too
    monkeypatch.setattr(module, "LabelLoopingDecoder", Decoder)
    return made


@pytest.mark.parametrize("said", [None, 1, 1_000])
@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (None, None),
        (RecognitionOptions(), None),
        (RecognitionOptions(confidence="entropy"), None),
        (RecognitionOptions(segment_gap_s=1.0, word_confidence="mean"), None),
        (RecognitionOptions(max_symbols=2), 2),
    ],
)
def test_tokens_on_a_frame_are_the_caller_s_or_the_model_s_or_ten(
    tmp_path: Path,
    golden_folder: Path,
    bounds: list[int | None],
    options: RecognitionOptions | None,
    chosen: int | None,
    said: int | None,
) -> None:
    """Other options once put 10 in place of what the model says."""
    shutil.copytree(golden_folder / "tdt-tiny-onnx", tmp_path, dirs_exist_ok=True)
    config = {} if said is None else {"max_tokens_per_step": said}
    (tmp_path / "config.json").write_text(json.dumps(config))
    recognizer = load(tmp_path, runtime="onnxruntime", options=options)
    expected = chosen or said or 10
    assert bounds == [expected]
    assert recognizer.options == replace(options or RecognitionOptions(), max_symbols=expected)


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
