"""A number in; so many processes for tasks of a stage, which Ctrl-C ends in order, out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def workers(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes until the block ends; by an error or Ctrl-C after what they have begun."""
    pool = ProcessPoolExecutor(processes, initializer=leave_interrupts)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def leave_interrupts(*_: object) -> None:
    """Ctrl-C reaches every process of a terminal; the first one alone acts on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
