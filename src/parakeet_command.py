"""The command `parakeet`: what runs before the package is imported, which takes a moment.

Ctrl-C then ends the program without a word, as it does later. It is outside the package because
whatever is inside is imported after the whole package.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

_INTERRUPTED = 130


def main() -> None:
    """Runs the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    from parakeet_streaming.cli import main as run

    run()


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(_INTERRUPTED)
