"""An .onnx file in; a session of ONNX Runtime out. The only file that uses it.

Rules of this file:

1. A provider that is asked for is used, or it is an error. The runtime itself would fall back to
   the CPU without a message.
2. The runtime's own messages and exceptions stay in this file: errors are ours.
3. The runtime's memory planning is off. It keeps a plan for every shape of input, and the windows
   of live streams have hundreds of shapes. A call takes 2 to 4 % longer, and memory does not grow.
4. Threads spin during a call and sleep between calls. With spinning, a call is a fifth faster on
   two cores. Spinning between calls would cost live use several times its own work.
5. What lies on a device is a value: no call writes to it again, so it may be kept and shared.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from parakeet_streaming.catalog.graph import TensorSpec
from parakeet_streaming.errors import (
    ComputeError,
    ModelFormatError,
    ProviderMissingError,
)
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.runtime.providers import (
    CPU,
    ON_A_GPU,
    provider_options,
    resolved,
)
from parakeet_streaming.runtime.reasons import first_reason
from parakeet_streaming.runtime.utf8_names import is_utf8, utf8_name

Array = NDArray[Any]

_LOG: Final = logging.getLogger(__name__)

HOST: Final = "cpu"
GPU: Final = "cuda"
"""What the runtime calls the devices of CUDA's and TensorRT's arrays."""

_ERRORS_ONLY: Final = 3
_NOTHING: Final = 4
# Messages outside sessions, such as those of the search for devices, have a logger of the process.
# What a graph provokes there (numbers that overflow) is an exception too; only why the library of
# another provider could not be loaded is told nowhere else.
ort.set_default_logger_severity(_NOTHING)
# For programs that imported the runtime before this package, which sets ORT_DISABLE_TELEMETRY.
ort.disable_telemetry_events()

_DTYPES: Final = {
    "tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64",
    "tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(int8)": "int8",
    "tensor(uint8)": "uint8", "tensor(bool)": "bool",
}  # fmt: skip


class DeviceArray:
    """A tensor that lies on a device, and stays as it is."""

    __slots__ = ("shape", "value")

    def __init__(self, value: ort.OrtValue) -> None:
        self.value = value
        self.shape: tuple[int, ...] = tuple(value.shape())

    @classmethod
    def of(cls, array: Array, device: str) -> DeviceArray:
        """A copy of a host's array there."""
        with _as_ours(f"a copy to {device}"):
            return cls(ort.OrtValue.ortvalue_from_numpy(np.array(array, order="C"), device, 0))

    def numpy(self) -> Array:
        """A copy for the host."""
        with _as_ours("a copy to the host"):
            return np.array(self.value.numpy())


class OnnxRuntimeSession:
    """One graph, ready to run; made by `open_onnx_runtime`."""

    def __init__(self, session: ort.InferenceSession, name: str, threads: int) -> None:
        self._session = session
        self._name = name
        self._output_names = [output.name for output in session.get_outputs()]
        self.inputs: Mapping[str, TensorSpec] = _specs(session.get_inputs())
        """By name, in the graph's order."""
        self.outputs: Mapping[str, TensorSpec] = _specs(session.get_outputs())
        """By name, in the graph's order."""
        self.providers: tuple[str, ...] = tuple(session.get_providers())
        """The runtime's names of what really runs it, the preferred one first."""
        self.threads = threads
        self.device: str | None = GPU if self.providers[0] in ON_A_GPU else None
        """Where `run_bound` can keep outputs; None where that would save nothing."""

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name, in the graph's order, as `Session.run` says."""
        try:
            cast = {name: self.inputs[name].cast(value) for name, value in feeds.items()}
            outputs = self._session.run(self._output_names, cast)
        except Exception as error:  # the runtime's exceptions share no base but this one
            raise ComputeError(f"{self._name} could not run: {first_reason(error)}") from error
        return {
            name: _float32(output) for name, output in zip(self._output_names, outputs, strict=True)
        }

    def run_bound(
        self,
        feeds: Mapping[str, Array | DeviceArray],
        *,
        read: Collection[str] = (),
        kept: Collection[str] = (),
        device: str,
    ) -> tuple[dict[str, Array], dict[str, DeviceArray]]:
        """Some outputs by name: those to read, and those that stay on a device.

        Inputs are arrays of either place; what is not asked for is not fetched. The host's are cast
        as by `run`.

        Raises:
            ComputeError: the runtime could not run the call; the message has its reason.
        """
        given = {
            name: value if isinstance(value, DeviceArray) else self._contiguous(name, value)
            for name, value in feeds.items()
        }
        with _as_ours(self._name):
            binding = self._session.io_binding()
            for name, value in given.items():
                if isinstance(value, DeviceArray):
                    binding.bind_ortvalue_input(name, value.value)
                else:
                    binding.bind_cpu_input(name, value)
            for name in (*read, *kept):
                binding.bind_output(name, HOST if name in read else device, 0)
            # On a GPU, copies of inputs and the call itself may still be under way.
            binding.synchronize_inputs()
            self._session.run_with_iobinding(binding)
            binding.synchronize_outputs()
            values = binding.get_outputs()
            host = [_float32(value.numpy()) for value in values[: len(read)]]
        there = [DeviceArray(value) for value in values[len(read) :]]
        return dict(zip(read, host, strict=True)), dict(zip(kept, there, strict=True))

    def _contiguous(self, name: str, value: Array) -> Array:
        return np.ascontiguousarray(self.inputs[name].cast(value))


