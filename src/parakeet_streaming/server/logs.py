"""Records of Python's logging in; a line each on standard error, as text or as a JSON object, out.

Rules of this file:

1. A line has no audio, no key and no query string, and what was said only where that is asked for.
2. Whatever a client sends stays within its line: control characters are escaped.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final, Protocol

FIELDS: Final = (
    *("replica", "door", "stream", "key", "code", "method", "path", "status", "ms", "address"),
    "said",
)
"""What a record may say beside its message."""
SAID: Final = "parakeet_streaming.server.said"
"""The logger of what was said. It is off, whatever the level of the others."""
_OFF: Final = logging.CRITICAL + 1
_PACKAGE: Final = "parakeet_streaming"
_LIBRARY: Final = "uvicorn.error"
"""It writes whole addresses, with keys in their queries, on the level of info."""
_NO_ERRORS: Final = (
    "ASGI callable returned without completing handshake",
    "Invalid UTF-8 sequence received from client",
)

logging.getLogger(SAID).setLevel(_OFF)


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """What a record says beside its message; empty values are left out."""
    found = {name: getattr(record, name, "") for name in FIELDS}
    return {name: value for name, value in found.items() if value not in ("", None)}


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """Time, level, message and `name=value`; where an error arose is in lines after it."""

    def format(self, record: logging.LogRecord) -> str:
        rest = " ".join(f"{name}={_escaped(value)}" for name, value in fields_of(record).items())
        line = f"{_time(record)} {record.levelname} {_escaped(record.getMessage())} {rest}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Lines(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> object:
        """Takes a line with its end."""
        ...

    def flush(self) -> object:
        """Lets nothing wait."""
        ...


@contextmanager
def written(
    log_format: str,
    level: str,
    *,
    log_text: bool,
    stream: Lines | None = None,
    replica: str = "",
) -> Iterator[None]:
    """While the body runs, the log of this package is written, and warnings of the HTTP library.

    Args:
        log_format: text or json.
        level: from which on.
        log_text: whether what was said is written, too.
        stream: standard error by default.
        replica: the name of this server, where there are several.
    """
    handler: logging.StreamHandler[Any] = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    handler.addFilter(_is_of_ours)

    def name_it(record: logging.LogRecord) -> bool:
        record.replica = replica
        return True

    handler.addFilter(name_it)
    levels: dict[str, int | str] = {
        _PACKAGE: level.upper(),
        _LIBRARY: logging.WARNING,
        "py.warnings": level.upper(),
    }
    levels[SAID] = logging.INFO if log_text else _OFF
    loggers = {name: logging.getLogger(name) for name in levels}
    before = {name: (each.handlers, each.level) for name, each in loggers.items()}
    for name, each in loggers.items():
        # Those of `--log-level` would write every line twice.
        each.handlers = [] if name == SAID else [handler]
        each.setLevel(levels[name])
    try:
        yield
    finally:
        for name, each in loggers.items():
            each.handlers, level_before = before[name]
            each.setLevel(level_before)


def announce(line: str) -> None:
    """Writes a line that programs wait for on standard error, if there is room for it.

    A server whose disk is full goes on, and can be started again.
    """
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)  # noqa: T201


def _is_of_ours(record: logging.LogRecord) -> bool:
    """Uvicorn takes sockets that we refuse, and texts of clients that are none, for errors."""
    return not (record.name == _LIBRARY and record.getMessage().startswith(_NO_ERRORS))


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _escaped(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
