"""A change of some state in; the threads and event loops that wait for it woken, out.

Rules of this file:

1. The lock guards whatever its owner keeps beside it. It is held for a few instructions at a time.
2. An event loop never waits for the lock's condition: it is woken by `call_soon_threadsafe`.
3. `waiting` takes no lock, so a fast path asks it before it calls `notify`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from parakeet_streaming.limits import MOST_WAIT_S, check_number

T = TypeVar("T")


class Waiters:
    """Threads and event loops that wait for a change."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """What `with` holds, for those who come often."""
        self._changed = threading.Condition(self.lock)
        self._threads = 0
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @property
    def waiting(self) -> bool:
        """Whether any waits now."""
        return self._threads > 0 or bool(self._sleepers)

    def __enter__(self) -> None:
        """Holds the lock."""
        self._changed.acquire()

    def __exit__(self, *_: object) -> None:
        self._changed.release()

    def notify(self) -> None:
        """Wakes all that wait; each asks again for what it waits for."""
        with self._changed:
            self._changed.notify_all()
            sleepers, self._sleepers = self._sleepers, []
        for loop, woken in sleepers:
            # A loop that is closed has nothing left to wake.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(woken.set)

    def wait_for(self, answer: Callable[[], T | None], timeout_s: float | None = None) -> T | None:
        """Waits until `answer`, which is called with the lock held, gives something.

        Returns:
            The answer; None if none came within `timeout_s`.

        Raises:
            OptionError: a time that nobody can wait.
        """
        if timeout_s is not None:
            check_number("timeout_s", timeout_s, -MOST_WAIT_S, MOST_WAIT_S, "seconds, or None")
        found: T | None = None

        def there() -> bool:
            nonlocal found
            found = answer()
            return found is not None

        with self._changed:
            self._threads += 1
            try:
                self._changed.wait_for(there, timeout_s)
            finally:
                self._threads -= 1
        return found

    async def wait_for_async(self, answer: Callable[[], T | None]) -> T:
        """As `wait_for`, for an event loop."""
        while True:
            sleeper = (asyncio.get_running_loop(), asyncio.Event())
            with self._changed:
                # In the list before the question: a change after the question finds it there.
                self._sleepers.append(sleeper)
                try:
                    found = answer()
                except BaseException:
                    self._sleepers.remove(sleeper)
                    raise
                if found is not None:
                    self._sleepers.remove(sleeper)
                    return found
            try:
                await sleeper[1].wait()
            finally:
                with self._changed:
                    if sleeper in self._sleepers:
                        self._sleepers.remove(sleeper)
