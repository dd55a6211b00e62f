"""Which options take torch, and which refuse each other."""

import pytest

from parakeet_streaming.errors import ExtraMissingError, OptionError
from parakeet_streaming.runtime import gpu_choice
from parakeet_streaming.runtime.gpu_choice import may_find_gpu, names_gpu, wants_torch


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(gpu_choice, "find_spec", lambda name: name)


@pytest.fixture
def driver(installed, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu_choice, "_DRIVERS", (tmp_path,))


def wanted(runtime="auto", device="auto", *, gpu=True, **options):
    return wants_torch(runtime, device, lambda: gpu, **options)


def test_torch_where_it_is_asked_for(installed):
    assert wanted("torch", gpu=False)
    assert wanted("torch", "cpu")
    assert wanted("auto", "cuda:1", gpu=False)
    assert wanted("torch", precision="bf16")


def test_auto_takes_a_gpu_that_is_there(driver):
    assert wanted()
    assert wanted(precision="fp32")
    assert not wanted(gpu=False)


@pytest.mark.parametrize(
    "options",
    [
        {"provider": "cpu"},
        {"precision": "int8"},
        {"precision": "bf16"},
        {"measured": True},
        {"device": "cpu"},
        {"runtime": "onnxruntime"},
        {"runtime": "openvino"},
    ],
)
def test_whatever_else_is_asked_for_decides_against_it(driver, options):
    assert not wanted(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runtime": "onnxruntime", "device": "cuda"}, "belongs to the runtime torch"),
        ({"runtime": "openvino", "device": "cpu"}, "belongs to the runtime torch"),
        ({"runtime": "torch", "provider": "cuda"}, "belongs to ONNX Runtime"),
        ({"device": "cuda", "provider": "cpu"}, "belongs to ONNX Runtime"),
        ({"device": "gpu"}, "is no device"),
        ({"runtime": "torch", "device": "cuda:x"}, "is no device"),
        ({"runtime": "torch", "measured": True}, "sessions"),
    ],
)
def test_what_does_not_go_together(installed, options, message):
    with pytest.raises(OptionError, match=message):
        wanted(**options)


def test_torch_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(
        gpu_choice, "find_spec", lambda name: None if name in ("torch", "yaml") else name
    )
    with pytest.raises(ExtraMissingError, match=r"needs torch, yaml; pip install 'parakeet.*torch"):
        wanted("torch")
    assert not wanted()
    assert not may_find_gpu()


def test_no_driver_no_look(installed, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu_choice, "_DRIVERS", (tmp_path / "none",))
    monkeypatch.setattr(gpu_choice.sys, "platform", "linux")
    assert not may_find_gpu()
    monkeypatch.setattr(gpu_choice.sys, "platform", "win32")
    assert may_find_gpu()


def test_what_computes_says_whether_it_is_a_gpu():
    assert names_gpu("torch (cuda:0: NVIDIA H100), bf16")
    assert not names_gpu("torch (cpu), 8 threads")
    assert not names_gpu("onnxruntime (CPUExecutionProvider)")
