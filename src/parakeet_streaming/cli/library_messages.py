"""A command in; the same command, without what libraries write to standard error, out.

Standard error is for what this program says. Warnings of Python and the logs of libraries without a
place of their own would stand between its lines; they are written where `--log-level` is given.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LOGGERS: Final = ("parakeet_streaming", "py.warnings")
"""What `--log-level` writes: this package's log, and Python's warnings."""


@contextmanager
def kept_off_standard_error() -> Iterator[None]:
    """While the body runs, libraries are not heard; with `python -W`, warnings are."""
    last_resort = logging.lastResort
    logging.lastResort = logging.NullHandler()
    if not sys.warnoptions:
        logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logging.lastResort = last_resort
