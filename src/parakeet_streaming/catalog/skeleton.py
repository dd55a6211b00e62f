"""An .onnx file in; its bytes without the values of its large tensors out.

An .onnx file is one protobuf message with hundreds of MB of weights in it. The file is mapped and
walked field by field; what is larger than 4 KiB in a tensor is skipped, so a 650 MB encoder costs a
few MB of memory.

Rule of this file: the walk has a budget of fields, of bytes that are kept, and of depth, because
the file decides how many there are.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.file_reading import open_file
from parakeet_streaming.catalog.limits import (
    MOST_NESTING,
    MOST_SKELETON_BYTES,
    MOST_SKELETON_FIELDS,
)

_KEPT_BYTES: Final = 4096

# Field numbers of onnx.proto: which fields of a message are looked into, and which are weights.
# Those of a value are looked into only to be counted.
_INNER: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": {},
    "value": {2: "type"},
    "type": {1: "tensor type"},
    "tensor type": {2: "shape"},
    "shape": {},
}
_WEIGHT_FIELDS: Final = frozenset({4, 5, 6, 7, 9, 10, 11})


def without_weights(path: Path) -> bytes:
    """The bytes of an ONNX model without the values of its large tensors.

    Raises:
        ValueError: not whole, no protobuf message at all, or beyond a budget of `limits.py`.
        ParakeetError: the file cannot be read.
    """
    with open_file(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return _Walk(mapped).kept(0, len(mapped), "model")


class _Walk:
    """Through one file."""

    def __init__(self, mapped: mmap.mmap) -> None:
        self._mapped = mapped
        self._fields_left = MOST_SKELETON_FIELDS
        self._bytes_left = MOST_SKELETON_BYTES

    def kept(self, start: int, stop: int, kind: str, depth: int = 0) -> bytes:
        """The message of `kind` at [start, stop), its large weights left out."""
        if depth > MOST_NESTING:
            raise ValueError(f"its graphs are nested more than {MOST_NESTING} messages deep")
        mapped, kept = self._mapped, bytearray()
        at = start
        while at < stop:
            tag, body = _varint(mapped, at)
            payload, end = _field_end(mapped, tag, body)
            if end > stop:
                raise ValueError("it ends too early")
            self._count_field()
            large = end - at > _KEPT_BYTES
            inner = _INNER[kind].get(tag >> 3)
            if large and inner is not None and tag & 7 == 2:
                message = self.kept(payload, end, inner, depth + 1)
                kept += mapped[at:body] + _as_varint(len(message)) + message
            elif not (kind == "tensor" and tag >> 3 in _WEIGHT_FIELDS):
                self._count_bytes(end - at)
                kept += mapped[at:end]
            at = end
        return bytes(kept)

    def _count_field(self) -> None:
        self._fields_left -= 1
        if self._fields_left < 0:
            raise ValueError(f"it has more than {MOST_SKELETON_FIELDS} fields beside its weights")

    def _count_bytes(self, count: int) -> None:
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise ValueError(f"it has more than {MOST_SKELETON_BYTES} bytes beside its weights")


def _field_end(mapped: mmap.mmap, tag: int, at: int) -> tuple[int, int]:
    """Where the payload of the field with `tag`, whose value begins at `at`, begins and ends."""
    wire_type = tag & 7
    if not tag >> 3:
        raise ValueError("no protobuf message has a field 0")
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
