"""What a driver is asked for, and what it tells: arguments in; one line of JSON out.

Rules of this file:

1. Sound is given as fast as a microphone gives it, in pieces of 20 ms.
2. Clients that are never told that all has been said have heard all when nothing has come for
   `QUIET_S` after the last sound.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Final

QUIET_S: Final = 5.0
PIECE_MS: Final = 20
_ENDS_WITHIN_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What to do."""

    url: str
    """`http://127.0.0.1:PORT`."""
    key: str
    mode: str
    rate_hz: int
    sound: bytes
    """16-bit samples, one channel."""

    @property
    def socket_url(self) -> str:
        """The same address for sockets."""
        return self.url.replace("http", "ws", 1)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The sound, as a microphone gives it."""
        size = self.rate_hz * PIECE_MS // 1000 * 2
        began_s = time.monotonic()
        for number, start in enumerate(range(0, len(self.sound), size)):
            await asyncio.sleep(began_s + number * PIECE_MS / 1000 - time.monotonic())
            yield self.sound[start : start + size]


@dataclass(slots=True)
class Utterance:
    """A final text, and what was shown before it."""

    text: str
    interims: list[str]


@dataclass(slots=True)
class Heard:
    """What the client heard."""

    versions: Mapping[str, str] = field(default_factory=dict)
    utterances: list[Utterance] = field(default_factory=list)
    interims: list[str] = field(default_factory=list)
    """Since the last final text."""
    turns: int = 0
    """How often somebody began to speak."""
    errors: list[str] = field(default_factory=list)
    _last_s: float = field(default_factory=time.monotonic)

    def interim(self, text: str) -> None:
        """What may still change, or is not all."""
        self.interims.append(text)
        self.happened()

    def final(self, text: str) -> None:
        """What does not change."""
        self.utterances.append(Utterance(text, self.interims))
        self.interims = []
        self.happened()

    def turn(self) -> None:
        """Somebody begins to speak."""
        self.turns += 1
        self.happened()

    def error(self, error: object) -> None:
        """What the client takes for a mistake."""
        self.errors.append(f"{type(error).__name__}: {error}")
        self.happened()

    def happened(self) -> None:
        """The client was told something."""
        self._last_s = time.monotonic()

    async def quiet(self) -> None:
        """Until nothing has come for a while."""
        self.happened()
        while (left_s := self._last_s + QUIET_S - time.monotonic()) > 0:
            await asyncio.sleep(left_s)


def drive(run: Callable[[Asked, Heard], Awaitable[None]], *distributions: str) -> None:
    """Does what the command line asks for, and prints what was heard.

    Args:
        run: speaks to the server, and writes down what it hears.
        distributions: whose versions are told.
    """
    asked = _asked()
    heard = Heard({name: metadata.version(name) for name in distributions})

    async def bounded() -> None:
        async with asyncio.timeout(_ENDS_WITHIN_S):
            await run(asked, heard)

    # Whatever goes wrong in a client is a result, too.
    try:
        asyncio.run(bounded())
    except Exception as error:
        heard.error(error)
    told = asdict(heard)
    del told["_last_s"]
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    # Threads of a client that has not ended must not hold the end.
    os._exit(0)


def _asked() -> Asked:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("mode")
    parser.add_argument("sound", help="a WAV file of 16 bits and one channel")
    given = parser.parse_args()
    with wave.open(given.sound, "rb") as file:
        assert (file.getsampwidth(), file.getnchannels()) == (2, 1)
        sound, rate_hz = file.readframes(file.getnframes()), file.getframerate()
    return Asked(given.url, os.environ["CLIENT_TESTS_KEY"], given.mode, rate_hz, sound)
