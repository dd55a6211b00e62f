"""A stream's state in, bytes out; and back.

Rules of this file:

1. A snapshot is data from outside: every value is checked for type and range before it is used,
   and nothing in it is ever run.
2. It is of one model: the fingerprint of the model that made it must be that of the reader.
3. It is versioned. A reader refuses a version that it does not know.

Layout: 8 bytes of magic and version, 16 bytes BLAKE2b of what follows, then zlib-compressed: the
length of a JSON header (4 bytes, little endian), the header, and the arrays that it names, one
after the other.
"""

from __future__ import annotations

import hashlib
import json
import math
import types
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.engine.state_check import check_state
from parakeet_streaming.engine.stream_state import StreamState
from parakeet_streaming.errors import ParakeetError, SnapshotError
from parakeet_streaming.ports import Transducer, VoiceActivity

MAGIC: Final = b"PKSTRM"
VERSION: Final = 4
MAX_BYTES: Final = 1 << 30
"""Of a snapshot when it is unpacked: left context of an hour, and an encoder's past."""

_MAX_HEADER_BYTES: Final = 1 << 22
_MOST_AXES: Final = 8
"""No array of a model's memory, or of an encoder's past, has more than three."""
_DIGEST_BYTES: Final = 16
_LARGEST: Final = 2**53
_DTYPES: Final = ("float32", "float64", "int8", "int16", "int32", "int64")
_PCM16: Final = "pcm16"
"""float32 that are whole multiples of 2⁻¹⁵, as samples of 16-bit sources are: half the bytes."""

_UNUSABLE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    ParakeetError,
)
"""What reading may raise where somebody has forged a value."""


@dataclass(frozen=True, slots=True)
class SnapshotCodec:
    """Writes and reads states of streams of one model."""

    transducer: Transducer
    token_count: int
    """Pieces of the vocabulary; ids from here on are refused, but for the blank."""

    def encode(self, state: StreamState, vad: VoiceActivity | None = None) -> bytes:
        """The state as bytes; `vad` is needed for a state with a voice activity's memory."""
        transducer, decoder, activity = self.transducer, state.decoder, state.activity
        memory = transducer.memory_to_arrays(decoder.memory)
        memory_ahead, ahead = None, state.ahead
        if ahead is not None:
            decoder = ahead.decoder
            memory_ahead = transducer.memory_to_arrays(decoder.memory)
        past = None if state.past is None else transducer.past_to_arrays(state.past)
        voice = None
        if vad is not None and activity is not None and activity.voice is not None:
            voice = vad.state_to_arrays(activity.voice)
        writer = _Writer()
        header = {
            "model": transducer.fingerprint,
            "state": writer.plain(_without_opaque(state)),
            "memory": writer.plain(memory),
            "ahead": writer.plain(memory_ahead),
            "past": writer.plain(past),
            "voice": writer.plain(voice),
        }
        return _packed(header, writer)

    def decode(self, data: bytes, vad: VoiceActivity | None = None) -> StreamState:
        """The state that `data` was made of.

        Raises:
            SnapshotError: no snapshot, a damaged one, one of another version or model, or one with
                values that no stream can have.
        """
        text, arrays = _unpacked(data)
        try:
            header = self._header(text)
            reader = _Reader(arrays, header["arrays"])
            state: StreamState = reader.value(StreamState, header["state"])
            memory = self.transducer.memory_from_arrays(reader.arrays(header["memory"]))
            state = replace(state, decoder=replace(state.decoder, memory=memory))
            if (ahead := state.ahead) is not None:
                memory = self.transducer.memory_from_arrays(reader.arrays(header["ahead"]))
                decoder = replace(ahead.decoder, memory=memory)
                state = replace(state, ahead=replace(ahead, decoder=decoder))
            if header["past"] is not None:
                options = state.options
                most_frames = options.kept_frames or 0
                past = self.transducer.past_from_arrays(reader.arrays(header["past"]), most_frames)
                state = replace(state, past=past)
            if header["voice"] is not None and vad is not None and state.activity is not None:
                voice = vad.state_from_arrays(reader.arrays(header["voice"]))
                state = replace(state, activity=replace(state.activity, voice=voice))
            check_state(state, self.token_count, max((0, *self.transducer.durations)))
        except SnapshotError:
            raise
        except _UNUSABLE as error:
            raise SnapshotError(f"this is no usable snapshot: {error}") from error
        return state

    def _header(self, text: bytes) -> dict[str, Any]:
        header: dict[str, Any] = json.loads(text)
        if header["model"] != self.transducer.fingerprint:
            raise SnapshotError("this snapshot is of another model; load the model it is of")
        return header


