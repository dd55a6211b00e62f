"""A loop in; a thread that turns it, and sleeps until the bell rings or the loop's next time, out.

Rules of this file:

1. The thread turns the loop, waits as long as the loop says, and begins anew.
2. A thread with news leaves it where the loop will look, and rings after that. At least one turn
   follows each ring, so no news is missed.
3. Before it sleeps for the first time it measures what steps take, one measurement between turns.
4. The bell is a queue because that, unlike an event, may be rung by a finaliser that runs within
   another call of it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from parakeet_streaming.live.loop import StreamLoop
from parakeet_streaming.live.warm_up import WarmUp


class Bell:
    """Rouses one thread. Any thread may ring."""

    def __init__(self) -> None:
        self._rings: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        """There is something to do."""
        if self._rings.empty():
            self._rings.put(None)

    def wait(self, timeout_s: float | None) -> None:
        """Waits for a ring, at most so long; rings until now count as one."""
        with suppress(queue.Empty):
            self._rings.get(timeout=timeout_s)
            while True:
                self._rings.get_nowait()


class Worker:
    """The one thread of an engine; it ends when the loop is closed and every stream is over."""

    def __init__(
        self,
        loop: StreamLoop,
        bell: Bell,
        clock: Callable[[], float],
        warm_up: WarmUp | None = None,
    ) -> None:
        """`bell`: the one that the loop rings; `warm_up` goes on while the streams leave time."""
        self._loop = loop
        self._warm_up = warm_up
        self._bell = bell
        self._clock = clock
        # Not waited for when Python ends: `join` is called then, by whoever made it.
        self._thread = threading.Thread(target=self._run, name="parakeet-live", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_current(self) -> bool:
        """Whether the caller is the worker's thread, as in an `on_event`."""
        return threading.current_thread() is self._thread

    def join(self, timeout_s: float | None = None) -> bool:
        """Waits for the thread's end; whether it has ended. The thread itself does not wait."""
        if self.is_current:
            return False
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._loop.over:
                now_s = self._clock()
                again_s = self._loop.turn(now_s)
                if self._loop.over:
                    break
                rests = again_s is None or again_s > now_s
                if self._goes_on_measuring(rests=rests):
                    continue
                if again_s is None:
                    self._bell.wait(None)
                elif again_s > now_s:
                    self._bell.wait(max(0.0, again_s - self._clock()))
        except BaseException as error:
            self._loop.abandon(error)
            raise
        finally:
            if self._warm_up is not None:
                self._warm_up.give_up()

    def _goes_on_measuring(self, *, rests: bool) -> bool:
        """Makes one measurement if there is time for it or somebody waits; whether it did."""
        warm_up = self._warm_up
        if warm_up is None or warm_up.over or not (rests or warm_up.wanted):
            return False
        warm_up.go_on()
        return True
