"""Tasks and the times they set in; the tasks whose time has come, and the next time, out.

Rules of this file:

1. A task has one time at most; setting it again moves it.
2. Times are seconds that the caller passes in. Setting and asking cost the logarithm of how many
   there are.
3. A time that was moved or cleared stays in the heap until it comes up, and is dropped there.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Timers(Generic[Key]):
    """When each task wants to be looked at. Not thread-safe."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Key]] = []
        self._set: dict[Key, tuple[int, float]] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._set)

    def __contains__(self, task: Key) -> bool:
        """Whether a task has a time."""
        return task in self._set

    @property
    def next_s(self) -> float | None:
        """The earliest time that is set."""
        while self._heap and self._is_stale():
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def set(self, task: Key, at_s: float) -> None:
        """Sets the time of a task, or moves it."""
        self._number += 1
        self._set[task] = (self._number, at_s)
        heapq.heappush(self._heap, (at_s, self._number, task))

    def set_by(self, task: Key, at_s: float) -> None:
        """Sets the time of a task unless it has an earlier one."""
        if task not in self._set or self._set[task][1] > at_s:
            self.set(task, at_s)

    def clear(self, task: Key) -> None:
        """Forgets a task; one that has no time is no error."""
        self._set.pop(task, None)

    def due(self, now_s: float) -> list[Key]:
        """The tasks whose time has come, the earliest first; their times are then no longer set."""
        tasks: list[Key] = []
        while (next_s := self.next_s) is not None and next_s <= now_s:
            _, _, task = heapq.heappop(self._heap)
            del self._set[task]
            tasks.append(task)
        return tasks

    def _is_stale(self) -> bool:
        _, number, task = self._heap[0]
        return self._set.get(task, (0, 0.0))[0] != number
