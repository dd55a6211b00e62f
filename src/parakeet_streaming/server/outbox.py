"""What a client is to be told in; what it is told once it reads, out; bounded however slow it is.

Rules of this file:

1. Nothing that ends, starts or answers something is dropped. Texts that follow each other in one
   utterance are joined; only the last tentative text, and the last `Kept`, is kept.
2. A client that stays away until so much waits that is not joined is too slow; whoever holds the
   outbox then ends the session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from parakeet_streaming.server.session_events import Heard, Kept, SessionEvent

MOST_WAITING: Final = 1_000
"""Events; some minutes of speech with ends, or an hour without."""


class Outbox:
    """Events that wait for one client."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._waiting: deque[SessionEvent] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether the client has read nothing for too long."""
        return len(self._waiting) > self._most_waiting

    def add(self, events: Iterable[SessionEvent]) -> None:
        """Puts events behind those that wait."""
        for event in events:
            if isinstance(event, Kept):
                self._forget_kept()
            self._append(event)

    def take(self) -> SessionEvent | None:
        """The next event; None if there is none."""
        return self._waiting.popleft() if self._waiting else None

    def _append(self, event: SessionEvent) -> None:
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, Heard) and isinstance(event, Heard) and _follows(event, last):
            text, tokens = last.text + event.text, last.tokens + event.tokens
            self._waiting[-1] = replace(event, text=text, tokens=tokens, offset=last.offset)
        else:
            self._waiting.append(event)

    def _forget_kept(self) -> None:
        if any(isinstance(each, Kept) for each in self._waiting):
            waiting, self._waiting = self._waiting, deque()
            for each in waiting:
                if not isinstance(each, Kept):
                    self._append(each)


def _follows(heard: Heard, last: Heard) -> bool:
    return heard.utterance == last.utterance
