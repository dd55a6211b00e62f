"""Wyoming on a TCP port of its own: Home Assistant's protocol. It has no keys.

Rules of this file:

1. One piece of audio, from its first event to `audio-stop`, is one utterance. Its chunks never
   grow, nothing is taken for silence, and a client that sends too fast waits: so its text is that
   of `parakeet transcribe` with the same context.
2. A mistake is answered by `error`, and makes what is left of its audio void. The next audio is
   heard.
3. What cannot be read any more ends the connection: so does a line that is no event.
4. Everything is told in one order, by `events`. A client that does not read is not listened to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import metadata
from typing import Final

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.errors import InputError, UnavailableError, UsageError
from parakeet_streaming.languages.codes import known_codes
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.connection import Connection
from parakeet_streaming.server.connection_options import ChannelOptions
from parakeet_streaming.server.dialogue import Message
from parakeet_streaming.server.handshake import converse
from parakeet_streaming.server.http import Reply
from parakeet_streaming.server.limits import MessageRate
from parakeet_streaming.server.protocols import wyoming
from parakeet_streaming.server.protocols.wyoming import AudioFormat
from parakeet_streaming.server.protocols.wyoming_frames import Frame, FrameReader
from parakeet_streaming.server.replies import (
    Answer,
    DrainingError,
    RefusedError,
    WrongRequestError,
    answer_to,
)
from parakeet_streaming.server.service import Service
from parakeet_streaming.server.session_events import Ended, Heard
from parakeet_streaming.server.tcp import TcpSocket

DOOR: Final = "wyoming"
_MISTAKES: Final = (InputError, UsageError, RefusedError, UnavailableError)
_MOST_WAITING: Final = 32
"""Events of ours that wait for a client to read."""
_MOST_PAYLOAD_BYTES: Final = 1_048_576
"""Of one piece of audio, half a minute: a connection may keep so many bytes waiting."""
_PIECE_BYTES: Final = 65_536
_SHORT_BYTES: Final = 256
"""Pieces of audio below it count as messages, of which a client may send so many a second."""


async def talk(service: Service, socket: TcpSocket) -> None:
    """Talks to one client until it ends."""

    async def opened(_: str) -> WyomingDialogue:
        return WyomingDialogue(service)

    await converse(service, socket, DOOR, opened, keyless=True, refusal=_refusal)


def _refusal(answer: Answer) -> Reply:
    return Reply(answer.status, wyoming.error(answer))


def _version() -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version("parakeet-streaming")
    return None


class WyomingDialogue:
    """One connection of it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._reader = FrameReader(min(_MOST_PAYLOAD_BYTES, service.limits.message_bytes))
        self._rate = MessageRate(service.limits.messages_a_second, service.clock())
        self._told: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(_MOST_WAITING)
        self._audio: _Audio | None = None
        """What is being received."""
        self._answering: asyncio.Task[None] | None = None
        """Tells the text of the last audio."""
        self._void: str | None = None
        self._language: str | None = None
        """The type of the event that was a mistake: what is left of its audio is not wanted."""
        self._finishing: asyncio.Task[None] | None = None
        self._stream_id = ""
        self._boosting: Boosting | None = None
        """What the audio to come is to be boosted for."""
        self._prepared: object = None

    @property
    def stream_ids(self) -> str:
        """The last one: there is one for each piece of audio."""
        return self._stream_id

    def greeting(self) -> Sequence[Message]:
        """Nothing: clients speak first."""
        return []

    async def receive(self, message: Message) -> Sequence[Message]:
        """Takes bytes; the answers come with `events`."""
        if not message:  # the client has closed its side, and may wait for an answer
            await self._answered()
            await self._told.join()
            return []
        self._reader.feed(message if isinstance(message, bytes) else message.encode())
        try:
            for frame in self._reader.frames():
                await self._take(frame)
        except RefusedError as error:  # nobody knows where the next event begins
            await self._answered()
            await self._told.put(error)
            await self._told.join()  # never: the error ends `events`, and so all
        return []

    def finish(self) -> None:
        """Audio that is not over ends here, and is answered."""
        if self._finishing is None:
            self._finishing = asyncio.create_task(self._finish())

    def going_away(self, seconds: float) -> Sequence[Message]:
        """Nothing: the protocol has no word for it."""
        return []

    def failed(self, error: BaseException) -> Sequence[Message]:
        """Says why."""
        return [wyoming.error(answer_to(error))]

    async def events(self) -> AsyncIterator[Sequence[Message]]:
        """What is told, in order."""
        while (told := await self._told.get()) is not None:
            if isinstance(told, Exception):
                raise told
            yield [told]
            self._told.task_done()

    async def close(self) -> None:
        """Frees everything."""
        tasks = [task for task in (self._answering, self._finishing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._drop()

    async def _take(self, frame: Frame) -> None:
        if frame.type != "audio-chunk" or len(frame.payload) < _SHORT_BYTES:
            self._rate.message(self._service.clock())
        if frame.type == "audio-chunk" and self._void is not None:
            return
        try:
            await self._obey(wyoming.command_of(frame))
        except _MISTAKES as error:
            if frame.type in ("transcribe", "audio-start", "audio-chunk"):
                self._void = frame.type
                await self._drop()
            self._service.refused(error)
            await self._told.put(wyoming.error(answer_to(error)))

    async def _obey(self, command: wyoming.Command | None) -> None:
        match command:
            case wyoming.Describe():
                model = self._service.model
                await self._told.put(wyoming.info(model.name, model.languages, _version()))
            case wyoming.Ping():
                await self._told.put(wyoming.pong(command.text))
            case wyoming.Transcribe():
                await self._drop()
                self._void = None
                self._service.model.check(command.model)
                self._language = command.language
                self._prepared = await self._service.prepared(command.boosting, "transcript_terms")
                self._boosting = command.boosting
            case wyoming.AudioStart():
                if self._void != "transcribe":
                    await self._begin(command.format)
            case wyoming.AudioChunk():
                await self._push(command)
            case wyoming.AudioStop():
                await self._stop()

    async def _begin(self, format: AudioFormat) -> None:
        if self._audio is not None:
            if self._audio.format != format:
                raise WrongRequestError(
                    f"audio with {self._audio.format} goes on with {format}; send audio-stop first",
                    "rate",
                )
            return
        if self._finishing is not None:
            raise DrainingError("the server is about to stop; connect to another one")
        await self._answered()
        self._void = None
        languages = known_codes([] if self._language is None else [self._language])
        self._audio = _Audio(self._service, format, self._boosting, languages)
        self._boosting = self._prepared = None
        self._stream_id = self._audio.connection.id
        self._answering = asyncio.create_task(self._answer(self._audio.connection))

    async def _push(self, chunk: wyoming.AudioChunk) -> None:
        if self._finishing is not None:
            return
        if chunk.format is not None:
            await self._begin(chunk.format)
        if self._audio is None:
            raise WrongRequestError("audio-chunk needs rate, width, channels: none came", "rate")
        # In pieces, because they are converted here, and others wait meanwhile.
        for start in range(0, len(chunk.audio), _PIECE_BYTES):
            await self._audio.connection.push(chunk.audio[start : start + _PIECE_BYTES])
            await asyncio.sleep(0)

    async def _stop(self) -> None:
        is_void, self._void = self._void is not None, None
        if self._audio is not None:
            self._audio.connection.finish()
            self._audio = None
        elif not is_void and self._finishing is None:
            # Whoever asks for the text of nothing waits for an answer, too.
            await self._answered()
            for each in (wyoming.transcript_start(), wyoming.transcript("")):
                await self._told.put(each)
            await self._told.put(wyoming.transcript_stop())

    async def _answer(self, connection: Connection) -> None:
        """Tells the text of one audio, as it is recognised."""
        try:
            await self._told.put(wyoming.transcript_start())
            async with connection:
                async for event in connection.events():
                    if isinstance(event, Heard) and event.text:
                        await self._told.put(wyoming.transcript_chunk(event.text))
                    elif isinstance(event, Ended):
                        await self._told.put(wyoming.transcript(event.text))
            await self._told.put(wyoming.transcript_stop())
        except Exception as error:  # whatever has ended the stream ends the connection
            await self._told.put(error)

    async def _answered(self) -> None:
        """Waits until the text of the last audio is told; of one that is not over, never."""
        if self._answering is not None and self._audio is None:
            await asyncio.wait({self._answering})

    async def _drop(self) -> None:
        """Forgets audio that is not over."""
        audio, self._audio = self._audio, None
        if audio is None:
            return
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.wait({self._answering})
        await audio.connection.close()

    async def _finish(self) -> None:
        if self._audio is not None:
            self._audio.connection.finish()
            self._audio = None
        await self._answered()
        await self._told.put(None)


class _Audio:
    """What is being received: its format, and its stream."""

    def __init__(
        self,
        service: Service,
        format: AudioFormat,
        boosting: Boosting | None = None,
        languages: tuple[str, ...] = (),
    ) -> None:
        """Opens the stream.

        Raises:
            CapacityError: there is no room.
        """
        context = replace(service.defaults.context, sample_rate=format.rate_hz)
        whole = LiveOptions.recording(context, cached=service.defaults.cached)
        # Somebody waits for the answer, so it is a live stream, not one that others go before.
        live = replace(whole, lane="live", boosting=boosting, languages=languages)
        options = ChannelOptions(live, format.encoding, format.channels, writing=service.writing)
        self.format = format
        self.connection = Connection(service.engine, options)
