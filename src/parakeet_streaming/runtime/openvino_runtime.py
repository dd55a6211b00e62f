"""An .onnx file in; a session of OpenVINO out. The only file that uses it.

Rules of this file:

1. OpenVINO computes in float32 unless bfloat16 is asked for. By default it would use bfloat16 where
   the processor can, and answers would differ from machine to machine.
2. A compiled graph is kept on disk, so that the second start is quick. A folder that cannot be
   written costs time and is no error. Each precision has a folder of its own: OpenVINO's name of
   what it keeps leaves the precision out, and a graph of another one gives NaN or ends the process.
3. OpenVINO packs the weights of mapped files when it compiles, and again in the first call. The
   pages of these files, each named, are released meanwhile, or memory would hold the model twice.
4. No exception of the runtime leaves this file: errors are ours.
5. One `openvino.Core` serves all graphs until Python ends. A core installs a signal stack for its
   thread, and restores the earlier one when it is destroyed. If two cores overlap, the first
   restores a stack that no longer exists, and the next Ctrl-C ends the process without a message.
6. OpenVINO is imported when a graph is opened in it, and without its telemetry, which would leave
   an id in the user's home and tell a host of each import.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from parakeet_streaming.catalog.cache_folder import cache_folder
from parakeet_streaming.catalog.graph import Graph, TensorSpec, read_graph
from parakeet_streaming.catalog.tensors import Stretch, outside, tensors_of
from parakeet_streaming.catalog.weight_files import check_weights, load_graph, weight_files
from parakeet_streaming.errors import (
    ComputeError,
    ExtraMissingError,
    ModelFormatError,
    OptionError,
    ParakeetError,
)
from parakeet_streaming.runtime.page_release import releasing_pages
from parakeet_streaming.runtime.reasons import last_reason
from parakeet_streaming.runtime.utf8_names import is_utf8, utf8_name

_DEVICE: Final = "CPU"
_BFLOAT16: Final = "BF16"
_IN_MEMORY: Final = "*/_ORT_MEM_ADDR_/*"
"""In place of a file's name: the offset is an address. ONNX Runtime began it, OpenVINO reads it."""
_TELEMETRY: Final = "openvino_telemetry"


class OpenVinoSession:
    """One graph, ready to run; made by `open_openvino`."""

    def __init__(
        self, compiled: Any, name: str, threads: int, mapped: Sequence[Path], weights: object
    ) -> None:
        """A session for a compiled graph.

        Args:
            compiled: the graph.
            name: what messages call it.
            threads: of one call.
            mapped: files that the first call still reads weights from.
            weights: memory that must live as long as the graph.
        """
        self._compiled = compiled
        self._weights = weights
        self._name = name
        self._mapped = mapped
        # A request runs one call at a time; threads that share a model have one each.
        self._own = threading.local()
        self.inputs: Mapping[str, TensorSpec] = _specs(compiled.inputs)
        """By name, in the graph's order."""
        self.outputs: Mapping[str, TensorSpec] = _specs(compiled.outputs)
        """By name, in the graph's order."""
        self.providers: tuple[str, ...] = (f"OpenVINO {_DEVICE}",)
        self.threads = threads

    def _input(self, name: str, value: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(self.inputs[name].cast(value))

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """All outputs by name, in the graph's order, as `Session.run` says."""
        try:
            if hasattr(self._own, "request"):
                results = self._infer(feeds)
            else:
                self._own.request = self._compiled.create_infer_request()
                with releasing_pages(self._mapped):
                    results = self._infer(feeds)
        except Exception as error:  # the runtime's exceptions are plain RuntimeError and KeyError
            raise ComputeError(f"{self._name} could not run: {last_reason(error)}") from error
        return {
            name: values.astype(np.float32) if values.dtype == np.float16 else values
            for name, values in zip(self.outputs, results.values(), strict=True)
        }

    def _infer(self, feeds: Mapping[str, NDArray[Any]]) -> Any:
        inputs = {name: self._input(name, value) for name, value in feeds.items()}
        return self._own.request.infer(inputs, share_inputs=True, share_outputs=True)


def open_openvino(
    source: str | bytes, *, threads: int, name: str, bfloat16: bool = False, kept: bool = True
) -> OpenVinoSession:
    """A session for a graph on the processor.

    Args:
        source: path of an .onnx file, or the bytes of one whose weights are inside.
        threads: of one call.
        name: what messages call the graph.
        bfloat16: compute in bfloat16.
        kept: keep the compiled graph on disk.

    Raises:
        ExtraMissingError: OpenVINO is not installed.
        OptionError: bfloat16 on a processor without it.
        ModelFormatError: the runtime refuses the graph.
        ComputeError: the runtime cannot start on this machine.
    """
    core = _core(_openvino())
    if bfloat16 and not multiplies_bfloat16():
        raise OptionError(
            "this processor does not multiply bfloat16 (AMX or AVX-512 BF16 do); use another "
            "precision"
        )
    precision = "bf16" if bfloat16 else "f32"
    options: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": precision,
    }
    folder = cache_folder(f"openvino/{precision}") if kept else None
    mapped: list[Path] = []
    if folder is not None and is_utf8(folder):
        options["CACHE_DIR"] = str(folder)
        mapped += (path.resolve() for path in folder.glob("*.blob"))
    try:
        with _within_reach(source) as (graph, files, weights):
            mapped += files
            with releasing_pages(mapped):
                compiled = core.compile_model(core.read_model(graph), _DEVICE, options)
        return OpenVinoSession(compiled, name, threads, mapped, weights)
    except ParakeetError:
        raise
    except Exception as error:  # the runtime's exceptions are plain RuntimeError
        raise ModelFormatError(
            f"OpenVINO cannot open {name}: {last_reason(error)}; use the runtime onnxruntime"
        ) from error


