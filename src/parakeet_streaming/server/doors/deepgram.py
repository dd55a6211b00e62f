"""Deepgram's `WS /v1/listen`: raw audio in, results as they come, out."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from parakeet_streaming.errors import InputError, UsageError
from parakeet_streaming.server.channels import Channels
from parakeet_streaming.server.connection import Connection, boost_phrases
from parakeet_streaming.server.dialogue import Message
from parakeet_streaming.server.handshake import converse
from parakeet_streaming.server.http import Reply, Socket, SocketRoute
from parakeet_streaming.server.protocols import deepgram
from parakeet_streaming.server.protocols.deepgram_results import ChannelResults, Wish
from parakeet_streaming.server.protocols.deepgram_settings import ListenSettings, settings_of
from parakeet_streaming.server.protocols.phrases import boosting_from
from parakeet_streaming.server.replies import (
    Answer,
    RefusedError,
    WrongRequestError,
    answer_to,
)
from parakeet_streaming.server.service import Service
from parakeet_streaming.server.session_events import SessionEvent

DOOR: Final = "deepgram"
PATH: Final = "/v1/listen"
_TOKEN: Final = "token"


def routes(service: Service) -> list[SocketRoute]:
    """Where it is found."""

    async def talk(socket: Socket) -> None:
        about = begun(service)

        async def opened(_: str) -> DeepgramDialogue:
            settings = settings_of(socket.caller.query, socket.caller.repeated, service.writing)
            service.model.check(settings.model)
            return await DeepgramDialogue.open(service, settings, about(settings.streams))

        # A browser offers this word and its key, and wants the word back.
        protocol = _TOKEN if socket.caller.protocols[:1] == (_TOKEN,) else None
        await converse(service, socket, DOOR, opened, protocol, refusal=refusal_of(about(1)))

    return [SocketRoute(PATH, talk)]


def begun(service: Service) -> deepgram.Abouts:
    """A request that begins now, by the number of its channels."""
    request_id = str(uuid.uuid4())
    created = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return lambda channels: deepgram.About(request_id, service.model.name, created, channels)


def refusal_of(about: deepgram.About) -> Callable[[Answer], Reply]:
    """How a request is refused."""

    def refusal(answer: Answer) -> Reply:
        body, headers = deepgram.refusal(answer, about.request_id)
        return Reply.of_json(body, answer.status, **headers)

    return refusal


class DeepgramDialogue:
    """One socket of it."""

    def __init__(
        self,
        service: Service,
        settings: ListenSettings,
        about: deepgram.About,
        channels: Channels,
    ) -> None:
        has_ends = settings.options(service.defaults).live.endpoint is not None
        self._service, self._about, self._channels = service, about, channels
        self._results = [
            ChannelResults(
                interim=settings.interim,
                vad_events=settings.vad_events,
                utterance_end_s=settings.utterance_end_s,
                has_ends=has_ends,
            )
            for _ in channels.connections
        ]
        self._digest = hashlib.sha256()
        self._finished = False

    @classmethod
    async def open(
        cls, service: Service, settings: ListenSettings, about: deepgram.About
    ) -> DeepgramDialogue:
        """Opens the streams.

        Raises:
            CapacityError: there is no room.
            WrongRequestError, ContextError: settings that do not fit.
        """
        options = settings.options(service.defaults)
        prepared = await service.prepared(options.live.boosting, "keyterm")
        channels = await Channels.open(service.engine, options, settings.streams)
        del prepared
        return cls(service, settings, about, channels)

    @property
    def stream_ids(self) -> str:
        return " ".join(each.id for each in self._channels.connections)

    def greeting(self) -> Sequence[Message]:
        """Nothing: clients speak first."""
        return []

    async def receive(self, message: Message) -> Sequence[Message]:
        """Takes audio or a command; a mistake is answered."""
        text = message if isinstance(message, str) else None
        try:
            if text is not None:
                return await self._obey(deepgram.command_of(text))
            if message:
                await self._hear(message)
            else:  # older clients end so
                self.finish()
        except (InputError, UsageError, RefusedError) as error:
            return [deepgram.error(answer_to(error), text)]
        return []

    def finish(self) -> None:
        """No more audio is taken."""
        self._finished = True
        self._channels.each(Connection.finish)

    def going_away(self, seconds: float) -> Sequence[Message]:
        """Nothing: the protocol has no word for it."""
        return []

    def failed(self, error: BaseException) -> Sequence[Message]:
        """Says why."""
        return [deepgram.error(answer_to(error))]

    async def events(self) -> AsyncIterator[Sequence[Message]]:
        """Results, and `Metadata` last."""
        async for channel, event in self._channels.events():
            if messages := self._messages(channel, event):
                yield messages
        duration_s = self._channels.connections[0].pushed_s
        yield [deepgram.metadata(self._about, self._digest.hexdigest(), duration_s)]

    async def close(self) -> None:
        """Frees the streams."""
        await self._channels.close()

    async def _hear(self, audio: str | bytes) -> None:
        assert isinstance(audio, bytes), "texts are commands"
        if self._finished:
            return
        self._digest.update(audio)
        await self._channels.push(audio)

    async def _obey(self, command: deepgram.Command) -> Sequence[Message]:
        match command:
            case deepgram.Configure():
                return [await self._configured(command)]
            case deepgram.CloseStream():
                self.finish()
            case deepgram.Finalize():
                if not self._finished:
                    self._channels.each(Connection.commit)
            case deepgram.KeepAlive():
                pass
        return []

    async def _configured(self, asked: deepgram.Configure) -> str:
        """Boosts other terms in the audio that comes from now on."""
        terms = asked.keyterms
        try:
            if terms is not None and not self._finished:
                boosting = boosting_from(terms, "keyterms")
                prepared = await self._service.prepared(boosting, "keyterms")
                self._channels.each(lambda connection: boost_phrases(connection, boosting))
                del prepared
        except WrongRequestError as error:
            return deepgram.configure_failure(self._about, error)
        return deepgram.configure_success(self._about, terms)

    def _messages(self, channel: int, event: SessionEvent) -> list[str]:
        messages = []
        for said in self._results[channel].take(event):
            if isinstance(said, Wish):
                self._channels.connections[channel].mark(said.marker, said.at_s)
            else:
                messages.append(deepgram.message_of(said, channel, self._about))
        return messages
