"""A client of Wyoming's protocol, with Wyoming's own library: events out, and in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

from wyoming.event import async_read_event

from benchmarks.server.doors import DOORS, WYOMING, Message
from benchmarks.server.heard import Heard
from benchmarks.server.script import Script


class WyomingLine:
    """One connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        messages: list[list[Message]],
        now_s: Callable[[], float],
    ) -> None:
        """`now_s`: since its first sample was spoken."""
        self.heard = Heard()
        self.gone = asyncio.Event()
        self._messages, self._now_s, self._ear = messages, now_s, DOORS[WYOMING].ear
        self._writer = writer
        self._closing = False
        self._reading = asyncio.create_task(self._read(reader))

    @classmethod
    async def open(
        cls, url: str, script: Script, messages: list[list[Message]], now_s: Callable[[], float]
    ) -> Self:
        """A client that is connected.

        Args:
            url: of the port.
            script: what is said.
            messages: of the script.
            now_s: since its first sample was spoken.
        """
        at = urlsplit(url)
        line = cls(*await asyncio.open_connection(at.hostname, at.port), messages, now_s)
        for message in DOORS[WYOMING].first(script):
            line._send(message)
        return line

    async def ready(self) -> None:
        """Servers say nothing first."""

    def say(self, packet: int) -> None:
        """Says one packet."""
        for message in self._messages[packet]:
            self._send(message)

    def close(self) -> None:
        """Goes as a client should."""
        self._closing = True
        self._writer.close()

    def _send(self, message: Message) -> None:
        assert isinstance(message, bytes), "events are bytes"
        if not self.gone.is_set() and not self._closing:
            self._writer.write(message)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while (event := await async_read_event(reader)) is not None:
                said = json.dumps({**event.data, "type": event.type})
                self._ear(said, self.heard, self._now_s())
        except (OSError, EOFError) as error:
            self.heard.lost.append(f"the connection ended: {error}")
        if not self._closing:
            self.heard.lost.append("the connection was closed by the server")
        self.gone.set()
