r"""Standard input, output and error as the system gives them in; streams that never lose text out.

Rules of this file:

1. Characters that the encoding of a stream lacks are written as `\uXXXX`, which JSON takes for the
   characters themselves. Plain ASCII, which says nothing of its reader, becomes UTF-8.
2. File names that are no UTF-8 are written as the bytes that they are.
3. A standard stream that is closed is opened on nothing, so that no file that is opened later takes
   its number. What would be written to a closed standard output is an error, not lost.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Final, NoReturn, TextIO

from parakeet_streaming.errors import OptionError

ESCAPE: Final = "parakeet_escape"
"""Name of the error handler for what an encoding lacks."""
_DEFAULT_HANDLERS: Final = ("strict", "surrogateescape")
"""What Python sets; any other handler was asked for by the user."""
_CLOSED: Final = "standard output is closed; open it, or name a file with --output"


class ClosedOutput(io.TextIOBase):
    """Stands for a standard output that is closed."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> NoReturn:
        raise OptionError(_CLOSED)


class ClosedInput(io.StringIO):
    """Stands for a standard input that is closed."""


def prepare() -> None:
    """Makes the standard streams of this process safe to use."""
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
        lose_nothing(sys.stdout)


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
