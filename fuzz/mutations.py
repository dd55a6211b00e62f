"""Seeds in; as many changed ones as wanted, the same at every run, out."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Final

_ODD_BYTES: Final = (0, 1, 9, 10, 13, 27, 32, 34, 44, 45, 60, 62, 123, 127, 128, 192, 254, 255)
_ODD_TEXTS: Final = (
    *(b"-1", b"0", b"1e999", b"NaN", b"null", b"[]", b"{}", b'""', b"99999999999999999999"),
    *(b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xff" * 8, b"\0" * 8),
    *(b"-->", b"\x1b]0;x\x07", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"../../", b"\n\n"),
)
_MOST_CHANGES: Final = 6

Change = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutations(seeds: Sequence[bytes], count: int, seed: int = 0) -> Iterator[bytes]:
    """`count` inputs, each a seed with a few changes."""
    chooser = random.Random(seed)
    for _ in range(count):
        changed = bytearray(chooser.choice(seeds))
        for _change in range(chooser.randint(1, _MOST_CHANGES)):
            chooser.choice(_CHANGES)(chooser, changed, seeds)
        yield bytes(changed)


def _place(chooser: random.Random, data: bytearray) -> int:
    """Mostly near the start, where headers are."""
    near = chooser.random() < 0.5
    return chooser.randrange(min(len(data), 64) if near else len(data))


def _set_byte(chooser: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_place(chooser, data)] = chooser.choice(_ODD_BYTES)


def _flip_bit(chooser: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_place(chooser, data)] ^= 1 << chooser.randrange(8)


def _remove(chooser: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        at = _place(chooser, data)
        del data[at : at + chooser.randint(1, 16)]


def _repeat(chooser: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        at = _place(chooser, data)
        data[at:at] = data[at : at + chooser.randint(1, 32)] * chooser.randint(1, 3)


def _insert(chooser: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(chooser, data) if data else 0
    data[at:at] = chooser.choice(_ODD_TEXTS)


def _overwrite(chooser: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(chooser, data) if data else 0
    odd = chooser.choice(_ODD_TEXTS)
    data[at : at + len(odd)] = odd


def _cut_off(chooser: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        del data[chooser.randrange(len(data)) :]


def _join(chooser: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = chooser.choice(seeds)
    if data and other:
        data[chooser.randrange(len(data)) :] = other[chooser.randrange(len(other)) :]


_CHANGES: Final[tuple[Change, ...]] = (
    *(_set_byte, _flip_bit, _remove, _repeat, _insert, _overwrite, _cut_off, _join),
)
