"""Messages of a client of `/v1/stream` in; messages for it, and calls of its channels, out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from parakeet_streaming.errors import InputError, OptionError, SnapshotError, UsageError
from parakeet_streaming.live.ring_sizing import MOST_RING_S
from parakeet_streaming.server.access import ANONYMOUS
from parakeet_streaming.server.channels import Channels, stats_of
from parakeet_streaming.server.checkpoint import Bound
from parakeet_streaming.server.checkpointing import Checkpointing, Signer
from parakeet_streaming.server.connection import Connection, boost_phrases
from parakeet_streaming.server.dialogue import Message
from parakeet_streaming.server.protocols import native
from parakeet_streaming.server.protocols import native_commands as commands
from parakeet_streaming.server.protocols.native_settings import (
    StreamSettings,
    bound_settings,
    only_phrases,
)
from parakeet_streaming.server.replies import (
    CheckpointRefusedError,
    RefusedError,
    WrongRequestError,
    answer_to,
)
from parakeet_streaming.server.service import Service
from parakeet_streaming.server.session_events import SessionEvent

_LOG: Final = logging.getLogger("parakeet_streaming.server")

_SLACK_S: Final = 5.0
"""Audio that is on its way, or looked at again, beside a window."""


class NativeDialogue:
    """One socket of it."""

    def __init__(
        self, service: Service, settings: StreamSettings, channels: Channels, owner: str
    ) -> None:
        self._service, self._settings, self._channels = service, settings, channels
        self._owner = owner
        self._audio_came = self._finished = False
        self._checkpoints: Checkpointing | None = None
        self._asking: asyncio.Task[None] | None = None
        self._begin_checkpoints(0)

    @classmethod
    async def open(
        cls, service: Service, settings: StreamSettings, owner: str = ANONYMOUS
    ) -> NativeDialogue:
        """Opens the streams.

        Raises:
            CapacityError: there is no room.
            ContextError, OptionError: settings that do not fit.
        """
        return cls(service, settings, await _streams(service, settings), owner)

    @property
    def may_move(self) -> bool:
        """Whether its client can go on at another server."""
        return self._checkpoints is not None and not self._finished

    @property
    def stream_ids(self) -> str:
        return " ".join(each.id for each in self._channels.connections)

    def greeting(self) -> Sequence[Message]:
        """`ready`."""
        return [self._ready()]

    async def receive(self, message: Message) -> Sequence[Message]:
        """Takes audio or a command; a mistake is answered."""
        try:
            if isinstance(message, bytes):
                self._check_open()
                self._came()
                await self._channels.push(message)
                return []
            return await self._obey(commands.command_of(message, self._settings.sample_rate))
        except (InputError, UsageError, RefusedError) as error:
            return [native.error(answer_to(error), fatal=False)]

    def finish(self) -> None:
        """No more audio is taken."""
        self._finished = True
        self._channels.each(Connection.finish)

    def going_away(self, seconds: float) -> Sequence[Message]:
        """Says so; a client that can move gets a checkpoint for it."""
        if self._checkpoints is not None:
            self._checkpoints.want(past=True)
        stops = self._service.drain.draining
        why = "the server is about to stop" if stops else "the session has lasted long enough"
        return [native.going_away(why, seconds)]

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
                if (message := self._checkpoint(channel, event)) is not None:
                    yield [message]

    async def close(self) -> None:
        """Frees the streams."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._channels.close()

    def _message(self, channel: int, event: SessionEvent) -> str | None:
        separate = self._settings.separate
        return native.message_of(event, self._settings, channel if separate else None)

    async def _obey(self, command: commands.Command) -> Sequence[Message]:
        match command:
            case commands.Configure():
                return await self._configure(command)
            case commands.Resume():
                return await self._resume(command.checkpoint)
            case commands.Stats():
                return [native.stats([stats_of(each) for each in self._channels.connections])]
            case commands.Finish():
                self.finish()
            case commands.KeepAlive():
                pass
            case _:
                self._check_open()
                self._came(audio=False)
                self._channels.each(lambda connection: self._act(connection, command))
        return []

    def _act(self, connection: Connection, command: commands.Command) -> None:
        match command:
            case commands.Commit():
                connection.commit()
            case commands.Clear():
                connection.clear()
            case commands.Marker():
                connection.mark(command.id)
            case commands.Missing():
                self._audio_came = True
                connection.lose(command.samples)

    async def _configure(self, command: commands.Configure) -> Sequence[Message]:
        """Opens the streams anew, as they are to be."""
        settings = self._settings.with_fields(command.fields)
        if self._audio_came and only_phrases(command.fields):
            return await self._boost(settings)
        self._check_untouched("configure")
        before = self._channels
        self._channels = await _streams(self._service, settings, before)
        self._settings = settings
        await before.close()
        self._begin_checkpoints(0)
        return self.greeting()

    async def _boost(self, settings: StreamSettings) -> Sequence[Message]:
        """Boosts other phrases in the audio that comes from now on."""
        self._check_open()
        boosting = settings.boosting
        prepared = await self._service.prepared(boosting)
        self._channels.each(lambda connection: boost_phrases(connection, boosting))
        del prepared
        self._settings = settings
        return [native.configured(settings)]

    async def _resume(self, token: bytes) -> Sequence[Message]:
        """Goes on from a checkpoint; where that is refused all stays as it was."""
        self._check_untouched("resume")
        service, settings = self._service, self._settings
        checkpoint = service.checkpoints.read(token)
        checkpoint.check_time(service.wall_clock())
        checkpoint.bound.check(self._bound(token))
        asked = settings.options(service.defaults)
        # The phrases that it boosts are in the checkpoint.
        options = replace(asked, live=replace(asked.live, boosting=None))
        before, starts = self._channels, checkpoint.channels
        try:
            prepared = await service.prepared_to_resume(starts)
            channels = await Channels.open(
                service.engine,
                options,
                len(before.connections),
                starts=starts,
                instead_of=before,
            )
            del prepared
        except (SnapshotError, OptionError) as error:
            raise CheckpointRefusedError(
                "damaged", f"this checkpoint cannot go on: {error}"
            ) from error
        self._channels = channels
        # It had audio before: of a `configure`, only other phrases may come.
        self._audio_came = True
        await before.close()
        self._begin_checkpoints(checkpoint.number + 1)
        _LOG.info(
            "resumed", extra={"stream": channels.connections[0].id, "before": checkpoint.stream}
        )
        warm = any(each.stats().resumed != "exact" for each in channels.connections)
        first = min(options.needed_from(each) for each in checkpoint.channels)
        return [self._ready({"resumed": "warm" if warm else "exact", "sample": first})]

    def _ready(self, resumed: Mapping[str, object] | None = None) -> str:
        service, settings = self._service, self._settings
        first = self._channels.connections[0]
        context = first.stats().context
        terms = None
        if settings.checkpoints:
            live = settings.options(service.defaults).live
            held_s = live.most_ring_s or MOST_RING_S
            window_s = context.left + live.delay.longest_chunk + context.right
            replay_s = held_s + window_s + settings.checkpoints + _SLACK_S
            terms = native.CheckpointTerms(
                settings.checkpoints, replay_s, service.limits.checkpoint_s,
                service.checkpoints.shared,
            )  # fmt: skip
        return native.ready(
            first.id, service.model.name, settings, context, service.limits, terms, resumed
        )

    def _bound(self, token: bytes = b"") -> Bound:
        """What a checkpoint of this client holds for."""
        service, settings = self._service, self._settings
        return Bound(
            service.checkpoints.owner(service.access.digest(self._owner), token),
            service.model.fingerprint,
            bound_settings(settings, settings.options(service.defaults)),
        )

    def _begin_checkpoints(self, number: int) -> None:
        service, every_s = self._service, self._settings.checkpoints
        if self._asking is not None:
            self._asking.cancel()
        self._checkpoints = self._asking = None
        if every_s:
            limits = service.limits
            signer = Signer(
                service.checkpoints, self._bound(), service.wall_clock,
                limits.checkpoint_s, limits.checkpoint_bytes,
            )  # fmt: skip
            self._checkpoints = Checkpointing(self._channels, signer, every_s, number)
            self._asking = asyncio.create_task(self._checkpoints.run())

    def _checkpoint(self, channel: int, event: SessionEvent) -> str | None:
        made = None if self._checkpoints is None else self._checkpoints.take(channel, event)
        if made is None:
            return None
        token, checkpoint = made
        options = self._settings.options(self._service.defaults)
        sample = min(options.needed_from(each) for each in checkpoint.channels)
        return native.checkpoint(token, sample, checkpoint.answered, checkpoint.number)

    def _came(self, *, audio: bool = True) -> None:
        self._audio_came = self._audio_came or audio
        if self._checkpoints is not None:
            self._checkpoints.came()

    def _check_untouched(self, kind: str) -> None:
        if self._audio_came or self._finished:
            raise WrongRequestError(f"{kind} comes before any audio; open another stream", "type")

    def _check_open(self) -> None:
        if self._finished:
            raise WrongRequestError("the stream was finished; open another one", "type")


async def _streams(
    service: Service, settings: StreamSettings, instead_of: Channels | None = None
) -> Channels:
    count = settings.channels if settings.separate else 1
    options = settings.options(service.defaults)
    prepared = await service.prepared(options.live.boosting)
    channels = await Channels.open(service.engine, options, count, instead_of=instead_of)
    del prepared
    return channels
