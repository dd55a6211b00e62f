"""Bytes of a form (multipart/form-data) in, cut anywhere; its parts, as they come, out.

This is the only file that imports python-multipart.

Rules of this file:

1. Nothing is kept but the head of the present part; data are handed on as they come.
2. A form has an end: `MOST_PARTS` bounds the number of its parts, and the library the size of
   their heads.
3. What is no form, or breaks off, is a wrong request.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from parakeet_streaming.server.replies import WrongRequestError

MOST_PARTS: Final = 1_000
_MOST_BEFORE_BYTES: Final = 4_096
"""Of what may stand before the first boundary."""
_SILENT: Final = logging.Logger("of forms", level=logging.CRITICAL + 1)
"""What is wrong with a form is told to its sender, and is no matter for the log."""


@dataclass(frozen=True, slots=True)
class PartBegin:
    """A part begins."""

    name: str
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class PartData:
    """The next bytes of the part that has begun, at least one."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part is complete."""


PartEvent = PartBegin | PartData | PartEnd


class BodyReader(Protocol):
    """What takes a body apart: the reader below, or one for bodies that are no form."""

    def feed(self, data: bytes) -> Iterable[PartEvent]: ...

    def finish(self) -> None: ...


class MultipartReader:
    """One form.

    ```python
    reader = MultipartReader(request.headers["content-type"])
    for event in reader.feed(data): ...      # as often as bytes come
    reader.finish()
    ```
    """

    def __init__(self, content_type: str | None) -> None:
        """`content_type`: the header of that name.

        Raises:
            WrongRequestError: it announces no form.
        """
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise WrongRequestError(
                "send the file as a form: `Content-Type: multipart/form-data; boundary=…`, with "
                "the audio in the part `file`",
                "file",
            )
        self._first = b"\n--" + boundary
        self._before: bytes | None = b"\n"
        """What may hold the beginning of the first boundary; None after it."""
        self._skipped_bytes = 0
        self._events: list[PartEvent] = []
        self._parts = 0
        self._header_name = b""
        self._header_value = b""
        self._disposition: bytes | None = None
        self._is_over = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_begin": self._on_header_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise _broken(str(error)) from error
        self._parser.logger = _SILENT

    def feed(self, data: bytes) -> list[PartEvent]:
        """What these bytes tell.

        Raises:
            WrongRequestError: they are no form.
        """
        self._events = []
        if not self._is_over:  # what follows the last boundary belongs to nobody
            try:
                self._parser.write(self._from_first_boundary(data))
            except FormParserError as error:
                raise _broken(str(error)) from error
        return self._events

    def _from_first_boundary(self, data: bytes) -> bytes:
        """Without what stands before it, which the library skips in one piece and not in two."""
        if self._before is None:
            return data
        before = self._before + data
        at = before.find(self._first)
        kept = before[1 - len(self._first) :] if at < 0 else before[at:]
        self._skipped_bytes += len(before) - len(kept)
        if self._skipped_bytes > _MOST_BEFORE_BYTES:
            raise _broken(f"its first {_MOST_BEFORE_BYTES} bytes have no boundary")
        self._before = kept if at < 0 else None
        return b"" if at < 0 else kept[1:]

    def finish(self) -> None:
        """No more bytes come.

        Raises:
            WrongRequestError: the form breaks off.
        """
        if not self._is_over:
            raise _broken("it breaks off before its last boundary")

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise WrongRequestError(f"the form has more than {MOST_PARTS} fields; leave some out")
        self._disposition = None

    def _on_header_begin(self) -> None:
        self._header_name = self._header_value = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        name, filename = options.get(b"name"), options.get(b"filename")
        if name is None:
            raise _broken("a part of it has no name")
        self._events.append(PartBegin(_text(name), None if filename is None else _text(filename)))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if end > start:
            self._events.append(PartData(data[start:end]))

    def _on_part_end(self) -> None:
        self._events.append(PartEnd())

    def _on_end(self) -> None:
        self._is_over = True


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _broken(why: str) -> WrongRequestError:
    return WrongRequestError(f"the form is broken ({why}); send multipart/form-data (RFC 7578)")
