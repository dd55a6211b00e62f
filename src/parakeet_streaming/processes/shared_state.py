"""What I/O processes ask of each other in; their answers, and what one key or address has, out.

It is in the engine's process, which all of them talk to. Any thread.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, suppress
from typing import Any, Final

from parakeet_streaming.errors import ParakeetError, UsageError
from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.metrics.prometheus import process_text, prometheus_text
from parakeet_streaming.processes.link import Link
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.service import places_of

_ENGINE: Final = "engine"
_ANSWERS_WITHIN_S: Final = 3.0
_WITHIN_S: Final = {"end call": 10.0}
_MOST_SECRETS: Final = 10_000


class SharedState:
    """Of all I/O processes of one engine."""

    def __init__(self, engine: LiveEngine, limits: Limits) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._links: dict[str, Link] = {}
        sockets, uploads = places_of(limits)
        self._places = {"sockets": sockets, "uploads": uploads}
        self._held: dict[str, dict[int, AbstractContextManager[None]]] = {}
        self._secrets: list[Any] = []

    def joined(self, name: str, link: Link) -> None:
        """A process has begun."""
        with self._lock:
            self._links[name] = link
            self._held[name] = {}

    def left(self, name: str, link: Link) -> None:
        """A process is gone: what it held is free."""
        with self._lock:
            if self._links.get(name) is not link:
                return
            del self._links[name]
            for held in self._held.pop(name, {}).values():
                held.__exit__(None, None, None)

    def free(self, name: str, number: int) -> None:
        """A place is not held any more."""
        with self._lock:
            held = self._held.get(name, {}).pop(number, None)
            if held is not None:
                held.__exit__(None, None, None)

    def answer(self, name: str, question: str, value: Any) -> Any:  # noqa: ANN401
        """What the process of that name asks.

        Raises:
            TooManyError: a place that is not to be had.
            UsageError: there is no such question.
        """
        if question == "hold":
            return self._hold(name, value)
        if question == "all metrics":
            told = {_ENGINE: prometheus_text(self._engine.metrics) + process_text()}
            return told | self._all("metrics", self._engine.stats().load)
        if question == "all sockets":
            return self._all("sockets")
        if question == "share":
            with self._lock:
                self._secrets = [*self._secrets[1 - _MOST_SECRETS :], value]
            self._all("know", value)
            return None
        if question == "secrets":
            return self._secrets
        if question == "end call":
            return any(self._all("end call", value, but=name).values())
        raise UsageError(f"no question {question!r}")

    def _hold(self, name: str, value: Any) -> None:  # noqa: ANN401
        number, what, key, address = value
        place = self._places[what].hold(str(key), str(address))
        with self._lock:
            place.__enter__()
            self._held[name][int(number)] = place

    def _all(self, question: str, value: object = None, but: str = "") -> dict[str, Any]:
        """What each answers; one that does not is left out."""
        with self._lock:
            links = {name: link for name, link in self._links.items() if name != but}
        found: dict[str, Any] = {}
        for name, link in sorted(links.items()):
            with suppress(ParakeetError):
                found[name], _ = link.ask(
                    question, value, within_s=_WITHIN_S.get(question, _ANSWERS_WITHIN_S)
                )
        return found