def _without_opaque(state: StreamState) -> StreamState:
    activity = state.activity
    if activity is not None:
        activity = replace(activity, voice=None)
    ahead = state.ahead
    if ahead is not None:
        ahead = replace(ahead, decoder=replace(ahead.decoder, memory=None))
    decoder = replace(state.decoder, memory=None)
    return replace(state, decoder=decoder, ahead=ahead, past=None, activity=activity)


class _Writer:
    """Values as JSON's own types; arrays are set aside."""

    def __init__(self) -> None:
        self.kinds: list[tuple[str, list[int]]] = []
        self.bytes: list[bytes] = []

    def plain(self, value: Any) -> Any:  # noqa: ANN401  JSON is anything
        """A value as JSON's own types."""
        if isinstance(value, np.ndarray):
            return {"array": self._set_aside(value)}
        if is_dataclass(value) and not isinstance(value, type):
            return {each.name: self.plain(getattr(value, each.name)) for each in fields(value)}
        if isinstance(value, Mapping):
            return {name: self.plain(each) for name, each in value.items()}
        if isinstance(value, (tuple, list)):
            return [self.plain(each) for each in value]
        return value.value if isinstance(value, Enum) else value

    def _set_aside(self, array: NDArray[Any]) -> int:
        kind, stored = str(array.dtype), array
        if kind == "float32":
            with np.errstate(over="ignore", invalid="ignore"):
                whole = (array * np.float32(2**15)).astype(np.int32)
            small = whole.astype(np.int16)
            if np.array_equal(small.astype(np.float32) * np.float32(2**-15), array):
                kind, stored = _PCM16, small
        self.kinds.append((kind, list(array.shape)))
        self.bytes.append(
            np.ascontiguousarray(stored).astype(stored.dtype.newbyteorder("<")).tobytes()
        )
        return len(self.kinds) - 1


class _Reader:
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
        if origin in (types.UnionType, Literal):
            return self._one_of(origin, arguments, plain)
        if origin is tuple:
            each = arguments[:1] * len(plain) if arguments[1:] == (...,) else arguments
            return tuple(self.value(kind, item) for kind, item in zip(each, plain, strict=True))
        if origin is np.ndarray:
            array = self._arrays[plain["array"]]
            wanted = np.dtype(get_args(arguments[1])[0])
            if array.dtype != wanted:
                raise SnapshotError(f"an array of {array.dtype} where {wanted} belongs")
            return array
        if is_dataclass(kind):
            hints = get_type_hints(kind)
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


def _packed(header: dict[str, Any], writer: _Writer) -> bytes:
    text = json.dumps({**header, "arrays": writer.kinds}, separators=(",", ":")).encode()
    parts = [len(text).to_bytes(4, "little"), text, *writer.bytes]
    if len(text) > _MAX_HEADER_BYTES or sum(map(len, parts)) > MAX_BYTES:
        raise SnapshotError(
            f"this stream is more than {MAX_BYTES} bytes, or its values more than "
            f"{_MAX_HEADER_BYTES}; write it down without its audio or without its past"
        )
    body = zlib.compress(b"".join(parts), 1)
    digest = hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest()
    return MAGIC + VERSION.to_bytes(2, "little") + digest + body


def _unpacked(data: bytes) -> tuple[bytes, bytes]:
    """The header's text, and the bytes of the arrays."""
    head = len(MAGIC) + 2
    if data[: len(MAGIC)] != MAGIC or len(data) < head + _DIGEST_BYTES:
        raise SnapshotError("this is no snapshot of a stream")
    version = int.from_bytes(data[len(MAGIC) : head], "little")
    if version != VERSION:
        raise SnapshotError(f"this snapshot has version {version}; this program reads {VERSION}")
    digest, packed = data[head : head + _DIGEST_BYTES], data[head + _DIGEST_BYTES :]
    if hashlib.blake2b(packed, digest_size=_DIGEST_BYTES).digest() != digest:
        raise SnapshotError("this snapshot is damaged")
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(packed, MAX_BYTES)
    except zlib.error as error:
        raise SnapshotError(f"this snapshot is damaged: {error}") from error
    if unpacker.unconsumed_tail:
        raise SnapshotError(f"this snapshot is larger than {MAX_BYTES} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise SnapshotError("this snapshot is damaged: it ends too early, or too late")
    length = int.from_bytes(body[:4], "little")
    if length > min(_MAX_HEADER_BYTES, len(body) - 4):
        raise SnapshotError(f"this snapshot is damaged: its header is of {length} bytes")
    return body[4 : 4 + length], body[4 + length :]
