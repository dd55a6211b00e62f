"""Weights that are no numbers are found before anything runs."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from parakeet_streaming.catalog.broken_weights import refuse_broken_weights
from parakeet_streaming.errors import ModelFormatError
from tests.catalog.graphs import GOLDEN, TINY_EN, encoder, in_cache_of_links, weights_beside

NAN, INF = np.nan, np.inf


def with_weights(path, values):
    model = encoder()
    model.graph.initializer.append(numpy_helper.from_array(values, "w"))
    onnx.save_model(model, path)
    return path


@pytest.mark.parametrize("folder", [GOLDEN, TINY_EN], ids=["golden", "tiny-en"])
def test_real_models_are_finite(folder):
    for path in folder.glob("*.onnx"):
        refuse_broken_weights(path)


@pytest.mark.parametrize(
    "values",
    [
        np.array([1, NAN], np.float32),
        np.array([NAN, 0], np.float32),
        np.array([1, INF], np.float32),
        np.array([INF, 0], np.float32),
        np.array([1, -INF], np.float32),
        np.array([1, NAN], np.float16),
        np.array(NAN, np.float64),
    ],
)
def test_weights_that_are_no_numbers(tmp_path, values):
    path = with_weights(tmp_path / "encoder.onnx", values)
    with pytest.raises(ModelFormatError, match=f"1 of {values.size} weights in 'w' are not finite"):
        refuse_broken_weights(path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "values",
    [
        np.array([0x7F800001, 0], np.uint32).view(np.float32),
        np.array([0xFF800001, 0xFF800000], np.uint32).view(np.float32),
        np.array([0x7C01, 0], np.uint16).view(np.float16),
        np.array([0x7FF0000000000001, 0], np.uint64).view(np.float64),
    ],
)
def test_a_signalling_nan_is_refused_without_a_warning(tmp_path, values):
    path = with_weights(tmp_path / "encoder.onnx", values)
    with pytest.raises(ModelFormatError, match=r"of 2 weights in 'w' are not finite"):
        refuse_broken_weights(path)


@pytest.mark.parametrize(
    "values",
    [np.array([0, -INF], np.float32), np.array(-INF, np.float32), np.array([3], np.int64)],
    ids=["mask", "its value", "integers"],
)
def test_what_masks_attention_is_no_weight(tmp_path, values):
    refuse_broken_weights(with_weights(tmp_path / "encoder.onnx", values))


def test_weights_beside_the_graph(tmp_path):
    snapshot = in_cache_of_links(weights_beside(tmp_path / "plain"), tmp_path / "hub")
    data = (snapshot / "encoder-model.onnx.data").resolve()
    refuse_broken_weights(snapshot / "encoder-model.onnx")
    values = np.fromfile(data, np.float32)
    values[5] = NAN
    values.tofile(data)
    with pytest.raises(ModelFormatError, match="1 of"):
        refuse_broken_weights(snapshot / "encoder-model.onnx")


def test_values_that_do_not_fit_their_shape(tmp_path):
    model = encoder()
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), "w")
    tensor.dims[0] = 4
    model.graph.initializer.append(tensor)
    onnx.save_model(model, tmp_path / "encoder.onnx")
    with pytest.raises(ModelFormatError, match="do not fit its shape"):
        refuse_broken_weights(tmp_path / "encoder.onnx")
