"""One socket and one dialogue in; messages to and fro, with the limits and the end of both, out.

A protocol's `Dialogue` says what messages mean; this file does what all sockets have in common. A
call whose messages come by another way, a `Line`, is talked to as a socket is.

Rules of this file:

1. A mistake of the client is answered, and the dialogue goes on; an error that the dialogue does
   not answer ends it, with the close code of `replies.py`.
2. When the server is to stop, the dialogue is told, says what was heard until then, and is closed
   with 1012 by the end of the time that is left. One whose client can go on elsewhere goes on until
   it does, and is told the same before its session has lasted too long.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol, runtime_checkable

from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.limits import MessageRate
from parakeet_streaming.server.replies import (
    DrainingError,
    SessionTimeError,
    SlowReaderError,
    TooLargeError,
    answer_to,
)
from parakeet_streaming.server.service import Service

_LOG: Final = logging.getLogger("parakeet_streaming.server")

_LAST_WORDS_S: Final = 2.0
"""For telling a client why it is closed, and closing."""

_MOVING_S: Final = 30.0
"""Before a session has lasted too long, in which a client that can goes on elsewhere."""
_TURN_MESSAGES: Final = 32

Message = str | bytes


class Dialogue(Protocol):
    """What one protocol says on one socket. Each method gives messages for the client."""

    @property
    def stream_ids(self) -> str:
        """Ids of its streams, for the log."""
        ...

    def greeting(self) -> Sequence[Message]:
        """First of all."""
        ...

    async def receive(self, message: Message) -> Sequence[Message]:
        """Answers a message; may wait while the engine has no room for its audio.

        Raises:
            Exception: the dialogue cannot go on.
        """
        ...

    def finish(self) -> None:
        """No more messages come, or are listened to: decode what came, then end `events`."""
        ...

    def going_away(self, seconds: float) -> Sequence[Message]:
        """The server is about to stop, in so many seconds."""
        ...

    def failed(self, error: BaseException) -> Sequence[Message]:
        """Last words before it ends because of an error."""
        ...

    def events(self) -> AsyncIterator[Sequence[Message]]:
        """What is told without being asked, until everything was told after `finish`."""
        ...

    async def close(self) -> None:
        """Frees everything."""
        ...


@runtime_checkable
class Movable(Protocol):
    """A dialogue whose client may be able to go on at another server."""

    @property
    def may_move(self) -> bool:
        """Whether this one is."""
        ...


class Line(Protocol):
    """What carries a dialogue's messages."""

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...

    async def accept(self, protocol: str | None = None) -> None:
        """Makes it ready to carry messages.

        Raises:
            Exception: it does not become ready; nothing was told.
        """
        ...

    def messages(self) -> AsyncIterator[Message]:
        """What the client sends, until it closes or is gone."""
        ...

    async def send(self, message: Message) -> None:
        """Sends; waits while the client reads slowly."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes, when what was sent has come to the client."""
        ...


