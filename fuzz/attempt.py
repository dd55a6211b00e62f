"""A target and bytes in; what must not happen, and where, out.

A finding is an exception that the target lets through, or an input that computes for too long. Only
the processor's time counts, so that a busy machine makes no finding.
"""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST_COMPUTING_S: Final = 5.0
"""Fifty times what the slowest usual input takes."""

_PACKAGE: Final = "parakeet_streaming"

Target = Callable[[bytes], None]


class TookTooLongError(BaseException):
    """Not an `Exception`, so that no handler of the product takes it for its own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What must not happen."""

    place: str
    """Exception, file, line and function; equal for equal faults."""
    said: str
    """The message in one line."""
    data: bytes

    @property
    def file_name(self) -> str:
        """The place as a name that every file system takes."""
        return "".join(each if each.isalnum() or each in "._-" else "-" for each in self.place)


def attempt(run: Target, data: bytes) -> Finding | None:
    """Gives `data` to a target; None where all is well."""
    try:
        with _bounded():
            run(data)
    except (Exception, TookTooLongError) as error:
        said = " ".join(str(error).split())[:300]
        return Finding(_place_of(error), said, data)
    return None


def _place_of(error: BaseException) -> str:
    """The innermost line of ours, or, where there is none, of the target.

    What computes for too long may be stopped anywhere in it, so its place is where it began.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"/{_PACKAGE}/" in frame.filename]
    targets = [frame for frame in frames if "/fuzz/targets/" in frame.filename]
    endless = isinstance(error, TookTooLongError)
    frame = (ours or targets or frames[1:])[0 if endless else -1]
    name = Path(frame.filename)
    return f"{type(error).__name__} {name.parent.name}/{name.name}:{frame.lineno} {frame.name}"


@contextmanager
def _bounded() -> Iterator[None]:
    """Stops what computes for too long, if it runs in Python."""

    def stop(_signal: int, _frame: object) -> None:
        raise TookTooLongError(f"more than {MOST_COMPUTING_S:.0f} s of computing")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_COMPUTING_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
