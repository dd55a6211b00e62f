"""JSON texts of an OpenAI Realtime client in; JSON texts for it, and calls of connections, out.

What carries the texts is not known here: a WebSocket, or the data channel of a call, whose audio
comes on a track of its own.

Rules of this file:

1. A mistake of the client gets an `error` event, changes nothing, and the session goes on.
2. The stream is opened at once, so that a full house refuses before anything is said. What a
   `session.update` changes in how audio is taken or recognised opens another stream in its place:
   audio that came before is decoded by the stream that took it, and its text goes to its item.
   Items are told in the order of their audio.
3. There is one stream that takes audio, and one at most that still decodes before it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from parakeet_streaming.errors import CapacityError, ContextError, InputError, OptionError
from parakeet_streaming.server.connection import Connection, boost_phrases
from parakeet_streaming.server.connection_options import ChannelOptions
from parakeet_streaming.server.protocols.openai_realtime_commands import (
    Append,
    Clear,
    Command,
    Commit,
    Update,
    read,
)
from parakeet_streaming.server.protocols.openai_realtime_events import Conversation, ItemTelling
from parakeet_streaming.server.protocols.openai_realtime_options import live_options
from parakeet_streaming.server.protocols.openai_realtime_settings import AudioFormat, Settings
from parakeet_streaming.server.replies import EmptyCommitError, WrongRequestError
from parakeet_streaming.server.service import Service

_ANSWERED: Final = (WrongRequestError, InputError, OptionError, ContextError, CapacityError)
"""What the client is told as a mistake; anything else ends the session."""
_PIECE_BYTES: Final = 48_000
"""Of audio that is converted at once; others have their turn in between."""


@dataclass(slots=True)
class _Channel:
    """One stream, and what is told of it."""

    connection: Connection
    telling: ItemTelling
    options: ChannelOptions
    is_used: bool = False
    """Whether anything was asked of it."""


class RealtimeDialogue:
    """One client's session."""

    def __init__(
        self,
        service: Service,
        settings: Settings,
        *,
        older: bool = False,
        track: AudioFormat | None = None,
    ) -> None:
        """Opens the stream; call it in the event loop.

        Args:
            service: what all doors share.
            settings: what holds until the client asks for something else.
            older: whether the client speaks the dialect of before.
            track: how audio comes, where it comes by `push` and not in messages.

        Raises:
            CapacityError: there is no room, and what `LiveEngine.open` raises besides.
        """
        self._service = service
        self._settings = settings
        self._track = track
        self._conversation = Conversation(secrets.token_hex(8), older=older)
        self._channels: deque[_Channel] = deque()
        self._left = asyncio.Event()
        """The stream that decoded before the present one is over, and all of it was told."""
        self._has_audio = False
        """Whether audio came that no commit has taken."""
        self._finished = False
        self._channels.append(self._open(settings))

    @property
    def stream_ids(self) -> str:
        """Ids of its streams, for the log."""
        return ",".join(channel.connection.id for channel in self._channels)

    def greeting(self) -> Sequence[str]:
        """`session.created`."""
        return [self._conversation.session("created", self._settings)]

    async def receive(self, message: str | bytes) -> Sequence[str]:
        """Answers a message; waits while the engine has no room for its audio."""
        if self._finished:
            return []
        request = read(message)
        try:
            if isinstance(request.command, WrongRequestError):
                raise request.command
            return await self._do(request.command)
        except _ANSWERED as error:
            self._service.refused(error)
            return [self._conversation.error(error, request.event_id)]

    async def push(self, audio: bytes | memoryview) -> None:
        """Takes audio, cut anywhere; waits while the engine has no room."""
        if self._finished or not audio:
            return
        self._has_audio = True
        for begin in range(0, len(audio), _PIECE_BYTES):
            if begin:
                await asyncio.sleep(0)
            channel = self._channels[-1]
            channel.is_used = True
            await channel.connection.push(audio[begin : begin + _PIECE_BYTES])
        self._look_whether_idle(self._channels[-1])

    def lose(self, samples: int) -> None:
        """So many samples of the track are missing before the next ones; times stay true."""
        if not self._finished:
            self._channels[-1].is_used = True
            self._channels[-1].connection.lose(samples)

    def finish(self) -> None:
        """No more messages come: what came is decoded, then `events` ends."""
        self._finished = True
        self._channels[-1].connection.finish()

    def going_away(self, seconds: float) -> Sequence[str]:
        """OpenAI's protocol has no word for it; the close code says it."""
        return []

    def failed(self, error: BaseException) -> Sequence[str]:
        """The present item fails, and so does the session."""
        telling = self._channels[0].telling
        return [*telling.failed(error), self._conversation.error(error)]

    async def events(self) -> AsyncIterator[Sequence[str]]:
        """What is told of items, stream by stream."""
        while True:
            channel = self._channels[0]
            async for event in channel.connection.events():
                messages = channel.telling.tell(event)
                if messages:
                    yield messages
            if len(self._channels) == 1:
                return
            await channel.connection.close()
            self._channels.popleft()
            self._left.set()

    async def close(self) -> None:
        """Frees the streams."""
        # Whoever reads the events may take one away meanwhile.
        for channel in tuple(self._channels):
            await channel.connection.close()

    async def _do(self, command: Command) -> Sequence[str]:
        match command:
            case Append():
                if self._track is not None:
                    raise WrongRequestError("audio of this session comes on its track", "type")
                await self.push(command.audio)
            case Commit():
                self._commit()
            case Clear():
                self._has_audio = False
                channel = self._channels[-1]
                channel.is_used = True
                channel.connection.clear()
            case Update():
                return await self._update(command)
        return []

    def _commit(self) -> None:
        if not self._has_audio:
            raise EmptyCommitError("there is no audio to commit; append some first")
        channel = self._channels[-1]
        # Where the server commits, too, it may just have done so: that is no mistake of the client.
        self._has_audio = self._settings.turns is not None
        channel.is_used = True
        channel.telling.asked("client")
        channel.connection.commit()

    async def _update(self, update: Update) -> Sequence[str]:
        settings = self._settings.updated(update.session)
        if settings.model != self._settings.model:
            self._service.model.check(settings.model)
        options, channel = self._options(settings), self._channels[-1]
        prepared = await self._service.prepared(options.live.boosting, "keywords")
        if options == _without_phrases(channel.options, options):
            boost_phrases(channel.connection, options.live.boosting)
            channel.options = options
            channel.telling.settings = settings
        elif options != channel.options:
            while len(self._channels) > 1:
                self._left.clear()
                await self._left.wait()
            await self._change_stream(settings)
        else:
            channel.telling.settings = settings
        del prepared
        self._settings = settings
        self._conversation.older = self._conversation.older or update.older
        return [self._conversation.session("updated", settings)]

    async def _change_stream(self, settings: Settings) -> None:
        """Opens a stream for these settings; the one before ends with the audio that it has."""
        before = self._channels[-1]
        if self._finished:
            return
        self._channels.append(self._open(settings, before))
        if before.is_used:
            before.connection.finish()
        else:
            await before.connection.close()
        if settings.turns is None:
            self._has_audio = False

    def _open(self, settings: Settings, before: _Channel | None = None) -> _Channel:
        options = self._options(settings)
        instead_of = None if before is None else before.connection
        begins_s = 0.0 if before is None else before.telling.begins_s + before.connection.pushed_s
        connection = Connection(self._service.engine, options, instead_of=instead_of)
        return _Channel(connection, ItemTelling(self._conversation, settings, begins_s), options)

    def _options(self, settings: Settings) -> ChannelOptions:
        audio = settings.audio if self._track is None else self._track
        return ChannelOptions(
            live_options(settings, self._service.defaults, audio.rate_hz),
            audio.encoding,
            audio.channels,
            most_waiting=self._service.limits.unread_events,
            writing=self._service.writing,
        )

    def _look_whether_idle(self, channel: _Channel) -> None:
        """Commits silence that has lasted for as long as the client wants to know of."""
        connection, telling = channel.connection, channel.telling
        quiet_s = connection.quiet_s
        if quiet_s is not None and telling.is_idle(quiet_s):
            telling.asked("idle")
            connection.commit()


def _without_phrases(before: ChannelOptions, after: ChannelOptions) -> ChannelOptions | None:
    """The options before, with the phrases of those after; None where these are the same."""
    boosting = after.live.boosting
    if before.live.boosting == boosting:
        return None
    return replace(before, live=replace(before.live, boosting=boosting))
