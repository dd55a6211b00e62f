"""A live engine and a socket to an I/O process in; that process's streams, in the engine, out.

Rules of this file:

1. An I/O process owns its streams: when it is gone, they are cancelled, and all others go on.
2. What is told is done at once, in the order in which it comes; what is asked may take long, and is
   done by a pool.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.errors import OptionError, UsageError
from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.live.hosted import HostedStream
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.processes.audio_memory import AudioMemory
from parakeet_streaming.processes.failures import told_of
from parakeet_streaming.processes.frames import Frame, Kind
from parakeet_streaming.processes.hosted_ends import HostedEnds, RemoteInlet
from parakeet_streaming.processes.link import Answer, Link
from parakeet_streaming.processes.values import plain, value_of
from parakeet_streaming.results import FilterStart

_LOG: Final = logging.getLogger("parakeet_streaming.server")


class EngineHost:
    """The streams of one I/O process."""

    def __init__(self, engine: LiveEngine, link: Link, memory: AudioMemory) -> None:
        self._engine, self._link, self._memory = engine, link, memory
        self._streams: dict[int, tuple[HostedStream, RemoteInlet]] = {}
        self._prepared: dict[int, object] = {}
        self._numbers = count(1)
        self._gone = False
        self._questions: Final[dict[str, Callable[[Any, bytes], Answer]]] = {
            "open": self._open,
            "prepare": self._prepare,
            "phrases": self._phrases,
            "stream stats": lambda slot, _: (plain(self._stream(slot).stats()), b""),
            "transcript": lambda slot, _: (plain(self._stream(slot).transcript()), b""),
            "stats": lambda _, __: (plain(self._engine.stats()), b""),
            "failure": lambda _, __: (told_of(self._engine.failure), b""),
            "metrics": lambda _, __: (plain(self._engine.metrics.snapshot()), b""),
        }

    @property
    def streams(self) -> int:
        """How many it has, those included that are over and not forgotten."""
        return len(self._streams)

    def answer(self, name: str, value: Any, blob: bytes) -> Answer:  # noqa: ANN401
        """Answers a question.

        Raises:
            ParakeetError: what it meets.
        """
        question = self._questions.get(name)
        if question is None:
            raise UsageError(f"no question {name!r}")
        return question(value, blob)

    def knows(self, name: str) -> bool:
        """Whether that is a question about the engine."""
        return name in self._questions

    def take(self, frame: Frame) -> None:
        """Does what it is told."""
        if frame.kind is Kind.LET_GO:
            self._prepared.pop(frame.number, None)
            return
        if frame.kind is Kind.LEAVE:
            self._streams.pop(frame.number, None)
            return
        found = self._streams.get(frame.number)
        if found is None:
            return  # it was refused, or is over
        stream, inlet = found
        if frame.kind is Kind.WAKE:
            stream.wake()
        elif frame.kind is Kind.COMMIT:
            stream.commit(int(frame.value))
        elif frame.kind is Kind.COMMITTED:
            commit, position = frame.value
            inlet.committed(int(commit), int(position))
        elif frame.kind is Kind.FINISH:
            stream.finish()
        elif frame.kind is Kind.CANCEL:
            stream.cancel()
        elif frame.kind is Kind.SNAPSHOT:
            stream.ask_snapshot(past=bool(frame.value))

    def gone(self) -> None:
        """The process is: nobody reads what its streams give."""
        self._gone = True
        self._prepared.clear()
        streams = [stream for stream, _ in list(self._streams.values())]
        self._streams.clear()
        left = [stream for stream in streams if not stream.is_over]
        for stream in left:
            stream.cancel()
        if left:
            _LOG.warning("%d streams are cancelled: their I/O process is gone", len(left))

    def _stream(self, slot: Any) -> HostedStream:  # noqa: ANN401
        found = self._streams.get(slot)
        if found is None:
            raise UsageError(f"no stream in slot {slot}")
        return found[0]

    def _open(self, value: Any, blob: bytes) -> Answer:  # noqa: ANN401
        slot = int(value["slot"])
        if not 0 <= slot < self._memory.sizes.slots or slot in self._streams:
            raise OptionError(f"slot {slot} cannot be used")
        ends = HostedEnds(self._link, self._memory, slot)
        stream = self._engine.host(
            value_of(LiveOptions, value["options"]),
            ends,
            id=value["id"],
            resume=blob if value["resumes"] else None,
            filters=tuple(value_of(FilterStart, each) for each in value["filters"]),
            instead_of=value["instead_of"],
        )
        self._streams[slot] = (stream, ends.inlet)
        if self._gone or time.monotonic() > float(value["until_s"]):
            # Nobody waits for it any more.
            stream.cancel()
        said = {"start": ends.start, "most_samples": ends.most_samples}
        return said | {"stats": plain(stream.stats())}, b""

    def _prepare(self, boosting: Any, blob: bytes) -> Answer:  # noqa: ANN401
        if blob:
            held = self._engine.prepare(resume=blob)
        else:
            held = self._engine.prepare(_boosting(boosting))
        number = next(self._numbers)
        self._prepared[number] = held
        return number, b""

    def _phrases(self, value: Any, _: bytes) -> Answer:  # noqa: ANN401
        slot, boosting = value
        self._stream(slot).use_phrases(_boosting(boosting))
        return None, b""


def _boosting(told: Any) -> Boosting | None:  # noqa: ANN401
    return None if told is None else value_of(Boosting, told)
