"""A socket to another process in; messages to it and from it, questions and answers, out.

Rules of this file:

1. Nobody who tells waits: a message is put into a queue, which a thread of the link sends. A link
   that is `prompt` sends it at once where nothing else is being sent: that costs least where
   messages are few and short. What the process does not read is bounded; one that reads nothing is
   as good as gone.
2. Messages are taken in their order, in one thread of the link. Questions are answered by a pool,
   so that one that takes long holds up nothing else.
3. When the other process is gone, `on_end` is told once, and all questions end with an error.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from parakeet_streaming.errors import EngineFailedError, UnavailableError
from parakeet_streaming.processes.failures import engine_gone, error_of, told_of
from parakeet_streaming.processes.frames import Frame, FrameError, FrameReader, Kind, packed

Answer = tuple[Any, bytes]
Message = Frame | Callable[[], Frame]
_THREADS: Final = 16
"""That answer questions. One that asks all processes waits for them."""
_READ_BYTES: Final = 262_144
_SENT_AT_ONCE: Final = 262_144
MOST_UNREAD_MESSAGES: Final = 200_000
"""Messages that another process may leave unread, before it counts as gone."""
ANSWERS_WITHIN_S: Final = 30.0


@dataclass(slots=True)
class Ends:
    """What a link does with what comes."""

    take: Callable[[Frame], None]
    """Every message but questions and answers; quick."""
    answer: Callable[[str, Any, bytes], Answer]
    """A question by name; in a thread of the pool."""
    on_end: Callable[[], None]
    """The other process is gone; in a thread of the link."""


class Link:
    """One socket. Any thread may tell and ask."""

    def __init__(self, connected: socket.socket, name: str, *, prompt: bool = False) -> None:
        """`prompt`: rule 1."""
        self._socket = connected
        self._name, self._prompt = name, prompt
        self._ends: Ends | None = None
        self._waiting: deque[Message] = deque()
        self._rest = b""
        """Of a message that was sent in part."""
        self._sending = threading.Lock()
        """Held by who sends; whoever finds it held leaves the message to the thread."""
        self._bell: queue.SimpleQueue[bool] = queue.SimpleQueue()
        """True: there is something to send; False: it is over."""
        self._asked: dict[int, Future[Answer]] = {}
        self._numbers = count(1)
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(_THREADS, f"{name} answers")

    @property
    def ended(self) -> bool:
        """Whether the other process is gone."""
        return self._ended.is_set()

    def start(self, ends: Ends) -> None:
        """Begins to send and to read."""
        self._ends = ends
        for run, what in ((self._send, "sends"), (self._read, "reads")):
            threading.Thread(target=run, name=f"{self._name} {what}", daemon=True).start()

    def tell(self, frame: Message) -> None:
        """Sends a message, which may be made when it is its turn. Never waits."""
        if self._prompt and self._sent_at_once(frame):
            return
        if len(self._waiting) >= MOST_UNREAD_MESSAGES:
            self.close()
        elif not self._ended.is_set():
            self._waiting.append(frame)
            self._bell.put(True)

    def ask(
        self, name: str, value: object = None, blob: bytes = b"", within_s: float = ANSWERS_WITHIN_S
    ) -> Answer:
        """Asks, and waits for the answer.

        Raises:
            EngineFailedError: the other process is gone.
            UnavailableError: it does not answer in time.
            ParakeetError: what the question met there.
        """
        answer: Future[Answer] = Future()
        number = next(self._numbers)
        self._asked[number] = answer
        self.tell(Frame(Kind.ASK, number, [name, value], blob))
        if self._ended.is_set():
            self._refuse_all()
        try:
            return answer.result(within_s)
        except TimeoutError:
            raise UnavailableError(
                f"another process of this server did not answer within {within_s:g} s; try again"
            ) from None
        finally:
            self._asked.pop(number, None)

    def close(self) -> None:
        """Ends it."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._bell.put(False)

    def flush(self, within_s: float = 2.0) -> None:
        """Waits until what was told until now has been sent, if it can be."""
        sent = threading.Event()

        def done() -> Frame:
            sent.set()
            return _NOTHING

        self.tell(done)
        sent.wait(within_s)

    def _sent_at_once(self, frame: Message) -> bool:
        """Whether it was, or will be before all others; not where others wait or are sent now."""
        if not self._sending.acquire(blocking=False):
            return False
        try:
            if self._waiting or self._rest or self._ended.is_set():
                return False
            data = _bytes_of(frame)
            sent = 0
            with suppress(OSError):  # full, or gone; the thread that reads hears of that
                sent = self._socket.send(data, socket.MSG_DONTWAIT)
            self._rest = data[sent:]
            if self._rest:
                self._bell.put(True)
            return True
        finally:
            self._sending.release()

    def _send(self) -> None:
        try:
            while self._bell.get():
                with self._sending:
                    while data := self._batch():
                        self._socket.sendall(data)
        except OSError:
            pass  # the thread that reads hears of it, too
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _batch(self) -> bytes:
        """As much as waits: one call of the system sends many messages."""
        parts, self._rest = [self._rest], b""
        size = len(parts[0])
        while self._waiting and size < _SENT_AT_ONCE:
            parts.append(_bytes_of(self._waiting.popleft()))
            size += len(parts[-1])
        return b"".join(parts)

    def _read(self) -> None:
        reader = FrameReader()
        try:
            while data := self._socket.recv(_READ_BYTES):
                for frame in reader.feed(data):
                    self._take(frame)
        except (OSError, FrameError):
            pass  # it is over either way
        self._end()

    def _take(self, frame: Frame) -> None:
        assert self._ends is not None, "it was started"
        if frame.kind is Kind.ASK:
            with suppress(RuntimeError):  # the pool is closed
                self._pool.submit(self._answer, frame)
        elif frame.kind in (Kind.ANSWER, Kind.REFUSAL):
            self._answered(frame)
        else:
            self._ends.take(frame)

    def _answer(self, frame: Frame) -> None:
        assert self._ends is not None, "it was started"
        try:
            name, value = frame.value
            told, blob = self._ends.answer(str(name), value, frame.blob)
            self.tell(Frame(Kind.ANSWER, frame.number, told, blob))
        except Exception as error:  # whatever it is, the one who asks is told
            self.tell(Frame(Kind.REFUSAL, frame.number, told_of(error)))

    def _answered(self, frame: Frame) -> None:
        answer = self._asked.pop(frame.number, None)
        if answer is None or answer.done():
            return
        if frame.kind is Kind.ANSWER:
            answer.set_result((frame.value, frame.blob))
        else:
            answer.set_exception(error_of(frame.value) or EngineFailedError("no answer"))

    def _end(self) -> None:
        assert self._ends is not None, "it was started"
        self._ended.set()
        self._bell.put(False)
        with suppress(OSError):
            self._socket.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._refuse_all()
        self._ends.on_end()

    def _refuse_all(self) -> None:
        while self._asked:
            with suppress(KeyError):
                _, answer = self._asked.popitem()
                if not answer.done():
                    answer.set_exception(engine_gone())


_NOTHING: Final = Frame(Kind.ASK)


def _bytes_of(message: Message) -> bytes:
    made = message if isinstance(message, Frame) else message()
    return b"" if made is _NOTHING else packed(made)
