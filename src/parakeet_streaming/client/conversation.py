"""Messages of a server, and how it closed, in; events, and the error that ended them, out.

What both clients share. It knows no socket, clock, thread or event loop.

Rules of this file:

1. Events are kept until they are read. Texts of one utterance that follow each other unread are
   joined, so that a reader who stays away costs little.
2. Whatever came before an error is given before it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from parakeet_streaming.client.events import ChannelStats, Event, GoingAway, Partial, Ready
from parakeet_streaming.client.failures import of_close
from parakeet_streaming.client.heard import Heard
from parakeet_streaming.client.messages import Failed, Stats, told_by
from parakeet_streaming.errors import ParakeetError


class Conversation:
    """One stream, as its client sees it."""

    def __init__(self) -> None:
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

    def take(self, message: str | bytes) -> None:
        """A message came.

        Raises:
            ServerError: it is none of this protocol.
        """
        told = told_by(message)
        if told is None:
            return
        if isinstance(told, Ready):
            self.ready = told
        elif isinstance(told, Stats):
            self._stats.append(told.channels)
        elif isinstance(told, Failed):
            self._failed = told
        else:
            self.going_away = self.going_away or isinstance(told, GoingAway)
            self.heard.take(told)
            self._add(told)

    def closed(self, code: int, reason: str) -> None:
        """The connection has ended."""
        if code == 1000 and self.finished and self._failed is None:
            self.ended(None)
        else:
            self.ended(of_close(code, reason, self._failed))

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

    def _add(self, event: Event) -> None:
        last = self._unread[-1] if self._unread else None
        if (
            isinstance(last, Partial)
            and isinstance(event, Partial)
            and (last.channel, last.utterance) == (event.channel, event.utterance)
        ):
            text, tokens = last.text + event.text, last.tokens + event.tokens
            self._unread[-1] = replace(event, text=text, tokens=tokens)
        else:
            self._unread.append(event)
