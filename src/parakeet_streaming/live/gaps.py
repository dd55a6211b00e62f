"""Where audio of one stream is missing in; what stands there, for windows to come, out.

Everything here belongs to the worker's thread. Positions are samples at 16 kHz.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from parakeet_streaming.engine.room_noise import Room

_Stretch = tuple[int, int]


class Gaps:
    """Gaps that a window to come can reach, in order."""

    def __init__(self, stretches: Iterable[_Stretch] = (), room: Room = ()) -> None:
        """`room`: is heard before the last of them."""
        self._stretches: deque[_Stretch] = deque()
        self._rooms: dict[int, Room] = {}
        self.any = False
        """Whether there are any."""
        for start, end in stretches:
            self.begin(start, end, room)

    @property
    def last(self) -> _Stretch | None:
        """The newest one."""
        return self._stretches[-1] if self._stretches else None

    def begin(self, start: int, end: int, room: Room) -> None:
        """Audio is missing there; `room`: what is heard before it."""
        self._stretches.append((start, end))
        self._rooms[start] = room
        self.any = True

    def room_at(self, position: int) -> Room:
        """The room before the gap in which `position` is; silence where it is in none."""
        for start, end in self._stretches:
            if start <= position < end:
                return self._rooms[start]
        return ()

    def covers(self, start: int, end: int) -> bool:
        """Whether there is nothing but one gap."""
        return any(first <= start and end <= last for first, last in self._stretches)

    def up_to(self, position: int) -> tuple[_Stretch, ...]:
        """Those that begin at `position`, or before it."""
        return tuple(each for each in self._stretches if each[0] <= position)

    def forget_before(self, position: int) -> None:
        """What ends there, or before it, will not be asked for any more."""
        while self._stretches and self._stretches[0][1] <= position:
            start, _ = self._stretches.popleft()
            self._rooms.pop(start, None)
        self.any = bool(self._stretches)
