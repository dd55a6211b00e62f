"""Models in every form, opened as users do, through `load`."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import ContextConfig, RecognitionOptions, load
from parakeet_streaming.errors import ModelFormatError, OptionError
from parakeet_streaming.torch_model.pieces import Pieces
from parakeet_streaming.torch_runtime.opening import has_own_weights, vocabulary_of
from tests.test_load import RECORDINGS
from tests.torch_model import foreign
from tests.torch_model.foreign import nemo_members, write_tar
from tests.torch_runtime.test_cached_encoder import sound

TORCH = {"runtime": "torch", "device": "cpu", "threads": 1}


@pytest.fixture(scope="module")
def digits():
    samples, _ = soundfile.read(RECORDINGS / "digits.wav", dtype="float32")
    return samples


def ids(recognizer, samples):
    return [token.id for token in recognizer.transcribe(samples).tokens]


def test_the_built_in_model(digits):
    recognizer = load(**TORCH)
    assert recognizer.name == "tiny-en"
    assert recognizer.runs_on == "torch (cpu), 1 thread"
    assert recognizer.transcribe(digits).text == "three one four one five nine two six"


def test_an_archive_and_its_export_are_one_model(golden_folder, digits):
    archive = load(golden_folder / "tdt-tiny.nemo", **TORCH)
    assert archive.name == "tdt-tiny"
    expected = ids(load(golden_folder / "tdt-tiny-onnx", runtime="onnxruntime"), digits)
    assert ids(archive, digits) == expected
    assert ids(load(golden_folder / "tdt-tiny-onnx", **TORCH), digits) == expected


def test_a_folder_of_transformers():
    folder = Path(foreign.__file__).parent / "tiny-hugging-face"
    assert has_own_weights(folder)
    recognizer = load(folder, **TORCH)
    assert recognizer.name == "tiny-hugging-face"
    assert np.isfinite([each.confidence for each in recognizer.transcribe(sound(1)).tokens]).all()


def test_files_that_are_no_model(tmp_path):
    path = tmp_path / "weights.nemo"
    path.write_bytes(b"nothing")
    with pytest.raises(ModelFormatError, match="no tar"):
        load(path, **TORCH)
    with pytest.raises(ModelFormatError, match=r"no ONNX model but weights\.nemo"):
        load(tmp_path, **TORCH)


def test_options_reach_the_decoder(tmp_path):
    path = write_tar(tmp_path / "tiny.nemo", nemo_members())
    assert load(path, **TORCH).options.max_symbols == 10
    one = load(path, **TORCH, options=RecognitionOptions(max_symbols=1))
    assert one.options.max_symbols == 1
    frames = [token.start_frame for token in one.transcribe(sound(2)).tokens]
    assert len(set(frames)) == len(frames)


def test_snapshots_tell_models_apart(golden_folder, tmp_path):
    first = load(golden_folder / "tdt-tiny.nemo", **TORCH)
    again = load(golden_folder / "tdt-tiny.nemo", **TORCH)
    other = load(write_tar(tmp_path / "tiny.nemo", nemo_members()), **TORCH)
    prints = [each._transducer.fingerprint for each in (first, again, other)]
    assert prints[0] == prints[1] != prints[2]


def test_pieces_become_text():
    vocabulary = vocabulary_of(Pieces(["<unk>", "▁the", "<s>", "<0xC3>"], [0], [2], [3], "?"))
    assert vocabulary.size == 5
    assert vocabulary.blank_id == 4
    assert [vocabulary.text_of(each) for each in range(5)] == ["?", " the", "", "", ""]


def test_what_does_not_go_together(golden_folder):
    with pytest.raises(OptionError, match="belongs to the runtime torch"):
        load(golden_folder / "tdt-tiny-onnx", runtime="onnxruntime", device="cpu")
    with pytest.raises(OptionError, match="kv_cache in int8 belongs to the runtime torch"):
        load(golden_folder / "tdt-tiny-onnx", runtime="onnxruntime", kv_cache="int8")
    with pytest.raises(OptionError, match="'int4' is no kv_cache; use auto or int8"):
        load(kv_cache="int4")


def test_a_cache_of_eight_bits(digits):
    recognizer = load(**TORCH, kv_cache="int8")
    assert recognizer.runs_on == "torch (cpu), 1 thread, int8 cache"
    stream = recognizer.stream(ContextConfig.parse("5-0.48-0.48"), cached=True)
    stream.feed(digits)
    (*_, last) = stream.finish()
    assert last.transcript.text == "three one four one five nine two six"
