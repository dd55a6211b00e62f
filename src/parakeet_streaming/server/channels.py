"""The channels of one client: one connection for each, and all their events in one order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Self

from parakeet_streaming.audio.pcm_decoder import ChannelSplitter
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.server.connection import Connection
from parakeet_streaming.server.connection_options import (
    ChannelOptions,
    ChannelStart,
    starts_together,
)
from parakeet_streaming.server.engine_port import Engine
from parakeet_streaming.server.session_events import SessionEvent


class Channels:
    """One stream, or several that share their audio's frames. Each event comes with its channel."""

    def __init__(self, connections: Sequence[Connection], encoding: str) -> None:
        self.connections = connections
        self._splitter = ChannelSplitter(encoding, len(connections))

    @classmethod
    async def open(
        cls,
        engine: Engine,
        options: ChannelOptions,
        count: int,
        *,
        starts: Sequence[ChannelStart] = (),
        instead_of: Channels | None = None,
    ) -> Self:
        """Opens all streams, or none.

        Args:
            engine: what they run in.
            options: how the audio of each comes.
            count: how many there are.
            starts: where each goes on; none for the beginning.
            instead_of: those of the same client, which give their places and are to be closed.

        Raises:
            CapacityError: there is no room for all, and what `Connection` raises besides.
        """
        before = iter(() if instead_of is None else instead_of.connections)
        connections: list[Connection] = []
        begin = starts_together(starts, options) if starts else [None] * count
        try:
            for _, start in zip(range(count), begin, strict=True):
                place = next(before, None)
                connections.append(Connection(engine, options, instead_of=place, start=start))
        except BaseException:
            for connection in connections:
                await connection.close()
            raise
        return cls(connections, options.encoding)

    async def push(self, data: bytes) -> None:
        """Takes bytes of interleaved audio, cut anywhere; waits while there is no room.

        Raises:
            AudioInputError: a sample is NaN or infinite; all samples of the call are missing.
        """
        if len(self.connections) == 1:
            await self.connections[0].push(data)
            return
        try:
            channels = self._splitter.feed(data)
        except AudioInputError as error:
            for connection in self.connections:
                connection.lose(error.unusable_samples)
            raise
        for connection, samples in zip(self.connections, channels, strict=True):
            await connection.push_samples(samples)

    def each(self, act: Callable[[Connection], None]) -> None:
        """Does something with every connection."""
        for connection in self.connections:
            act(connection)

    async def events(self) -> AsyncIterator[tuple[int, SessionEvent]]:
        """What is told, until all streams have ended; an error of any ends it."""
        # One at most: what is not read waits in the outboxes, which join it.
        told: asyncio.Queue[tuple[int, SessionEvent] | int | BaseException] = asyncio.Queue(1)

        async def read(number: int, connection: Connection) -> None:
            try:
                async for event in connection.events():
                    await told.put((number, event))
                await told.put(number)
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # told where the events are read
                await told.put(error)

        readers = [
            asyncio.create_task(read(number, connection))
            for number, connection in enumerate(self.connections)
        ]
        try:
            left = len(readers)
            while left:
                news = await told.get()
                if isinstance(news, BaseException):
                    raise news
                if isinstance(news, int):
                    left -= 1
                else:
                    yield news
        finally:
            for reader in readers:
                reader.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*readers, return_exceptions=True)

    async def close(self) -> None:
        """Frees all streams."""
        for connection in self.connections:
            await connection.close()


def stats_of(connection: Connection) -> dict[str, object]:
    """How the stream of one channel goes, for its client."""
    stats = connection.stats()
    late_s = stats.emission_delay.p95
    return {
        "id": stats.id,
        "audio_s": round(stats.audio_s, 3),
        "speech_s": round(stats.speech_s, 3),
        "backlog_s": round(stats.backlog_s, 3),
        "lag_s": round(stats.lag_s, 3),
        "tokens": stats.tokens,
        "utterances": stats.utterances,
        "context": str(stats.context),
        "latency_s": round(stats.context.latency_s, 3),
        "emission_delay_p95_s": None if late_s is None else round(late_s, 3),
    }
