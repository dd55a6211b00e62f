"""`WS /v1/stream`: binary PCM in, JSON events out. `docs/protocol.md` specifies it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from parakeet_streaming.errors import InputError, UsageError
from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.channels import Channels
from parakeet_streaming.server.connection import Connection
from parakeet_streaming.server.dialogue import Message
from parakeet_streaming.server.handshake import Opening, converse, foretell
from parakeet_streaming.server.http import HttpRoute, Reply, Request, Socket, SocketRoute
from parakeet_streaming.server.protocols import native
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.replies import RefusedError, WrongRequestError, answer_to
from parakeet_streaming.server.service import Service
from parakeet_streaming.server.session_events import SessionEvent

DOOR = "native"
PATH = "/v1/stream"


def routes(service: Service) -> list[HttpRoute | SocketRoute]:
    """Where it is found."""

    def opening(caller: Caller) -> Opening:
        async def opened(_: str) -> NativeDialogue:
            service.model.check(caller.query.get("model"))
            settings = StreamSettings().with_fields(caller.query)
            return await NativeDialogue.open(service, settings)

        return opened

    async def talk(socket: Socket) -> None:
        offered = native.SUBPROTOCOL in socket.caller.protocols
        await converse(
            service, socket, DOOR, opening(socket.caller), native.SUBPROTOCOL if offered else None
        )

    async def explain(request: Request) -> Reply:
        return await foretell(service, request, opening(request.caller))

    return [SocketRoute(PATH, talk), HttpRoute(PATH, explain)]


class NativeDialogue:
    """One socket of it."""

    def __init__(self, service: Service, settings: StreamSettings, channels: Channels) -> None:
        self._service, self._settings, self._channels = service, settings, channels
        self._audio_came = self._finished = False

    @classmethod
    async def open(cls, service: Service, settings: StreamSettings) -> NativeDialogue:
        """Opens the streams.

        Raises:
            CapacityError: there is no room.
            ContextError, OptionError: settings that do not fit.
        """
        return cls(service, settings, await _streams(service, settings))

    @property
    def stream_ids(self) -> str:
        return " ".join(each.id for each in self._channels.connections)

    def greeting(self) -> Sequence[Message]:
        """`ready`."""
        first, service = self._channels.connections[0], self._service
        context = first.stats().context
        return [native.ready(first.id, service.model.name, self._settings, context, service.limits)]

    async def receive(self, message: Message) -> Sequence[Message]:
        """Takes audio or a command; a mistake is answered."""
        try:
            if isinstance(message, bytes):
                self._check_open()
                self._audio_came = True
                await self._channels.push(message)
                return []
            return await self._obey(native.command_of(message, self._settings.sample_rate))
        except (InputError, UsageError, RefusedError) as error:
            return [native.error(answer_to(error), fatal=False)]

    def finish(self) -> None:
        """No more audio is taken."""
        self._finished = True
        self._channels.each(Connection.finish)

    def going_away(self, seconds: float) -> Sequence[Message]:
        """Says so."""
        return [native.going_away("the server is about to stop", seconds)]

    def failed(self, error: BaseException) -> Sequence[Message]:
        """Says why."""
        return [native.error(answer_to(error), fatal=True)]

    async def events(self) -> AsyncIterator[Sequence[Message]]:
        """What is told."""
        channels = None
        while channels is not self._channels:
            channels = self._channels
            async for channel, event in channels.events():
                if (message := self._message(channel, event)) is not None:
                    yield [message]

    async def close(self) -> None:
        """Frees the streams."""
        await self._channels.close()

    def _message(self, channel: int, event: SessionEvent) -> str | None:
        separate = self._settings.separate
        return native.message_of(event, self._settings, channel if separate else None)

    async def _obey(self, command: native.Command) -> Sequence[Message]:
        match command:
            case native.Configure():
                return await self._configure(command)
            case native.Stats():
                return [native.stats([_stats(each) for each in self._channels.connections])]
            case native.Finish():
                self.finish()
            case native.KeepAlive():
                pass
            case _:
                self._check_open()
                self._channels.each(lambda connection: self._act(connection, command))
        return []

    def _act(self, connection: Connection, command: native.Command) -> None:
        match command:
            case native.Commit():
                connection.commit()
            case native.Clear():
                connection.clear()
            case native.Marker():
                connection.mark(command.id)
            case native.Missing():
                self._audio_came = True
                connection.lose(command.samples)

    async def _configure(self, command: native.Configure) -> Sequence[Message]:
        """Opens the streams anew, as they are to be."""
        if self._audio_came or self._finished:
            raise WrongRequestError("configure comes before any audio; open another stream", "type")
        settings = self._settings.with_fields(command.fields)
        before = self._channels
        self._channels = await _streams(self._service, settings, before)
        self._settings = settings
        await before.close()
        return self.greeting()

    def _check_open(self) -> None:
        if self._finished:
            raise WrongRequestError("the stream was finished; open another one", "type")


async def _streams(
    service: Service, settings: StreamSettings, instead_of: Channels | None = None
) -> Channels:
    count = settings.channels if settings.separate else 1
    options = settings.options(service.defaults)
    return await Channels.open(service.engine, options, count, instead_of)


def _stats(connection: Connection) -> dict[str, object]:
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
