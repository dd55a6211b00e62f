"""Bytes in; the numbers, texts and choices that they decide out.

When the bytes are used up, every number is its least and every choice the first.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

ODD_REALS: Final = (
    *(math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 0.5, 0.1, 1e-300, 1e300),
    *(2.0**31, 2.0**32, 2.0**53, 2.0**63, -(2.0**63), 1e9, 1e12, 1e15, 3e38),
)


class Choices:
    """What one input decides, from its first byte on."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that have decided nothing yet."""
        return len(self._data) - self._at

    def bytes_(self, most: int) -> bytes:
        """The next bytes, fewer only at the end."""
        taken = self._data[self._at : self._at + most]
        self._at += len(taken)
        return taken

    def block(self, most: int = 255) -> bytes:
        """As many bytes as the next byte says."""
        return self.bytes_(self.number(0, most))

    def rest(self) -> bytes:
        """All that is left."""
        return self.bytes_(self.left)

    def number(self, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        span = most - least + 1
        width = max(1, ((span - 1).bit_length() + 7) // 8)
        return least + int.from_bytes(self.bytes_(width), "little") % span

    def flag(self) -> bool:
        """Yes or no."""
        return bool(self.number(0, 1))

    def one_of(self, values: Sequence[T]) -> T:
        """One of some values."""
        return values[self.number(0, len(values) - 1)]

    def real(self) -> float:
        """Any float: an odd one, a small one, or eight bytes as they are."""
        kind = self.number(0, 2)
        if kind == 0:
            return self.one_of(ODD_REALS)
        if kind == 1:
            return self.number(-32768, 32767) / 256
        value: float = struct.unpack("<d", self.bytes_(8).ljust(8, b"\0"))[0]
        return value

    def text(self, most: int = 255) -> str:
        """A text; bytes that are no UTF-8 become half characters, as in names of files."""
        return self.block(most).decode("utf-8", "surrogateescape")

    def plain_text(self, most: int = 255) -> str:
        """A text without half characters."""
        return self.block(most).decode("utf-8", "replace")

    def times(self, most: int) -> Iterator[int]:
        """Numbers from 0 on, `most` of them at most, while there are bytes left."""
        for number in range(most):
            if not self.left:
                return
            yield number


def sliced(stream: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """All of a stream in pieces of these sizes, over and over, empty ones among them."""
    at = turn = 0
    while at < len(stream):
        size = max(sizes[turn % len(sizes)], turn % 2)
        yield stream[at : at + size]
        at, turn = at + size, turn + 1
    yield b""
