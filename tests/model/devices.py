"""Sessions that keep arrays on a device: on the processor's own memory, and on a GPU where one is.

The runtime's binding of inputs and outputs is the same for every device, so all of it is tested
wherever tests run; only who computes differs.
"""

import pytest

from parakeet_streaming.runtime.onnx_runtime import HOST, available_providers
from parakeet_streaming.runtime.providers import CUDA, TENSORRT

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
