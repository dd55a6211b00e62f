"""Values of a stream's state in; JSON's own types and arrays out. And back, each value checked."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.ports import Floats

MAX_BYTES: Final = 1 << 30
"""Of a snapshot when it is unpacked: left context of an hour, and an encoder's past."""
_MOST_AXES: Final = 8
"""No array of a model's memory, or of an encoder's past, has more than three."""
_LARGEST: Final = 2**53
_DTYPES: Final = ("float32", "float64", "int8", "int16", "int32", "int64")
_PCM16: Final = "pcm16"
"""float32 that are whole multiples of 2⁻¹⁵, as samples of 16-bit sources are: half the bytes."""
_PLAIN: Final = frozenset({int, float, str, bool, type(None)})
_WORTH_IT: Final = 1_024
"""Values from which on it is looked whether they are samples."""
_TELLING: Final = 32


class PlainWriter:
    """Values as JSON's own types; arrays are set aside."""

    def __init__(self) -> None:
        self.kinds: list[tuple[str, list[int]]] = []
        self.bytes: list[bytes] = []

    def plain(self, value: Any) -> Any:  # noqa: ANN401  JSON is anything
        """A value as JSON's own types."""
        # Most are plain already: a snapshot is to take a small part of a step.
        if type(value) in _PLAIN:
            return value
        if isinstance(value, np.ndarray):
            return {"array": self._set_aside(value)}
        if isinstance(value, (tuple, list)):
            return [self.plain(each) for each in value]
        if (names := _names_of(value.__class__)) is not None:
            return {name: self.plain(getattr(value, name)) for name in names}
        if isinstance(value, Mapping):
            return {name: self.plain(each) for name, each in value.items()}
        return value.value if isinstance(value, Enum) else value

    def _set_aside(self, array: NDArray[Any]) -> int:
        kind, stored = str(array.dtype), array
        if kind == "float32" and array.size >= _WORTH_IT:
            samples = _as_pcm16(array)
            kind, stored = (kind, array) if samples is None else (_PCM16, samples)
        self.kinds.append((kind, list(array.shape)))
        self.bytes.append(stored.astype(stored.dtype.newbyteorder("<"), copy=False).tobytes())
        return len(self.kinds) - 1


@cache
def _hints_of(kind: Any) -> dict[str, Any]:  # noqa: ANN401  a dataclass
    """The types of its fields; they take long to be read."""
    return get_type_hints(kind)


@cache
def _names_of(kind: type) -> tuple[str, ...] | None:
    """The fields of a dataclass; None of any other type."""
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else None


def _as_pcm16(array: Floats) -> NDArray[np.int16] | None:
    """Samples of 16 bits, where all values are; a few of them mostly tell that they are not."""
    for some in (array.reshape(-1)[:_TELLING], array):
        with np.errstate(over="ignore", invalid="ignore"):
            small = (some * np.float32(2**15)).astype(np.int32).astype(np.int16)
        if not np.array_equal(small.astype(np.float32) * np.float32(2**-15), some):
            return None
    return small


class PlainReader:
    """JSON's own types as values, each checked to be what its field says."""

    def __init__(self, data: bytes, kinds: list[Any]) -> None:
        self._arrays: list[NDArray[Any]] = []
        start = 0
        for kind, shape in kinds:
            if kind not in (*_DTYPES, _PCM16) or not _is_shape(shape):
                raise SnapshotError(f"an array of {kind} {shape}")
            dtype = np.dtype("int16" if kind == _PCM16 else kind).newbyteorder("<")
            count = math.prod(shape)
            array = np.frombuffer(data, dtype, count, start).reshape(shape)
            start += array.nbytes
            native = array.astype(array.dtype.newbyteorder("="))
            if not np.isfinite(native).all():
                raise SnapshotError(f"an array of {kind} {shape} with NaN or infinity")
            if kind == _PCM16:
                native = native.astype(np.float32) * np.float32(2**-15)
            self._arrays.append(native)

    def arrays(self, plain: Any) -> dict[str, NDArray[Any]]:  # noqa: ANN401
        """Named arrays."""
        return {str(name): self._arrays[each["array"]] for name, each in plain.items()}

    def value(self, kind: Any, plain: Any) -> Any:  # noqa: ANN401
        """A value of a type."""
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (types.UnionType, Union, Literal):
            return self._one_of(origin, arguments, plain)
        if origin is tuple:
            each = arguments[:1] * len(plain) if arguments[1:] == (...,) else arguments
            return tuple(self.value(kind, item) for kind, item in zip(each, plain, strict=True))
        if (wanted := _dtype_of(origin, arguments)) is not None:
            array = self._arrays[plain["array"]]
            if array.dtype != wanted:
                raise SnapshotError(f"an array of {array.dtype} where {wanted} belongs")
            return array
        if is_dataclass(kind):
            hints = _hints_of(cast("type", kind))
            values = {
                each.name: self.value(hints[each.name], plain[each.name]) for each in fields(kind)
            }
            return kind(**values)  # type: ignore[operator]  # a dataclass is callable
        return _scalar(kind, plain)

    def _one_of(self, origin: Any, arguments: tuple[Any, ...], plain: Any) -> Any:  # noqa: ANN401
        if origin is Literal:
            if plain not in arguments:
                raise SnapshotError(f"{plain!r} where one of {arguments} belongs")
            return plain
        if plain is None and type(None) in arguments:
            return None
        (kind,) = (each for each in arguments if each is not type(None))
        return self.value(kind, plain)


def _dtype_of(origin: Any, arguments: tuple[Any, ...]) -> np.dtype[Any] | None:  # noqa: ANN401
    """The numbers of an `NDArray`; None of any other type."""
    # From numpy 2.5 on it is a name of its own.
    numbers = arguments if origin is NDArray else ()
    if origin is np.ndarray:
        numbers = get_args(arguments[1])
    return np.dtype(numbers[0]) if numbers else None


def _is_shape(shape: list[Any]) -> bool:
    """Whether numpy takes it in silence: few axes, of whole sizes that a snapshot can hold."""
    sizes = all(type(size) is int and 0 <= size <= MAX_BYTES for size in shape)
    return sizes and len(shape) <= _MOST_AXES


def _scalar(kind: Any, plain: Any) -> Any:  # noqa: ANN401
    if kind is object:
        return None
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(plain)
    if kind is float and type(plain) is int:
        plain = float(plain)
    if type(plain) is not kind:
        raise SnapshotError(f"{plain!r} where {kind} belongs")
    if kind in (int, float) and not -_LARGEST <= plain <= _LARGEST:
        raise SnapshotError(f"{plain!r} is out of range")
    return plain
