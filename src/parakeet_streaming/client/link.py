"""The connection of one stream, and the next one when it breaks or its server stops.

Rules of this file:

1. Everything that is said goes through `Spoken`, and one task sends it; another one reads all the
   time, so that the server never waits for a slow reader.
2. Where the server gives checkpoints, a connection that is lost is followed by another: the last
   checkpoint is shown, and what it does not cover is sent again.
3. A server that is about to stop is left while it still listens: it is listened to until another
   one has taken the stream over.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Final

from parakeet_streaming.client.address import Address
from parakeet_streaming.client.backoff import Backoff
from parakeet_streaming.client.carrier import Carrier
from parakeet_streaming.client.continuing import Continuing
from parakeet_streaming.client.conversation import Conversation
from parakeet_streaming.client.events import GoingAway, Ready, Reconnecting
from parakeet_streaming.client.failures import NothingThereError
from parakeet_streaming.client.messages import NotResumed, command
from parakeet_streaming.client.resuming import Resuming
from parakeet_streaming.client.sockets import ClosedError, Connection
from parakeet_streaming.client.spoken import Spoken
from parakeet_streaming.errors import CapacityError, ParakeetError, ServerError

_LASTING: Final = ("no_capacity", "unavailable", "draining", "internal_error")
"""What a server may say before it closes that another try can mend."""
_AWAITED_S: Final = 2.0
"""For the checkpoint that comes with `going_away`."""
_SPREAD: Final = 1 / 3
"""Of the time until a server stops, in which its clients leave it: 20 s of a minute."""


class Link:
    """See the module. It belongs to one event loop."""

    def __init__(
        self,
        address: Address,
        conversation: Conversation,
        spoken: Spoken,
        resuming: Resuming | None,
    ) -> None:
        """`resuming`: None for one connection alone."""
        self.changed = asyncio.Condition()
        """Is notified whenever something came, went or ended."""
        self._address, self._way = address, address.way
        self._again = address if resuming is None else address.again(resuming.silent_s)
        """Where it goes on."""
        self._conversation, self._spoken, self._resuming = conversation, spoken, resuming
        self._connection: Connection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._moving: asyncio.Task[None] | None = None
        self._carrier: Carrier | None = None
        self._continuing = Continuing(spoken, conversation.told)
        self._lost_s: float | None = None
        self._why = ""
        """Why the connection was lost."""
        self._closing: list[asyncio.Task[None]] = []

    @property
    def is_away(self) -> bool:
        """Whether there is no connection now, and one may come."""
        return self._connection is None and not self._conversation.is_over

    @property
    def is_full(self) -> bool:
        """Whether as much is kept as may be, while there is no connection."""
        if not self.is_away or self._resuming is None:
            return False
        ready = self._conversation.ready
        terms = None if ready is None else ready.checkpoints
        return self._spoken.kept_s >= self._resuming.kept_s(terms)

    async def open(self) -> None:
        """Connects for the first time.

        Raises:
            ParakeetError: there is no stream.
        """
        connection = await self._address.connect()
        try:
            ready = _begun(await self._address.answer(connection, self._conversation))
        except ClosedError as closed:
            self._conversation.closed(closed.code, closed.reason)
            self._conversation.raise_error()
            raise ServerError("the server closed the connection") from None
        except BaseException:
            connection.abort()
            raise
        self._conversation.ready = ready
        self._spoken.keeps = self._resuming is not None and ready.checkpoints is not None
        self._use(connection)

    def say(self) -> None:
        """There is something to send."""
        if self._carrier is not None:
            self._carrier.more.set()

    async def sent(self) -> None:
        """Waits until all is sent, or is kept while there is no connection."""
        async with self.changed:
            while not (self._spoken.is_sent or self._conversation.is_over):
                if self.is_away and (self._leaves_gaps or not self.is_full):
                    return
                await self.changed.wait()

    async def give_up(self, error: ParakeetError) -> None:
        """Ends it with that error."""
        self._conversation.ended(error)
        if self._connection is not None:
            self._connection.abort()
        await self.wake()

    async def close(self) -> None:
        """Ends it."""
        self._conversation.ended(None)
        connection, self._connection = self._connection, None
        tasks = [*self._tasks, *(() if self._moving is None else (self._moving,))]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if connection is not None:
            await connection.close()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self.wake()

    async def wake(self) -> None:
        """Something has changed."""
        async with self.changed:
            self.changed.notify_all()

    @property
    def _leaves_gaps(self) -> bool:
        return self._resuming is not None and self._resuming.when_full == "gap"

    @property
    def _resumes(self) -> bool:
        return self._spoken.keeps and not self._conversation.is_over

    def _use(self, connection: Connection) -> None:
        """Sends and reads over that connection from now on."""
        self._connection, self._lost_s = connection, None
        for task in self._tasks:
            task.cancel()
        ready, resuming = self._conversation.ready, self._resuming
        terms = None if ready is None else ready.checkpoints
        silent_s = None if resuming is None or terms is None else resuming.silence_s(terms)
        self._carrier = carrier = Carrier(connection, self._spoken, self._way.timeout_s, silent_s)
        self._tasks = [
            asyncio.create_task(self._write(carrier)),
            asyncio.create_task(self._read(carrier)),
        ]

    async def _write(self, carrier: Carrier) -> None:
        try:
            while True:
                await carrier.send_next()
                await self.wake()
        except TimeoutError:
            if not self._resumes:
                took = f"the server took nothing for {self._way.timeout_s:g} s"
                self._conversation.ended(ServerError(took))
            carrier.connection.abort()
        except ClosedError:
            pass  # the one who reads knows why

    async def _read(self, carrier: Carrier) -> None:
        connection = carrier.connection
        try:
            while True:
                message = await carrier.next()
                if self._connection is connection:
                    await self._take(message)
        except ClosedError as closed:
            await self._closed(connection, closed)
        except ParakeetError as error:
            connection.abort()
            self._conversation.ended(error)
            await self.wake()

    async def _take(self, message: str | bytes) -> None:
        told = self._conversation.take(message)
        self._continuing.take(told)
        if isinstance(told, GoingAway) and self._resumes and not self._conversation.finished:
            self._conversation.going_away = False
            self._move(told.deadline_s)
        await self.wake()

    async def _closed(self, connection: Connection, closed: ClosedError) -> None:
        if self._connection is not connection:
            return
        self._connection = None
        self._leave(connection)
        failed = self._conversation.failed
        lasting = failed is None or failed.code in _LASTING
        if failed is not None and failed.code == "timeout":
            # A client that says nothing is ended, and is not to come back.
            ready, carrier = self._conversation.ready, self._carrier
            lasting = (
                ready is not None and carrier is not None and carrier.quiet_s < ready.idle_s / 2
            )
        if not self._resumes or not lasting or self._conversation.is_done(closed.code):
            self._conversation.closed(closed.code, closed.reason)
        else:
            self._lost_s = asyncio.get_running_loop().time()
            self._why = str(self._conversation.lost(closed.code, closed.reason))
            self._conversation.add(Reconnecting(self._why))
            self._move()
        await self.wake()

    def _leave(self, connection: Connection) -> None:
        """Lets go of a connection; `close` waits for its end."""
        self._closing = [each for each in self._closing if not each.done()]
        self._closing.append(asyncio.create_task(connection.close()))

    def _move(self, deadline_s: float = 0.0) -> None:
        if self._moving is None or self._moving.done():
            self._moving = asyncio.create_task(self._until_moved(deadline_s))

    async def _until_moved(self, deadline_s: float) -> None:
        resuming, loop = self._resuming, asyncio.get_running_loop()
        assert resuming is not None, "without it nothing moves"
        backoff = Backoff(resuming.first_wait_s, resuming.most_wait_s, random.random)
        retry_s: float | None = None
        if deadline_s:
            before = self._continuing.latest
            with suppress(TimeoutError):
                async with asyncio.timeout(min(_AWAITED_S, deadline_s / 2)), self.changed:
                    await self.changed.wait_for(lambda: self._continuing.latest is not before)
            await self._spread(random.random() * deadline_s * _SPREAD)
        while not self._conversation.is_over:
            await asyncio.sleep(backoff.next_s(retry_s))
            error: ParakeetError
            try:
                await self._go_on()
            except ClosedError as closed:
                error = self._conversation.lost(closed.code, closed.reason)
            except ParakeetError as found:
                error = found
            else:
                return
            retry_s = getattr(error, "retry_after_s", None)
            tried_s = 0.0 if self._lost_s is None else loop.time() - self._lost_s
            lasting = isinstance(error, CapacityError | ServerError | NothingThereError)
            if not lasting and self._connection is not None:
                return  # the server that is about to stop says what it has
            if not lasting or tried_s + (retry_s or 0.0) > resuming.for_s:
                error.args = (f"{self._why or 'the server stops'}; then {error}",)
                self._conversation.ended(error)
        await self.wake()

    async def _spread(self, seconds: float) -> None:
        """Waits, as long as the server that is about to stop is there."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self.changed:
                await self.changed.wait_for(
                    lambda: self._connection is None or self._conversation.is_over
                )

    async def _go_on(self) -> None:
        """Goes on over a new connection.

        Raises:
            ClosedError, ParakeetError: there is none, or it takes no stream.
        """
        address = self._again
        connection = await address.connect()
        try:
            ready = answer = await address.answer(connection, self._conversation)
            token = self._continuing.show()
            if token is not None:
                await connection.send(command("resume", checkpoint=token))
                answer = await address.answer(connection, self._conversation)
        except BaseException:
            self._continuing.failed()
            connection.abort()
            raise
        self._conversation.ready = answer if isinstance(answer, Ready) else _begun(ready)
        for event in self._continuing.go_on(answer, self._conversation.ready.sample_rate):
            self._conversation.add(event)
        before = self._connection
        self._use(connection)
        if before is not None:
            self._leave(before)
        await self.wake()


def _begun(answer: Ready | NotResumed) -> Ready:
    """The first answer of a server, which was shown nothing that it could refuse."""
    if isinstance(answer, NotResumed):
        raise ServerError("the server refuses a checkpoint that it was not shown")
    return answer
