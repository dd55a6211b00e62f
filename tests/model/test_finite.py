"""A model that gives NaN or infinity is an error that names its file, never text."""

import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from parakeet_streaming import (
    ComputeError,
    ContextConfig,
    LiveEngine,
    LiveOptions,
    ModelFormatError,
    load,
)
from parakeet_streaming.model.finite import require_finite, require_scores
from parakeet_streaming.testing import noise
from tests.catalog.graphs import GOLDEN

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_one_broken_number_is_enough(value):
    values = np.zeros((2, 3), np.float32)
    require_finite(values, "a.onnx")
    values[1, 1] = value
    with pytest.raises(ComputeError, match=r"^a\.onnx gave numbers that are not finite"):
        require_finite(values, "a.onnx")


def test_a_score_may_rule_a_token_out():
    scores = np.zeros((1, 2, 1, 3), np.float32)
    scores[0, 1, 0, 2] = -INF
    require_scores(scores, "a.onnx")
    require_scores(scores[:, :0], "a.onnx")


@pytest.mark.parametrize("value", [[NAN, 0, 0], [0, 0, INF], [-INF] * 3])
def test_scores_without_a_best_one(value):
    scores = np.zeros((1, 2, 1, 3), np.float32)
    scores[0, 1, 0] = value
    with pytest.raises(ComputeError, match="not finite"):
        require_scores(scores, "a.onnx")


def broken(tmp_path, file, name, change):
    """The golden model with one changed weight."""
    folder = shutil.copytree(GOLDEN, tmp_path / "model")
    model = onnx.load(folder / file)
    (weight,) = (each for each in model.graph.initializer if each.name == name)
    values = numpy_helper.to_array(weight).copy()
    change(values)
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    onnx.save_model(model, folder / file)
    return folder


def fill(value):
    def change(values):
        values.flat[0] = value

    return change


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("value", [NAN, INF])
def test_an_encoder_that_gives_nan(tmp_path, value, runtime):
    if runtime == "openvino":
        pytest.importorskip("openvino", reason="the openvino extra")
    folder = broken(tmp_path, "encoder-model.onnx", "pre_encode.out.bias", fill(value))
    recognizer = load(folder, runtime=runtime)
    with pytest.raises(ComputeError, match=r"encoder-model\.onnx gave numbers that are not"):
        recognizer.transcribe(noise(2.0))
    stream = recognizer.stream(ContextConfig.balanced())
    with pytest.raises(ComputeError, match="parakeet models verify"):
        stream.feed(noise(2.0))


def all_nan(values):
    values[:] = NAN


@pytest.mark.parametrize("change", [fill(NAN), all_nan])
@pytest.mark.parametrize("part", ["embedding", "LSTM", "joint"])
def test_a_decoder_with_nan_is_not_loaded(tmp_path, part, change):
    """ONNX Runtime's LSTM makes finite numbers of NaN: what it gives says nothing."""
    graph = onnx.load(GOLDEN / "decoder_joint-model.onnx").graph
    names = {
        "embedding": "decoder.prediction.embed.weight",
        "LSTM": next(node.input[1] for node in graph.node if node.op_type == "LSTM"),
        "joint": next(each.name for each in graph.initializer if each.name.startswith("joint.")),
    }
    folder = broken(tmp_path, "decoder_joint-model.onnx", names[part], change)
    with pytest.raises(ModelFormatError, match=r"decoder_joint-model\.onnx: .* are not finite"):
        load(folder)


def test_a_joint_whose_weights_are_too_large(tmp_path):
    def change(values):
        values[:] = 3e38

    graph = onnx.load(GOLDEN / "decoder_joint-model.onnx").graph
    name = next(each.name for each in graph.initializer if each.name.startswith("joint."))
    folder = broken(tmp_path, "decoder_joint-model.onnx", name, change)
    with pytest.raises(ComputeError, match=r"decoder_joint-model\.onnx gave"):
        load(folder).transcribe(noise(1.0))


def test_a_live_stream_ends_and_says_which_file(tmp_path):
    folder = broken(tmp_path, "encoder-model.onnx", "pre_encode.out.bias", fill(NAN))
    with LiveEngine(load(folder)) as engine:
        stream = engine.open(LiveOptions(vad=None, endpoint=None))
        stream.push(noise(2.0))
        stream.finish()
        with pytest.raises(ComputeError, match=r"encoder-model\.onnx gave"):
            read_all(stream)
        assert engine.failure is None


def read_all(stream):
    while stream.get(timeout_s=60.0) is not None:
        pass
