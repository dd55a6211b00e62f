"""What the commands say in; lines on standard error or output out, with nothing hidden in them.

Rules of this file:

1. All that a command says to people goes through here or through `rows.py`; what it shows while it
   runs goes through `display.py`. Names of files, and words of models, devices and other programs,
   are shown by `plain_text.visible`: they give a terminal no orders and begin no lines.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer
from typer.core import TyperGroup

from parakeet_streaming.plain_text import visible

# Newer versions of typer bring a click of their own; this is the class of theirs.
_USAGE_ERROR: Final[Any] = typer.BadParameter.__mro__[1]


def complain(what: object) -> None:
    """Says on standard error what is wrong, in one line that begins with the program's name."""
    note(f"parakeet: {what}")


def note(what: str) -> None:
    """Says something on standard error, in one line."""
    typer.echo(visible(what), err=True)


def answer(what: str) -> None:
    """Says on standard output what was asked for, in one line."""
    typer.echo(visible(what))


class OneLineFormatter(logging.Formatter):
    """Formats a record so that its message is one line; a traceback has its own lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the library's name
        record.message = visible(record.message.strip())
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802  the library's
        return "\n".join(visible(line) for line in super().formatException(ei).split("\n"))


class Commands(TyperGroup):
    """Commands whose errors of usage quote what was typed visibly: it may be a file's name."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  click's
        with _visible_usage():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  click's
        with _visible_usage():
            return super().invoke(ctx)


@contextmanager
def _visible_usage() -> Iterator[None]:
    try:
        yield
    except _USAGE_ERROR as error:
        error.message = visible(error.message)
        raise
