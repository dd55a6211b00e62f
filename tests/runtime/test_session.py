"""Which runtime a session gets."""

import sys

import pytest

from parakeet_streaming.errors import ExtraMissingError, ModelPartMissingError, OptionError
from parakeet_streaming.runtime.openvino_runtime import version
from parakeet_streaming.runtime.session import choose_runtime, open_session
from tests.catalog.graphs import GOLDEN

ENCODER = GOLDEN / "encoder-model.onnx"


def test_auto_is_the_exact_one_and_bfloat16_openvinos():
    assert choose_runtime() == "onnxruntime"
    assert choose_runtime(provider="cuda") == "onnxruntime"
    assert choose_runtime(bfloat16=True) == "openvino"
    assert choose_runtime("openvino", provider="cpu") == "openvino"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"runtime": "tensorflow"}, "openvino"),
        ({"runtime": "onnxruntime", "bfloat16": True}, "use the runtime openvino"),
        ({"runtime": "openvino", "provider": "cuda"}, "belongs to ONNX Runtime"),
        ({"bfloat16": True, "provider": "cuda"}, "belongs to ONNX Runtime"),
    ],
)
def test_what_does_not_go_together_is_refused(asked, told):
    with pytest.raises(OptionError, match=told):
        open_session(ENCODER, **asked)


def test_openvino_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ExtraMissingError, match=r"parakeet-streaming\[openvino\]"):
        open_session(ENCODER, runtime="openvino")
    assert version() is None


def test_a_file_that_is_not_there():
    with pytest.raises(ModelPartMissingError, match=r"nowhere\.onnx"):
        open_session("nowhere.onnx")
