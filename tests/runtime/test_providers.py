"""Names, packages and options of ONNX Runtime's providers."""

from parakeet_streaming.runtime import providers as module
from parakeet_streaming.runtime.providers import (
    CPU,
    CUDA,
    TENSORRT,
    own_name,
    package_of,
    provider_options,
)


def test_a_provider_by_any_of_its_names():
    assert own_name("trt") == own_name("TensorRT") == own_name(TENSORRT.lower()) == TENSORRT
    assert own_name("abacus") is None
    assert package_of(CUDA) == "onnxruntime-gpu"
    assert package_of("AbacusExecutionProvider") == "its package"


def test_the_processor_has_no_options_and_cuda_computes_in_float32():
    assert provider_options(CPU) == {}
    assert provider_options(CUDA)["use_tf32"] == "0"


def test_tensorrt_keeps_what_it_compiled_in_this_users_cache():
    options = provider_options(TENSORRT)
    assert options["trt_engine_cache_enable"] == options["trt_timing_cache_enable"] == "True"
    assert options["trt_engine_cache_path"].endswith("tensorrt")
    assert options["trt_timing_cache_path"] == options["trt_engine_cache_path"]


def test_tensorrt_keeps_nothing_where_there_is_no_cache(monkeypatch):
    monkeypatch.setattr(module, "cache_folder", lambda name: None)
    assert provider_options(TENSORRT) == {"trt_fp16_enable": "False"}


def test_float16_is_for_those_who_ask():
    assert provider_options(TENSORRT)["trt_fp16_enable"] == "False"
    assert provider_options(TENSORRT, float16=True)["trt_fp16_enable"] == "True"
