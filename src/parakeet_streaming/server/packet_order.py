"""Packets of a track as they come in; the same packets in the order in which they were sent, out.

Rules of this file:

1. A packet whose turn it is goes on at once: nothing is held back to be on the safe side.
2. Behind a hole packets wait, until it is filled or `MOST_WAITING` of them wait; then the hole is
   lost, and they all go on.
3. A packet that comes after its turn, or twice, is dropped.
4. Numbers that leap belong to another source (the caller changed its microphone): it begins anew.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

MOST_WAITING: Final = 5
"""100 ms of frames of the usual length: what comes later than that is later than its words."""
_NUMBERS: Final = 1 << 16
_LEAP: Final = 1_000

_P = TypeVar("_P")


class PacketOrder(Generic[_P]):
    """One track."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._waiting: dict[int, _P] = {}

    def take(self, number: int, packet: _P) -> list[_P]:
        """Packets whose turn it is now.

        Args:
            number: the packet's sequence number, of 16 bits.
            packet: what came.
        """
        ahead = 0 if self._next is None else _ahead(number, self._next)
        if self._next is None or abs(ahead) >= _LEAP:
            gone = self._rest()
            self._next = (number + 1) % _NUMBERS
            return [*gone, packet]
        if ahead < 0 or number in self._waiting:
            return []
        self._waiting[number] = packet
        if len(self._waiting) >= MOST_WAITING and self._next not in self._waiting:
            expected = self._next
            self._next = min(self._waiting, key=lambda each: _ahead(each, expected))
        return self._due()

    def _due(self) -> list[_P]:
        assert self._next is not None, "a packet came"
        found = []
        while self._next in self._waiting:
            found.append(self._waiting.pop(self._next))
            self._next = (self._next + 1) % _NUMBERS
        return found

    def _rest(self) -> list[_P]:
        """What still waits, in its order."""
        expected = self._next or 0
        numbers = sorted(self._waiting, key=lambda each: _ahead(each, expected))
        return [self._waiting.pop(each) for each in numbers]


def _ahead(number: int, expected: int) -> int:
    """By how much a number is above the expected one; below 0 for one that is late."""
    return (number - expected + _NUMBERS // 2) % _NUMBERS - _NUMBERS // 2
