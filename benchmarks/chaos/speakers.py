"""Speech and an address in; what a client of ours was told, and when, out.

Half of the speakers use the client for `asyncio`, half the one for threads: both must bear it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from parakeet_streaming.client import AsyncClient, Client, Event, Resuming
from parakeet_streaming.client.async_stream import AsyncStream
from parakeet_streaming.client.client import Stream
from parakeet_streaming.ports import Floats

PIECE_S: Final = 0.1


@dataclass(frozen=True)
class Told:
    """One event, and when it came."""

    at_s: float
    """`time.monotonic`."""
    event: Event


@dataclass
class Speaker:
    """One person. `told` and `error` are there after `speak`."""

    audio: Floats
    rate_hz: int
    options: dict[str, Any]
    """Of the stream."""
    threads: bool = False
    """Whether it uses the client without an event loop."""
    begun_s: float = 0.0
    """When the first sample was spoken."""
    told: list[Told] = field(default_factory=list)
    error: Exception | None = None
    _client: Client | None = None

    async def speak(self, url: str, resume: bool | Resuming, *, paced: bool = True) -> None:
        """Says everything, as people speak or at once; comes back when all was told."""
        try:
            if self.threads:
                await asyncio.to_thread(self._in_threads, url, resume, paced)
            else:
                await self._in_loop(url, resume, paced)
        except asyncio.CancelledError:
            self.error = TimeoutError("it did not end in time")
            if self._client is not None:
                # Its thread ends with it.
                await asyncio.to_thread(self._client.close)
            raise
        except Exception as error:  # it is told in the report
            self.error = error

    def _pieces(self, paced: bool) -> Iterator[tuple[float, Floats]]:
        """Pieces, each with the moment by which it was spoken."""
        size = round(PIECE_S * self.rate_hz)
        self.begun_s = time.monotonic()
        for start in range(0, len(self.audio), size):
            piece = self.audio[start : start + size]
            end_s = (start + len(piece)) / self.rate_hz
            yield (self.begun_s + end_s if paced else 0.0), piece

    async def _in_loop(self, url: str, resume: bool | Resuming, paced: bool) -> None:
        async with AsyncClient(url) as client:
            stream = await client.stream(resume=resume, sample_rate=self.rate_hz, **self.options)
            reading = asyncio.create_task(self._read(stream))
            try:
                for at_s, piece in self._pieces(paced):
                    await asyncio.sleep(at_s - time.monotonic())
                    await stream.send(piece)
                await stream.finish()
                await reading
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                await stream.close()

    async def _read(self, stream: AsyncStream) -> None:
        while (event := await stream.get()) is not None:
            self.told.append(Told(time.monotonic(), event))

    def _in_threads(self, url: str, resume: bool | Resuming, paced: bool) -> None:
        with Client(url) as client:
            self._client = client
            stream = client.stream(resume=resume, sample_rate=self.rate_hz, **self.options)
            failed: list[Exception] = []
            reading = threading.Thread(target=self._read_blocking, args=(stream, failed))
            reading.start()
            try:
                for at_s, piece in self._pieces(paced):
                    time.sleep(max(0.0, at_s - time.monotonic()))
                    stream.send(piece)
                stream.finish()
                reading.join()
            finally:
                stream.close()
                reading.join()
            for error in failed:
                raise error

    def _read_blocking(self, stream: Stream, failed: list[Exception]) -> None:
        try:
            while (event := stream.get()) is not None:
                self.told.append(Told(time.monotonic(), event))
        except Exception as error:  # raised where it is waited for
            failed.append(error)
