"""An .onnx file in; the bytes of the same message out, without its weights.

An .onnx file is one protobuf message, with weights of hundreds of MB inside it. The file is mapped
and walked field by field; what is larger than 4 KiB inside a tensor is stepped over and never read,
so that a 650 MB encoder costs a few MB of memory.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Final

_KEPT_BYTES: Final = 4096

# Field numbers of onnx.proto: which fields of a message lead to weights, and which are weights.
_INNER: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": {},
}
_WEIGHT_FIELDS: Final = frozenset({4, 5, 6, 7, 9, 10, 11})


def without_weights(path: Path) -> bytes:
    """The bytes of an ONNX model whose large tensors have lost their values.

    Raises:
        ValueError: not whole, or no protobuf message at all.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return _kept(mapped, 0, len(mapped), "model")


def _kept(mapped: mmap.mmap, start: int, stop: int, kind: str) -> bytes:
    """The message of `kind` at [start, stop), its large weights left out."""
    kept = bytearray()
    at = start
    while at < stop:
        tag, body = _varint(mapped, at)
        payload, end = _field_end(mapped, body, tag & 7)
        if end > stop:
            raise ValueError("it ends too early")
        large = end - at > _KEPT_BYTES
        inner = _INNER[kind].get(tag >> 3)
        if large and inner is not None and tag & 7 == 2:
            message = _kept(mapped, payload, end, inner)
            kept += mapped[at:body] + _as_varint(len(message)) + message
        elif not (kind == "tensor" and tag >> 3 in _WEIGHT_FIELDS):
            kept += mapped[at:end]
        at = end
    return bytes(kept)


def _field_end(mapped: mmap.mmap, at: int, wire_type: int) -> tuple[int, int]:
    """Where the payload of the field whose value begins at `at` begins and ends."""
    if wire_type == 0:
        return at, _varint(mapped, at)[1]
    if wire_type == 2:
        length, payload = _varint(mapped, at)
        return payload, payload + length
    if wire_type in (1, 5):
        return at, at + (8 if wire_type == 1 else 4)
    raise ValueError(f"unknown wire type {wire_type}")


def _varint(mapped: mmap.mmap, at: int) -> tuple[int, int]:
    """A protobuf variable-length number, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(mapped):
            raise ValueError("it ends too early")
        byte = mapped[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number without end")


def _as_varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
