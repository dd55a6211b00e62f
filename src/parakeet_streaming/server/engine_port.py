"""What the server asks of an engine and its streams, wherever they are.

`LiveEngine` and `LiveStream` are in this process. Where the engine is in another one,
`processes/remote_engine.py` and `processes/remote_stream.py` stand for them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from numpy.typing import ArrayLike

from parakeet_streaming.boosting.options import Phrases
from parakeet_streaming.live.engine import Named
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.stats import EngineStats, StreamStats
from parakeet_streaming.metrics.registry import MetricSet
from parakeet_streaming.results import Event, FilterStart, Transcript


class AudioTaker(Protocol):
    """Where one stream's samples go; what each does, `LiveStream` says."""

    def push_waiting(self, samples: ArrayLike, timeout_s: float | None = None) -> int: ...

    async def push_async(self, samples: ArrayLike) -> int: ...

    def push_gap(self, samples: int) -> None: ...

    def commit(self) -> None: ...

    def finish(self) -> None: ...

    def cancel(self) -> None: ...


class EngineStream(AudioTaker, Protocol):
    """One stream, and what it gives."""

    @property
    def id(self) -> str: ...

    @property
    def told_s(self) -> float: ...

    def use_phrases(self, phrases: Phrases | None, boost: float | None = None) -> None: ...

    def ask_snapshot(self, *, past: bool = False) -> None: ...

    def transcript(self) -> Transcript: ...

    def stats(self) -> StreamStats: ...

    def get(self, timeout_s: float | None = None) -> Event | None: ...

    def __aiter__(self) -> AsyncIterator[Event]: ...


class Engine(Protocol):
    """Many streams; what each does, `LiveEngine` says."""

    @property
    def metrics(self) -> MetricSet: ...

    @property
    def failure(self) -> BaseException | None: ...

    def open(
        self,
        options: LiveOptions | None = None,
        *,
        id: str | None = None,
        resume: bytes | None = None,
        filters: Sequence[FilterStart] = (),
        instead_of: Named | None = None,
    ) -> EngineStream: ...

    def prepare(
        self,
        phrases: Phrases | None = None,
        boost: float | None = None,
        *,
        resume: bytes | None = None,
    ) -> object: ...

    def stats(self) -> EngineStats: ...