@contextmanager
def _within_reach(
    source: str | bytes,
) -> Iterator[tuple[str | bytes, Sequence[Path], Mapping[str, object]]]:
    """What OpenVINO can read of a graph: its path or its bytes; files; memory that bytes name.

    OpenVINO reads no weights of files that a graph names: it refuses links, as the hub's cache has
    them, and understands names in its own way. These files are checked and mapped here, and the
    graph gets their addresses.
    """
    if isinstance(source, bytes):
        yield source, (), {}
        return
    path = Path(source)
    described = _described(path)
    check_weights(described)
    if not described.external_files:
        with utf8_name(path) as name:
            yield name, (path.resolve(),), {}
        return
    model = load_graph(path)
    files = weight_files(path, described.external_files)
    weights = {name: np.memmap(file, np.uint8, "r") for name, file in files.items()}
    for tensor in tensors_of(model):
        place = outside(tensor)
        if place is not None:
            _name_memory(tensor, place, weights[place.location])
    yield model.SerializeToString(), tuple(files.values()), weights


def _described(path: Path) -> Graph:
    try:
        return read_graph(path)
    except ModelFormatError as error:
        raise ModelFormatError(
            f"OpenVINO cannot open {path}: {error}; or use the runtime onnxruntime"
        ) from error


def _name_memory(tensor: onnx.TensorProto, place: Stretch, memory: NDArray[np.uint8]) -> None:
    """Lets a tensor take its values from mapped memory in place of a file."""
    there = memory[place.offset :] if place.length is None else memory[place.offset : place.end]
    del tensor.external_data[:]
    for key, value in (
        ("location", _IN_MEMORY),
        ("offset", there.ctypes.data),
        ("length", there.size),
    ):
        tensor.external_data.add(key=key, value=str(value))


def version() -> str | None:
    """OpenVINO's version, without importing it; None where it is not installed."""
    try:
        return metadata.version("openvino") if find_spec("openvino") else None
    except metadata.PackageNotFoundError:
        return None


def multiplies_bfloat16() -> bool:
    """Whether OpenVINO is there and computes in bfloat16 on this processor."""
    if version() is None:
        return False
    try:
        core = _core(_openvino())
        return _BFLOAT16 in core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")
    except Exception:  # of a runtime that cannot compute here
        return False


@cache
def _core(openvino: Any) -> Any:
    try:
        return openvino.Core()
    except Exception as error:  # the runtime's exceptions are plain RuntimeError
        raise ComputeError(
            f"OpenVINO cannot start on this machine: {last_reason(error)}; use the runtime "
            "onnxruntime"
        ) from error


def _openvino() -> Any:
    try:
        with _without(_TELEMETRY):
            import openvino
    except ImportError as error:
        raise ExtraMissingError(
            "OpenVINO is not installed; pip install 'parakeet-streaming[openvino]', or use the "
            "runtime onnxruntime"
        ) from error
    except Exception as error:  # a library that this machine cannot load
        raise ExtraMissingError(
            f"OpenVINO is installed but cannot be imported: {last_reason(error)}; install it "
            "again, or use the runtime onnxruntime"
        ) from error
    return openvino


@contextmanager
def _without(package: str) -> Iterator[None]:
    """In the body, `package` cannot be imported; OpenVINO has a stub for its telemetry then."""
    there = sys.modules.get(package)
    sys.modules[package] = None  # type: ignore[assignment]  # what `import` refuses
    try:
        yield
    finally:
        if there is None:
            del sys.modules[package]
        else:
            sys.modules[package] = there


def _specs(ports: Iterable[Any]) -> Mapping[str, TensorSpec]:
    return MappingProxyType({port.any_name: _spec(port) for port in ports})


def _spec(port: Any) -> TensorSpec:
    shape = tuple(size.get_length() if size.is_static else "?" for size in port.get_partial_shape())
    return TensorSpec(port.any_name, np.dtype(port.element_type.to_dtype()), shape)
