"""What all doors share: the engine, what is loaded, who may come in, and whether it is to stop.

Rules of this file:

1. Doors get one `Service` and nothing else. It is made in `composition.py`.
2. It belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.access import ANONYMOUS, Access, Secret
from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.checkpoint import CheckpointKeys
from parakeet_streaming.server.connection_options import ChannelStart
from parakeet_streaming.server.engine_port import Engine
from parakeet_streaming.server.limits import Limits, Places
from parakeet_streaming.server.metrics import ServerMetrics
from parakeet_streaming.server.replies import DrainingError, WrongRequestError, answer_to
from parakeet_streaming.writing.options import WritingOptions


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What is loaded."""

    name: str
    """As it was asked for when the server was started."""
    created_s: int
    """Unix time at which it was loaded."""
    languages: tuple[str, ...] = ()
    fingerprint: str = ""
    """Of its weights; servers with the same one give the same text."""
    strict: bool = False
    """Whether other names are refused; by default any name stands for this model."""

    def check(self, asked: str | None) -> None:
        """Refuses other names, if it is strict.

        Raises:
            WrongRequestError: another model is asked for.
        """
        if self.strict and asked and asked != self.name:
            raise WrongRequestError(f"no model {asked!r} here; use {self.name!r}", "model")


class Drain:
    """Whether the server is about to stop, and until when those inside may finish."""

    def __init__(self) -> None:
        self.until_s: float | None = None
        """On the service's clock; None while it does not drain."""
        self._begun = asyncio.Event()

    @property
    def draining(self) -> bool:
        return self.until_s is not None

    def begin(self, until_s: float) -> None:
        """Nobody is let in any more, and those inside are told to go."""
        self.until_s = until_s
        self._begun.set()

    async def wait(self) -> None:
        """Until it begins."""
        await self._begun.wait()


class Replicas(Protocol):
    """This server and those like it, behind one address."""

    @property
    def label(self) -> str:
        """What the name of each is called in metrics."""
        ...

    async def metrics(self) -> Mapping[str, str]:
        """What each of them counts, in Prometheus's text, by its name."""
        ...

    async def sockets(self) -> Mapping[str, int]:
        """How many sockets each of them has, by its name."""
        ...

    async def share(self, secret: Secret, lasts_s: float) -> None:
        """Tells all others of a short-lived key, which is shown to any of them."""
        ...

    @property
    def takes_calls(self) -> bool:
        """Whether a call that one of them has can be ended by way of any."""
        ...

    async def end_call(self, name: str, owner: str) -> bool:
        """Has the one that has that call end it; whether one has."""
        ...


@dataclass(slots=True)
class Service:
    """See the module."""

    engine: Engine
    model: LoadedModel
    defaults: LiveOptions
    """Of streams whose client asks for nothing else; at 16 kHz."""
    access: Access
    limits: Limits
    metrics: ServerMetrics
    clock: Callable[[], float] = time.monotonic
    drain: Drain = field(default_factory=Drain)
    checkpoints: CheckpointKeys = field(default_factory=CheckpointKeys.of_this_process)
    wall_clock: Callable[[], float] = time.time
    """Unix time, by which checkpoints grow old."""
    writing: WritingOptions = field(default_factory=WritingOptions)
    """Of text whose client asks for nothing else."""
    replicas: Replicas | None = None
    """None where this server is alone."""
    end_call_here: Callable[[str, str], Awaitable[bool]] | None = None
    """Ends a call of this server, by its name and its key's; whether there is one."""
    sockets: Places = field(init=False)
    uploads: Places = field(init=False)

    def __post_init__(self) -> None:
        self.sockets, self.uploads = places_of(self.limits)

    def let_in(self, caller: Caller, *, from_page: bool = False, keyless: bool = False) -> str:
        """The name of the caller's key; "anonymous" where none is needed.

        Args:
            caller: who asks.
            from_page: whether pages of other sites are to be refused (sockets).
            keyless: whether it comes by a protocol that has no keys.

        Raises:
            RefusedError: it shows no key that is known, or comes from a page of another site.
            DrainingError: the server is about to stop.
        """
        if self.drain.draining:
            raise DrainingError("the server is about to stop; connect to another one")
        if from_page:
            self.access.check_origin(caller)
        if keyless:
            return ANONYMOUS
        return self.access.owner(caller, self.clock())

    @contextmanager
    def counted_socket(self, door: str, owner: str, caller: Caller) -> Iterator[None]:
        """Holds a place for a socket, and counts it.

        Raises:
            TooManyError: the key or the address has as many as it may have.
        """
        with self.sockets.hold(owner, caller.address), self.metrics.connection(door, owner):
            yield

    async def prepared(self, boosting: Boosting | None, field: str = "phrases") -> object:
        """Compiles what a stream is to boost, in a thread; hold what comes until it is open.

        Raises:
            WrongRequestError: too many phrases for this server.
            OptionError: letters that the model cannot write.
        """
        self.check_phrases(boosting, field)
        if boosting is None:
            return None
        return await asyncio.to_thread(self.engine.prepare, boosting)

    async def prepared_to_resume(self, starts: Sequence[ChannelStart]) -> object:
        """Compiles what the streams of a checkpoint boost, as `prepared` does.

        Raises:
            SnapshotError: streams of another model, or none.
            OptionError: letters that the model cannot write.
        """

        def compile_all() -> list[object]:
            return [self.engine.prepare(resume=each.snapshot) for each in starts]

        return await asyncio.to_thread(compile_all)

    def check_phrases(self, boosting: Boosting | None, field: str) -> None:
        """Refuses more phrases than a stream of this server may have.

        Raises:
            WrongRequestError: there are more.
        """
        count, most = 0 if boosting is None else len(boosting.phrases), self.limits.phrases
        if count > most:
            raise WrongRequestError(
                f"{field}: {count} phrases; this server takes {most} at most (phrases)", field
            )

    def refused(self, error: BaseException) -> None:
        """Counts a refusal, or what has ended a connection."""
        self.metrics.refusals_total[answer_to(error).code].add()


def places_of(limits: Limits) -> tuple[Places, Places]:
    """Those of sockets, and those of uploads."""
    sockets = Places("sockets", limits.sockets_of_key, limits.sockets_of_address)
    return sockets, Places("uploads", limits.uploads_of_key)
