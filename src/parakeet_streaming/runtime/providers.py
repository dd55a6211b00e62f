"""An execution provider's name in; its package, and the options that its sessions get, out.

Rules of this file:

1. float32 is float32: without an option CUDA would multiply in TF32, which has ten bits.
2. Live streams have hundreds of shapes, and for each new one CUDA would try every algorithm of a
   convolution. It takes the one that cuDNN thinks best instead.
3. TensorRT compiles for minutes. What it compiled is kept, and since that is run as it is, only in
   a folder that is this user's (`cache_folder.py`). It computes in float16 only where that was
   asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from parakeet_streaming.catalog.cache_folder import cache_folder
from parakeet_streaming.errors import OptionError, ProviderMissingError

CPU: Final = "CPUExecutionProvider"
CUDA: Final = "CUDAExecutionProvider"
TENSORRT: Final = "TensorrtExecutionProvider"
ON_A_GPU: Final = frozenset({CUDA, TENSORRT})
"""Those whose arrays lie where CUDA puts them."""

PROVIDERS: Final[dict[str, tuple[str, str]]] = {
    "cpu": (CPU, "onnxruntime"),
    "cuda": (CUDA, "onnxruntime-gpu"),
    "tensorrt": (TENSORRT, "onnxruntime-gpu and TensorRT's libraries"),
    "directml": ("DmlExecutionProvider", "onnxruntime-directml"),
    "openvino": ("OpenVINOExecutionProvider", "onnxruntime-openvino"),
    "coreml": ("CoreMLExecutionProvider", "onnxruntime, on a Mac"),
    "migraphx": ("MIGraphXExecutionProvider", "onnxruntime-migraphx"),
    "qnn": ("QNNExecutionProvider", "onnxruntime-qnn"),
    "webgpu": ("WebGpuExecutionProvider", "onnxruntime-webgpu"),
    "xnnpack": ("XnnpackExecutionProvider", "onnxruntime"),
}
"""Our short name → the runtime's own name, and the package that brings it."""

_ALIASES: Final = {"dml": "directml", "trt": "tensorrt"}

_OPTIONS: Final = {CUDA: {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}}


def provider_options(name: str, float16: bool = False) -> dict[str, str]:
    """The options of a provider, by its own name; `float16`: whether TensorRT may round to it."""
    if name != TENSORRT:
        return dict(_OPTIONS.get(name, {}))
    options = {"trt_fp16_enable": "True" if float16 else "False"}
    folder = cache_folder("tensorrt")
    if folder is not None:
        options |= {
            "trt_engine_cache_enable": "True",
            "trt_engine_cache_path": str(folder),
            "trt_timing_cache_enable": "True",
            "trt_timing_cache_path": str(folder),
        }
    return options


def resolved(name: str, offered: Sequence[str]) -> tuple[str, ...]:
    """The runtime's names for a provider, in order of preference, the CPU last.

    Args:
        name: `auto` (CUDA if it is offered, else the CPU), a key of `PROVIDERS`, or the runtime's
            own name such as `CUDAExecutionProvider`.
        offered: by the runtime that is installed.

    Raises:
        OptionError: no such provider.
        ProviderMissingError: it is not offered.
    """
    if name.lower() == "auto":
        return (CUDA, CPU) if CUDA in offered else (CPU,)
    wanted = own_name(name) or next((own for own in offered if own.lower() == name.lower()), None)
    if wanted is None:
        raise OptionError(f"{name!r} is no provider; use auto, {', '.join(PROVIDERS)}")
    if wanted not in offered:
        raise ProviderMissingError(
            f"{wanted} is not offered here (there is {', '.join(offered)}); install "
            f"{package_of(wanted)} in place of onnxruntime, or use the provider cpu"
        )
    if wanted == TENSORRT and CUDA in offered:
        return (TENSORRT, CUDA, CPU)
    return (wanted,) if wanted == CPU else (wanted, CPU)


def own_name(name: str) -> str | None:
    """The runtime's own name of a provider, by that, ours or another; None where there is none."""
    known = PROVIDERS.get(_ALIASES.get(name.lower(), name.lower()))
    own_names = {each.lower(): each for each, _ in PROVIDERS.values()}
    return known[0] if known else own_names.get(name.lower())


def package_of(wanted: str) -> str:
    """What brings a provider, by its own name."""
    return next((package for own, package in PROVIDERS.values() if own == wanted), "its package")