def version() -> str:
    """ONNX Runtime's version."""
    return str(ort.__version__)


def available_providers() -> tuple[str, ...]:
    """The runtime's names of what it offers on this machine, the fastest first."""
    return tuple(ort.get_available_providers())


def resolve_providers(name: str) -> tuple[str, ...]:
    """The runtime's names for `name`, in order of preference; see `resolved`."""
    return resolved(name, available_providers())


def open_onnx_runtime(
    source: str | bytes,
    *,
    provider: str = "auto",
    threads: int,
    name: str,
    float16: bool = False,
) -> OnnxRuntimeSession:
    """A session for a graph.

    Args:
        source: path of an .onnx file, or the bytes of one whose weights are inside.
        provider: see `resolve_providers`.
        threads: of one call.
        name: what messages call the graph.
        float16: whether TensorRT may compute in float16.

    Raises:
        OptionError: no such provider.
        ProviderMissingError: the provider is not offered, or could not start.
        ModelFormatError: the runtime refuses the graph.
    """
    if not isinstance(source, bytes) and not is_utf8(source):
        with utf8_name(Path(source)) as readable:
            return open_onnx_runtime(
                readable, provider=provider, threads=threads, name=name, float16=float16
            )
    providers = resolve_providers(provider)
    try:
        session = _create(source, providers, threads, name, float16)
    except ProviderMissingError as error:
        if provider.lower() != "auto":
            raise
        _LOG.warning("the CPU runs %s: %s", name, error)
        session = _create(source, (CPU,), threads, name)
    else:
        if providers[0] not in session.get_providers():
            failure = _not_started(providers[0], name, "the runtime fell back to another")
            if provider.lower() != "auto":
                raise failure
            _LOG.warning("the CPU runs %s: %s", name, failure)
    return OnnxRuntimeSession(session, name, threads)


def _create(
    source: str | bytes, providers: tuple[str, ...], threads: int, name: str, float16: bool = False
) -> ort.InferenceSession:
    ort.set_default_logger_severity(_NOTHING if providers[0] == CPU else _ERRORS_ONLY)
    if providers[0] in ON_A_GPU:
        _load_gpu_libraries()
    try:
        # Without enable_fallback=0 the runtime prints and tries the CPU by itself.
        return ort.InferenceSession(
            source,
            _options(threads),
            providers=[(each, provider_options(each, float16)) for each in providers],
            enable_fallback=0,
        )
    except Exception as error:  # the runtime's exceptions share no base but this one
        if providers[0] != CPU:
            raise _not_started(providers[0], name, first_reason(error)) from error
        raise ModelFormatError(
            f"ONNX Runtime cannot open {name}: {first_reason(error)}; fetch or export it again"
        ) from error


@contextmanager
def _as_ours(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the runtime's exceptions share no base but this one
        raise ComputeError(f"{name} could not run: {first_reason(error)}") from error


@cache
def _load_gpu_libraries() -> None:
    """Loads CUDA's libraries that pip installs; the runtime does not look there by itself."""
    with redirect_stdout(io.StringIO()):  # what is missing is told by the session that needs it
        ort.preload_dlls()


def _float32(values: Array) -> Array:
    return values.astype(np.float32) if values.dtype == np.float16 else values


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.log_severity_level = _NOTHING
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # More threads than cores would spin against each other.
    spin = "1" if threads <= usable_cores() else "0"
    options.add_session_config_entry("session.intra_op.allow_spinning", spin)
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.enable_mem_pattern = False
    return options


def _not_started(wanted: str, name: str, reason: str) -> ProviderMissingError:
    return ProviderMissingError(
        f"{wanted} is offered but could not run {name}: {reason}; check its driver and libraries, "
        "or use the provider cpu"
    )


def _specs(values: Iterable[ort.NodeArg]) -> Mapping[str, TensorSpec]:
    specs = {}
    for value in values:
        shape = tuple("?" if size is None else size for size in value.shape)
        dtype = np.dtype(_DTYPES.get(value.type, "object"))
        specs[value.name] = TensorSpec(value.name, dtype, shape)
    return MappingProxyType(specs)
