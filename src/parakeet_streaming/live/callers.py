"""Who calls an engine in; whether the call may wait for the worker, if there is one at all, out.

Rules of this file:

1. The worker runs consumers' callbacks. A call that waits for the worker would, in a callback, wait
   for itself, and every stream with it; it is refused.
2. A fork copies no threads: the worker stays in the process that made the engine. In a child every
   call that needs the worker is refused.
3. Identities of threads are used again, so it is known who is the worker only while it turns.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from parakeet_streaming.errors import EngineFailedError, UsageError


class Callers:
    """Of one engine."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._worker = 0

    @property
    def in_worker(self) -> bool:
        """Whether the caller is the thread that turns the loop, as in an `on_event`."""
        return self._worker == threading.get_ident()

    @property
    def at_home(self) -> bool:
        """Whether the caller is in the process that made the engine."""
        return os.getpid() == self._process

    @contextmanager
    def turning(self) -> Iterator[None]:
        """While it is entered, this thread is the worker."""
        before, self._worker = self._worker, threading.get_ident()
        try:
            yield
        finally:
            self._worker = before

    def check_process(self) -> None:
        """Refuses a caller in another process.

        Raises:
            EngineFailedError: this process was forked after the engine was made.
        """
        if not self.at_home:
            raise EngineFailedError(
                "this engine was made before the process was forked, and its worker stayed in the "
                "parent; make an engine in the child, or start processes with 'spawn'"
            )

    def check_may_wait(self, call: str) -> None:
        """Refuses a call that waits for the worker.

        Raises:
            EngineFailedError: as `check_process`.
            UsageError: the caller is the worker.
        """
        self.check_process()
        if self.in_worker:
            raise UsageError(
                f"{call} waits for the worker, and was called in an on_event, which the worker "
                "runs; call it from another thread"
            )
