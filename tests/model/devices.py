"""Sessions that keep arrays on a device: on the processor's own memory, and on a GPU where one is.

The runtime's binding of inputs and outputs is the same for every device, so all of it is tested
wherever tests run; only who computes differs.
"""

import os

import onnx
import pytest

from parakeet_streaming.runtime.onnx_runtime import HOST, available_providers
from parakeet_streaming.runtime.providers import CUDA, TENSORRT
from tests.catalog.graphs import three_file_folder

# TensorRT has no option for it; it is read when CUDA starts.
os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")

GPU_PROVIDERS = (
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(
            CUDA not in available_providers(), reason="no GPU for ONNX Runtime"
        ),
    ),
    pytest.param(
        "tensorrt",
        marks=pytest.mark.skipif(
            TENSORRT not in available_providers(), reason="no TensorRT for ONNX Runtime"
        ),
    ),
)
PROVIDERS = ("cpu", *GPU_PROVIDERS)
"""Of ONNX Runtime; the processor everywhere, the others where they are."""


def kept_there(session, role):
    """A session of the processor that keeps arrays as one of a GPU does."""
    session.device = session.device or HOST
    return session


def open_three_file_folder(path):
    """The golden model in sherpa-onnx's layout, with a decoder that takes any batch."""
    three_file_folder(path)
    decoder = onnx.load(path / "decoder.onnx")
    for given in decoder.graph.input:
        shape = given.type.tensor_type.shape.dim
        if len(shape) == 3:
            shape[1].dim_param = "B"
    onnx.save_model(decoder, path / "decoder.onnx")
    return path
