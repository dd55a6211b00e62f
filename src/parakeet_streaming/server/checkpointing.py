"""When a client is to get a checkpoint in; its channels asked, and what they say put together, out.

Rules of this file:

1. A checkpoint is asked for after the end of an utterance, and every few seconds while anything
   comes; never a second one before the first is there, and never two at once.
2. It is told behind all events that are in it. The channels of one client are in one checkpoint.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from parakeet_streaming.server.channels import Channels
from parakeet_streaming.server.checkpoint import Bound, Checkpoint, CheckpointKeys
from parakeet_streaming.server.connection_options import ChannelStart
from parakeet_streaming.server.session_events import Cleared, Ended, Kept, SessionEvent

_LOG: Final = logging.getLogger("parakeet_streaming.server")

_LEAST_BETWEEN_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes checkpoints of one client."""

    keys: CheckpointKeys
    bound: Bound
    now: Callable[[], float]
    """Unix time."""
    lasts_s: float
    most_bytes: int

    def signed(self, stream: str, number: int, kept: list[Kept]) -> tuple[bytes, Checkpoint] | None:
        """One of all channels; None where it would be too large."""
        starts = tuple(
            ChannelStart(each.write(), each.session, each.position, filters=each.filters)
            for each in kept
        )
        made = Checkpoint(stream, number, self.now(), self.lasts_s, self.bound, starts)
        token = self.keys.sign(made)
        return (token, made) if len(token) <= self.most_bytes else None


@dataclass(slots=True)
class Checkpointing:
    """Checkpoints of one client."""

    channels: Channels
    signer: Signer
    every_s: float
    number: int = 0
    _kept: dict[int, Kept] = field(default_factory=dict)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _came: bool = False
    _asked: bool = False
    _past: bool = False

    def came(self) -> None:
        """Something came of which the client wants to be rid."""
        self._came = True

    def want(self, *, past: bool = False) -> None:
        """Wants one now; `past`: from now on with what the encoder keeps, if it is not too much."""
        self._past = self._past or past
        self._wanted.set()

    async def run(self) -> None:
        """Asks when it is time, until it is cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.every_s):
                    await self._wanted.wait()
            if self._asked or not (self._came or self._wanted.is_set()):
                # What was wanted meanwhile is in one that is asked for afterwards.
                await asyncio.sleep(_LEAST_BETWEEN_S if self._asked else 0)
                continue
            self._wanted.clear()
            self._came, self._asked = False, True
            for connection in self.channels.connections:
                connection.ask_state(past=self._past)
            await asyncio.sleep(_LEAST_BETWEEN_S)

    def take(self, channel: int, event: SessionEvent) -> tuple[bytes, Checkpoint] | None:
        """Takes an event that is told; the checkpoint to tell behind it, if there is one."""
        if isinstance(event, Ended | Cleared):
            self.want()
        if not isinstance(event, Kept):
            return None
        self._kept[channel] = event
        if len(self._kept) < len(self.channels.connections):
            return None
        kept = [self._kept[each] for each in sorted(self._kept)]
        self._kept, self._asked = {}, False
        first = self.channels.connections[0]
        made = self.signer.signed(first.id, self.number, kept)
        if made is None and self._past:
            # The client takes its time to move, and needs one that is new.
            self._past = False
            self.want()
            return None
        if made is None:
            _LOG.warning("no checkpoint: it would be too large", extra={"stream": first.id})
            return None
        self.number += 1
        return made
