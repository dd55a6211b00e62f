"""Blocks of float32 in, read in their own thread; the same blocks out as they come.

Rules of this file:

1. A `BlockSource` is used like a microphone: it starts once and ends once, and `on_end` is called
   whatever ended it.
2. What fails in reading is kept as `failure`, and everything before it is handed on.
3. `stop` does not wait for a read that waits for the other end of a pipe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.errors import StreamClosedError

_STOPPING_S: Final = 0.2
"""How long `stop` waits for the thread: longer than a paced block, not long enough to notice."""

Push = Callable[[NDArray[np.float32]], int]


class LiveSource(Protocol):
    """Where live sound comes from: a microphone, a pipe, a recording at its pace."""

    @property
    def rate_hz(self) -> int:
        """Samples per second that `push` gets."""
        ...

    @property
    def channels(self) -> int:
        """Of the samples that `push` gets: (n,) where there is one, else (n, channels)."""
        ...

    @property
    def can_wait(self) -> bool:
        """Whether `push` may block: a pipe waits for its reader, a microphone does not."""
        ...

    @property
    def failure(self) -> Exception | None:
        """Why it ended, unless it came to its end or was stopped."""
        ...

    @property
    def overflows(self) -> int:
        """How often the system dropped samples before they came here."""
        ...

    def start(self, push: Push, on_end: Callable[[], None] | None = None) -> None:
        """Hands samples to `push` in another thread, and calls `on_end` once after the last."""
        ...

    def watch(self, now_s: float) -> bool:
        """Whether it still gives samples; call it about once a second."""
        ...

    def stop(self) -> None:
        """Gives no more samples; stopping twice is fine."""
        ...


class BlockSource:
    """Blocks of an iterator as a source of live sound."""

    overflows: Final = 0

    def __init__(
        self,
        blocks: Iterable[NDArray[np.float32]],
        rate_hz: int,
        *,
        can_wait: bool,
        channels: int = 1,
    ) -> None:
        """Takes what will be read.

        Args:
            blocks: float32 mono (n,), or (n, channels); the iterator may wait.
            rate_hz: samples per second.
            can_wait: whether the next block may be read late without losing sound.
            channels: of blocks.
        """
        self.rate_hz = rate_hz
        self.can_wait = can_wait
        self.channels = channels
        self.failure: Exception | None = None
        self._blocks = blocks
        self._on_end: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None
        self._ended = False
        self._ending = threading.Lock()

    def start(self, push: Push, on_end: Callable[[], None] | None = None) -> None:
        """Reads from now on.

        Raises:
            StreamClosedError: it was started or stopped before.
        """
        if self._thread is not None or self._ended:
            raise StreamClosedError("blocks are read once; open their source again")
        self._on_end = on_end
        # A read that waits for a pipe cannot be ended; the program must be able to.
        self._thread = threading.Thread(target=self._run, args=(push,), name="source", daemon=True)
        self._thread.start()

    def watch(self, now_s: float) -> bool:
        """Whether more may come; a pipe that is silent is not gone."""
        return self._thread is not None and not self._ended

    def stop(self) -> None:
        """Hands on no more blocks."""
        self._end()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_STOPPING_S)

    def _run(self, push: Push) -> None:
        failure: Exception | None = None
        try:
            for block in self._blocks:
                if self._ended:
                    break
                push(block)
        except Exception as error:
            failure = error
        self._end(failure)

    def _end(self, failure: Exception | None = None) -> None:
        with self._ending:
            if self._ended:
                return
            self.failure, self._ended = failure, True
        if self._on_end is not None:
            self._on_end()
