"""The two graphs compute what the graph of the file computes."""

import os

import numpy as np
import onnx
import pytest
import soundfile

from parakeet_streaming.catalog.built_in import BUILT_IN_FOLDER
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.model.silero_graphs import WIDTH, WINDOW_SAMPLES, read_silero
from parakeet_streaming.runtime.session import open_session
from tests.conftest import GOLDEN

FILE = BUILT_IN_FOLDER / "silero-vad" / "silero_vad_16k_op15.onnx"
RATE = np.array(16_000, dtype=np.int64)


@pytest.fixture(scope="module")
def sessions():
    graphs = read_silero(FILE)
    return [open_session(each, threads=1) for each in (FILE, graphs.frames, graphs.step)]


def windows_of_speech():
    """(3, n, 576) of three streams."""
    samples, _ = soundfile.read(GOLDEN / "audio" / "jfk.wav", dtype="float32")
    every = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_SAMPLES)[::512]
    return np.stack([every[:100], every[100:200], 0.1 * every[50:150]])


def test_probabilities_and_memory_are_those_of_the_file(sessions):
    whole, frames, step = sessions
    windows = windows_of_speech()
    features = frames.run({"windows": windows.reshape(-1, WINDOW_SAMPLES)})["features"]
    features = features.reshape(3, -1, WIDTH).copy()
    memory = np.zeros((2, 3, WIDTH), dtype=np.float32)
    hidden, cell = memory[:1], memory[1:]
    spoken = 0
    for at in range(windows.shape[1]):
        expected = whole.run({"input": windows[:, at], "state": memory, "sr": RATE})
        found = step.run({"features": features[None, :, at], "hidden": hidden, "cell": cell})
        memory, hidden, cell = expected["stateN"], found["next_hidden"], found["next_cell"]
        probabilities = found["probability"][0]
        np.testing.assert_allclose(probabilities, expected["output"], rtol=0, atol=1e-5)
        np.testing.assert_allclose(np.concatenate([hidden, cell]), memory, rtol=0, atol=1e-4)
        spoken += int((probabilities > 0.5).sum())
    assert 50 < spoken < 250


def test_a_frame_does_not_depend_on_others_in_the_call(sessions):
    _, frames, _ = sessions
    windows = windows_of_speech()[0]
    together = frames.run({"windows": windows})["features"]
    for at in (0, 17, 99):
        alone = frames.run({"windows": windows[at : at + 1]})["features"]
        np.testing.assert_allclose(alone[0], together[at], rtol=0, atol=1e-5)


def without(name):
    def change(model):
        (tensor,) = [each for each in model.graph.initializer if each.name == name]
        model.graph.initializer.remove(tensor)

    return change


def reshaped(name, *dims):
    def change(model):
        (tensor,) = [each for each in model.graph.initializer if each.name == name]
        tensor.dims[:] = dims

    return change


def beside(name):
    def change(model):
        (tensor,) = [each for each in model.graph.initializer if each.name == name]
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="/etc/passwd")

    return change


BASIS, INPUT = "model.stft.forward_basis_buffer", "model.decoder.rnn.weight_ih"


@pytest.mark.parametrize(
    "change",
    [
        without(BASIS),
        without(INPUT),
        reshaped(BASIS, 3, 5, 7),
        reshaped(BASIS, -1, 2**40),
        reshaped(INPUT, 2**62, 2**62),
        beside(BASIS),
    ],
)
def test_a_file_with_other_weights_is_refused(tmp_path, change):
    model = onnx.load(FILE)
    change(model)
    (tmp_path / "vad.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelFormatError, match=r"vad\.onnx is no Silero VAD"):
        read_silero(tmp_path / "vad.onnx")


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"hello", FILE.read_bytes()[:100_000]])
def test_what_is_no_such_file_is_refused(tmp_path, content):
    (tmp_path / "vad.onnx").write_bytes(content)
    with pytest.raises(ModelFormatError, match=r"vad\.onnx is no Silero VAD"):
        read_silero(tmp_path / "vad.onnx")


def test_a_file_of_terabytes_is_not_read(tmp_path):
    with (tmp_path / "vad.onnx").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ModelFormatError, match="larger than 67108864 bytes"):
        read_silero(tmp_path / "vad.onnx")


def test_a_pipe_makes_nobody_wait(tmp_path):
    os.mkfifo(tmp_path / "vad.onnx")
    with pytest.raises(ModelFormatError, match="is a pipe"):
        read_silero(tmp_path / "vad.onnx")
