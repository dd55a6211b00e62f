"""Functions that read files in; threads that run them, so many and no more, out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from parakeet_streaming.errors import CapacityError
from parakeet_streaming.server.limits import MOST_FILES


class FileReaders:
    """The threads that read files."""

    def __init__(self, most_files: int = MOST_FILES) -> None:
        self._most_files = most_files
        self._busy = 0
        self._threads = ThreadPoolExecutor(most_files, thread_name_prefix="parakeet-file")

    def start(self, read: Callable[[], None]) -> asyncio.Future[None]:
        """Runs `read` in a thread.

        Raises:
            CapacityError: all of them are busy.
        """
        if self._busy >= self._most_files:
            raise CapacityError(f"{self._most_files} files are being read; try again later")
        self._busy += 1
        running = asyncio.get_running_loop().run_in_executor(self._threads, read)
        running.add_done_callback(self._ended)
        return running

    def _ended(self, running: asyncio.Future[None]) -> None:
        self._busy -= 1
        if not running.cancelled():
            running.exception()  # it was told where the file's events are read