class Talk:
    """A dialogue that was let in."""

    def __init__(
        self, service: Service, line: Line, way: tuple[str, str], dialogue: Dialogue
    ) -> None:
        """`way`: names of the door and of the key."""
        self._service, self._line = service, line
        door, self._owner = way
        self._door = door
        self._dialogue = dialogue
        self._sent = service.metrics.sent_bytes_total[door]
        self._received = service.metrics.received_bytes_total[door]
        self._sending = asyncio.Lock()
        self._heard_s = service.clock()

    async def run(
        self, protocol: str | None = None, hearing: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Accepts the line, and talks until all was told, or something ends it.

        Args:
            protocol: the subprotocol to accept.
            hearing: takes what comes beside the messages, and says so by `heard`; it ends by an
                error only.
        """
        await self._line.accept(protocol)
        self._heard_s = self._service.clock()
        self._note("opened", address=self._line.caller.address)
        error: BaseException | None = None
        try:
            # Nothing is answered before it.
            await self._send(self._dialogue.greeting())
            await self._until_over(hearing)
        except Exception as found:  # what ends it is told
            error = found
        await self._part(error)
        self._note("ended")

    def _note(self, what: str, **more: str) -> None:
        fields = {"door": self._door, "stream": self._dialogue.stream_ids, "key": self._owner}
        _LOG.info(what, extra={**fields, **more})

    def heard(self, count: int) -> None:
        """So many bytes came beside the messages."""
        self._received.add(count)
        self._heard_s = self._service.clock()

    async def _until_over(self, hearing: Callable[[], Awaitable[None]] | None) -> None:
        limits, begun_s = self._service.limits, self._service.clock()
        telling = asyncio.create_task(self._tell())
        tasks = [
            telling,
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._drain()),
            asyncio.create_task(self._watch(begun_s, limits.idle_s, limits.session_s)),
        ]
        if hearing is not None:
            tasks.append(asyncio.ensure_future(hearing()))
        try:
            # All but the first end by an error only.
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await (telling if telling in done else done.pop())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        rate = MessageRate(self._service.limits.messages_a_second, self._service.clock())
        number = 0
        async for message in self._line.messages():
            number += 1
            if number % _TURN_MESSAGES == 0:
                # Messages that are there already are taken without any wait: others have a turn.
                await asyncio.sleep(0)
            self._heard_s = self._service.clock()
            rate.message(self._heard_s)
            self._received.add(len(message))
            self._check_size(message)
            if answers := await self._dialogue.receive(message):
                await self._send(answers)
            self._heard_s = self._service.clock()
        # The client has closed or is gone; nobody reads what is left.
        raise ConnectionError("the client has gone")

    def _check_size(self, message: Message) -> None:
        most = self._service.limits.message_bytes
        if len(message) > most:
            raise TooLargeError(f"a message has {len(message)} bytes; send {most} at most")

    async def _tell(self) -> None:
        async for messages in self._dialogue.events():
            await self._send(messages)
            # While it is told what it sent, a client need not say anything.
            self._heard_s = self._service.clock()

    async def _drain(self) -> None:
        drain = self._service.drain
        await drain.wait()
        left_s = max(0.0, (drain.until_s or 0.0) - self._service.clock())
        if not self._may_move:
            self._dialogue.finish()
        async with asyncio.timeout(left_s):
            await self._send(self._dialogue.going_away(left_s))
        await asyncio.sleep(left_s)
        raise DrainingError("the server stops")

    @property
    def _may_move(self) -> bool:
        return isinstance(self._dialogue, Movable) and self._dialogue.may_move

    async def _watch(self, begun_s: float, idle_s: float, session_s: float) -> None:
        leave_s = begun_s + session_s - min(_MOVING_S, session_s / 2)
        while True:
            now_s = self._service.clock()
            if now_s - begun_s >= session_s:
                raise SessionTimeError(f"a session may last {session_s:g} s; begin a new one")
            if now_s >= leave_s:
                leave_s = math.inf
                if self._may_move and not self._service.drain.draining:
                    left_s = begun_s + session_s - now_s
                    await self._send(self._dialogue.going_away(left_s))
            if now_s - self._heard_s >= idle_s:
                raise SessionTimeError(f"no message came for {idle_s:g} s")
            next_s = min(self._heard_s + idle_s, begun_s + session_s, leave_s)
            await asyncio.sleep(max(0.0, next_s - now_s))

    async def _send(self, messages: Sequence[Message]) -> None:
        unread_s = self._service.limits.unread_s
        async with self._sending:
            for message in messages:
                self._sent.add(len(message))
                try:
                    # Not `wait_for`, which can lose a cancellation in Python 3.11.
                    async with asyncio.timeout(unread_s):
                        await self._line.send(message)
                except TimeoutError:
                    raise SlowReaderError(f"nothing was read for {unread_s:g} s") from None

    async def _part(self, error: BaseException | None) -> None:
        """Says the last words, and closes."""
        if isinstance(error, ConnectionError):
            return
        if error is None and self._service.drain.draining:
            await self._line.close(1012, "the server stops")
        elif error is None:
            await self._line.close(1000)
        else:
            answer = answer_to(error)
            self._service.refused(error)
            log_error(error, self._door, self._dialogue.stream_ids)
            with suppress(TimeoutError, SlowReaderError):
                async with asyncio.timeout(_LAST_WORDS_S):
                    if not isinstance(error, SlowReaderError):
                        await self._send(self._dialogue.failed(error))
                    await self._line.close(answer.close_code, answer.message)


def log_error(error: BaseException, door: str, stream: str = "") -> None:
    """Writes down what was refused or has ended; what nobody expected with where it arose."""
    answer = answer_to(error)
    fields = {"door": door, "stream": stream, "code": answer.code}
    if answer.status == 500:
        _LOG.error("%s", error, exc_info=error, extra=fields)
    else:
        _LOG.info("%s", answer.message, extra=fields)
