r"""Standard input, output and error as the system gives them in; streams that never lose text out.

Rules of this file:

1. Characters that the encoding of a stream lacks are written as `\uXXXX`, which JSON takes for the
   characters themselves. Plain ASCII, which says nothing of its reader, becomes UTF-8.
2. File names that are no UTF-8 are written as the bytes that they are.
3. A standard stream that is closed is opened on nothing, so that no file that is opened later takes
   its number. What would be written to a closed standard output is an error, not lost.
4. What standard output refuses, such as for a full disk, is one error of ours, whoever wrote it.
   (A reader that has gone, and a terminal that has, stay what they are.)
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn, TextIO

from parakeet_streaming.errors import OptionError

ESCAPE: Final = "parakeet_escape"
"""Name of the error handler for what an encoding lacks."""
_DEFAULT_HANDLERS: Final = ("strict", "surrogateescape")
"""What Python sets; any other handler was asked for by the user."""
_MOST_DIGITS: Final = 4
"""Of the size of a terminal."""
_CLOSED: Final = "standard output is closed; open it, or name a file with --output"


class ClosedOutput(io.TextIOBase):
    """Stands for a standard output that is closed."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> NoReturn:
        raise OptionError(_CLOSED)


class TellingOutput(io.TextIOWrapper):
    """Standard output, whose errors are ours."""

    def write(self, text: str) -> int:
        with _told():
            return super().write(text)

    def flush(self) -> None:
        with _told():
            super().flush()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, BrokenPipeError) or error.errno == errno.EIO:
            raise
        raise OptionError(
            f"cannot write to standard output: {error.strerror or error}; send it elsewhere, or "
            "name a file with --output"
        ) from error


class ClosedInput(io.StringIO):
    """Stands for a standard input that is closed."""


def prepare() -> None:
    """Makes the standard streams of this process safe to use."""
    for name in ("COLUMNS", "LINES"):
        if len(os.environ.get(name, "")) > _MOST_DIGITS:  # lines would be filled to that width
            del os.environ[name]
    codecs.register_error(ESCAPE, escape)
    for number, mode in ((0, "r"), (1, "w"), (2, "w")):
        _occupy(number, mode)
    if sys.stdin is None:
        sys.stdin = ClosedInput()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    if sys.stdout is None:
        sys.stdout = ClosedOutput()
    else:
        if type(sys.stdout) is io.TextIOWrapper:
            sys.stdout = _telling(sys.stdout)
        lose_nothing(sys.stdout)


def give_up_output() -> None:
    """Lets what is left in the buffer of standard output go nowhere, without a word at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _telling(stream: io.TextIOWrapper) -> TellingOutput:
    settings = stream.encoding, stream.errors, stream.line_buffering, stream.write_through
    encoding, errors, line_buffering, write_through = settings
    return TellingOutput(
        stream.detach(),
        encoding=encoding,
        errors=errors,
        line_buffering=line_buffering,
        write_through=write_through,
    )


def check_stdout() -> None:
    """Refuses results for a standard output that is closed.

    Raises:
        OptionError: it is closed.
    """
    if isinstance(sys.stdout, ClosedOutput):
        raise OptionError(_CLOSED)


def check_stdin() -> None:
    """Refuses to read a standard input that brings no sound.

    Raises:
        OptionError: it is closed, or the keyboard.
    """
    if isinstance(sys.stdin, ClosedInput):
        raise OptionError("standard input is closed; pipe a file or raw samples into it")
    if sys.stdin.isatty():
        raise OptionError(
            "standard input is the keyboard; pipe a file or sound into it, such as "
            "arecord -q -f S16_LE -r 16000 -c 1 | parakeet listen -"
        )


def lose_nothing(stream: TextIO) -> None:
    """Lets a stream take every text, whatever its encoding."""
    if not isinstance(stream, io.TextIOWrapper) or stream.errors not in _DEFAULT_HANDLERS:
        return
    is_ascii = codecs.lookup(stream.encoding).name == "ascii"
    stream.reconfigure(encoding="utf-8" if is_ascii else None, errors=ESCAPE)


def escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """What to write for characters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # a byte of a file name that is no UTF-8
        return bytes([number - 0xDC00]), error.start + 1
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.start + 1


def _occupy(number: int, mode: str) -> None:
    """Opens nothing under the number of a standard stream that is closed."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDONLY if mode == "r" else os.O_WRONLY)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
