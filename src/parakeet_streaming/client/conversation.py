"""Messages of a server, and how it closed, in; events, and the error that ended them, out.

What both clients share. It knows no socket, clock, thread or event loop.

Rules of this file:

1. What was told over an earlier connection is left out (`told.py`).
2. Events are kept until they are read. Texts of one utterance that follow each other unread are
   joined, so that a reader who stays away costs little.
3. Whatever came before an error is given before it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from parakeet_streaming.client.events import (
    ChannelStats,
    Event,
    Final,
    GoingAway,
    Partial,
    Ready,
)
from parakeet_streaming.client.failures import of_close
from parakeet_streaming.client.heard import Heard
from parakeet_streaming.client.messages import Checkpoint, Failed, NotResumed, Stats, told_by
from parakeet_streaming.client.messages import Told as Said
from parakeet_streaming.client.told import Told
from parakeet_streaming.errors import ParakeetError


class Conversation:
    """One stream, as its client sees it."""

    def __init__(self, *, tokens: bool = True) -> None:
        """`tokens`: whether the reader wants them."""
        self.told = Told()
        self._tokens = tokens
        self._ends = 0
        self.ready: Ready | None = None
        self.heard = Heard()
        self.finished = False
        """Whether the client has said that no more audio comes, or has closed."""
        self.going_away = False
        """Whether the server takes no more audio."""
        self.is_over = False
        """Whether nothing more comes."""
        self._error: ParakeetError | None = None
        self._failed: Failed | None = None
        self._unread: deque[Event] = deque()
        self._stats: deque[tuple[ChannelStats, ...]] = deque()

    def take(self, message: str | bytes) -> Said | None:
        """A message came; what it says.

        Raises:
            ServerError: it is none of this protocol.
        """
        told = told_by(message)
        match told:
            case None | Checkpoint() | NotResumed():
                pass
            case Ready():
                self.ready = told
            case Stats():
                self._stats.append(told.channels)
            case Failed():
                self._failed = told
            case _:
                self.going_away = self.going_away or isinstance(told, GoingAway)
                self._ends += isinstance(told, Final) and told.reason == "end"
                for event in self.told.news(told):
                    self.add(event)
        return told

    def closed(self, code: int, reason: str) -> None:
        """The connection has ended, and there is no other."""
        if self.is_done(code):
            self.ended(None)
        else:
            self.ended(of_close(code, reason, self._failed))

    def is_done(self, code: int) -> bool:
        """Whether all was told that this client said, by the code of the close."""
        if not self.finished or self._failed is not None:
            return False
        ready = self.ready
        channels = ready.channels if ready is not None and ready.separate else 1
        return code == 1000 or (code == 1012 and self._ends >= channels)

    def lost(self, code: int, reason: str) -> ParakeetError:
        """The connection has ended, and another one may come; why it did."""
        error = of_close(code, reason, self._failed)
        self._failed, self._ends, self.going_away = None, 0, False
        return error

    @property
    def failed(self) -> Failed | None:
        """What the server said before it closed."""
        return self._failed

    def ended(self, error: ParakeetError | None) -> None:
        """Nothing more comes, because of an error or because all was told."""
        if not self.is_over:
            self.is_over, self._error = True, error

    def next(self) -> Event | None:
        """The next event; None where there is none now.

        Raises:
            ParakeetError: what ended the stream, once, after its last event.
        """
        if self._unread:
            return self._unread.popleft()
        self.raise_error()
        return None

    def raise_error(self) -> None:
        """Raises what ended the stream, unless that was done before."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    def next_stats(self) -> tuple[ChannelStats, ...] | None:
        """The next answer to `stats`; None where there is none now."""
        return self._stats.popleft() if self._stats else None

    def add(self, event: Event) -> None:
        """An event for the reader."""
        if not self._tokens and isinstance(event, Partial | Final) and event.tokens:
            event = replace(event, tokens=())
        self.heard.take(event)
        last = self._unread[-1] if self._unread else None
        if (
            isinstance(last, Partial)
            and isinstance(event, Partial)
            and (last.channel, last.utterance) == (event.channel, event.utterance)
        ):
            text, tokens = last.text + event.text, last.tokens + event.tokens
            self._unread[-1] = replace(event, text=text, tokens=tokens, offset=last.offset)
        else:
            self._unread.append(event)
