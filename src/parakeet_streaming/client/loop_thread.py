"""Coroutines in, from any thread; an event loop in a thread of its own that runs them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from parakeet_streaming.errors import StreamClosedError

_T = TypeVar("_T")
_STOPPING_S: Final = 5.0


class LoopThread:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="parakeet-client", daemon=True)
        self._thread.start()

    @property
    def runs(self) -> bool:
        return self._thread.is_alive()

    def call(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Runs it there; waits for what it gives."""
        if not self.runs:
            work.close()
            raise StreamClosedError("the client was closed; make another one")
        asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return asked.result()
        except BaseException:
            # Such as Ctrl-C while it waits.
            asked.cancel()
            raise

    def stop(self) -> None:
        """Ends the thread, and what runs in it."""
        if self.runs:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_STOPPING_S)

    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        # A connection lets go of its socket a moment after it was closed.
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()
