"""Samples of one stream in, from one thread; events out, to any thread, event loop or callback."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Self

from parakeet_streaming.boosting.options import Phrases
from parakeet_streaming.engine.stream_state import StreamState
from parakeet_streaming.live.event_queue import EventQueue
from parakeet_streaming.live.ingest import AudioIngest
from parakeet_streaming.live.opening import StreamOpener
from parakeet_streaming.live.snapshot_requests import EventRequest, SnapshotRequest
from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.live.stream_ends import AudioEnd, EventEnd
from parakeet_streaming.live.task import StreamTask
from parakeet_streaming.results import Transcript
from parakeet_streaming.timeline import samples_to_seconds


class LiveStream(AudioEnd, EventEnd):
    """One speaker's audio, live. Any thread may call it.

    At the end of a `with` or `async with` block it is finished, or cancelled if an error left the
    block; neither waits, and what comes of it can be read after the block.

    A stream that is dropped ends: as finished, where a callback takes its events, or else as
    cancelled, since its events cannot be read any more. While a source does not push, the stream's
    time stands still.
    """

    def __init__(self, engine: object, task: StreamTask, opener: StreamOpener) -> None:
        """`engine` lives as long as its streams; `opener` made the task."""
        self._engine = engine
        self._task = task
        self._opener = opener
        self._clock = opener.clock
        self._callers = opener.callers
        self._hints = task.hints
        self._pushing = threading.RLock()
        ingest, events = task.ingest, task.events
        assert isinstance(ingest, AudioIngest), "its producer is in this process"
        assert isinstance(events, EventQueue), "and so is its consumer"
        self._ingest, self._events = ingest, events
        self._stream = task.stream

    @property
    def id(self) -> str:
        """Its name in logs and errors."""
        return self._task.id

    def commit(self) -> None:
        """Ends an utterance with all that was pushed so far, now: `Final` with reason `commit`.

        After `finish` it does nothing: the end of the stream commits everything.
        """
        self._callers.check_process()
        self._task.commit(self._clock())

    def finish(self) -> None:
        """No more audio. What was pushed is decoded; the last event is `Final`, reason `end`.

        Any thread may call it. A push that runs meanwhile is taken; a later one is not.
        """
        self._task.finish(self._clock())

    def cancel(self) -> None:
        """Ends it at once: what was committed comes in a last `Final`, the rest is forgotten."""
        self._task.cancel_requested = True
        self._task.wake()

    def use_phrases(self, phrases: Phrases | None, boost: float | None = None) -> None:
        """Boosts other phrases, or with None for none, in what is pushed from now on.

        The windows that were complete by now are decoded as before. Long lists take some tenths of
        a second here, and nothing of the worker's time.

        Args:
            phrases: as in `Recognizer.stream`; they take the place of all that were there.
            boost: how strongly, 0 to 10; 1 by default.

        Raises:
            OptionError: phrases beyond their limits, or with letters that the model cannot write.
        """
        self._callers.check_process()
        self._opener.change(self._task, phrases, boost)

    def snapshot(
        self, *, audio: bool = True, past: bool = True, earlier_utterances: bool = True
    ) -> bytes:
        """All of this stream, written down between two steps; `LiveEngine.open` resumes it.

        In window mode at 16 kHz the resumed stream gives exactly the events that this one would
        give. A cached stream does with the encoder's `past`; without it its encoder begins anew,
        and so does the resampler of any other rate: `stats().resumed` says "warm" then. Audio that
        the worker has not taken, commits that wait for audio, and events that were not read are not
        in it. It may be called from any thread but that of `on_event`; it waits for one step at
        most.

        Args:
            audio: with the samples that are still needed; without them, push them again.
            past: with what the encoder keeps of a cached stream: megabytes for a large model.
            earlier_utterances: with the tokens of utterances that have ended.

        Raises:
            EngineFailedError: called in a process that was forked after the engine was made.
            StreamClosedError: the stream is ending, or over.
            UsageError: called in `on_event`.
        """
        self._callers.check_may_wait("snapshot()")
        answer = self._ask(SnapshotRequest(audio, past, earlier_utterances))
        return self._opener.encode(answer.result())

    def ask_snapshot(self, *, past: bool = False) -> None:
        """Asks for `SnapshotTaken` among the events: the stream exactly after those before it.

        It has no audio and no utterances that have ended. Commits that are over are in it, with
        their `Final` before the event; ask for the others again. A stream that ends meanwhile
        gives no such event.

        Args:
            past: with what the encoder keeps of a cached stream: megabytes for a large model.
        """
        task, requests = self._task, self._task.requests
        requests.as_events.append(EventRequest(past, self._opener.encode))
        task.wake()

    def transcript(self) -> Transcript:
        """Everything committed so far, of all utterances."""
        return self._stream.transcript()

    @property
    def told_s(self) -> float:
        """Seconds of audio that are decoded, or passed over as quiet, with all events of them."""
        return samples_to_seconds(self._events.told_samples)

    def stats(self) -> StreamStats:
        """How it goes."""
        return StreamStats.of(self._task)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type is None:
            self.finish()
        else:
            self.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        self.__exit__(exc_type)

    def __del__(self) -> None:
        task = getattr(self, "_task", None)
        if task is not None and not task.is_over:
            if task.on_event is None:
                self.cancel()
            else:
                self.finish()

    def _ask(self, request: SnapshotRequest) -> Future[StreamState]:
        task, requests = self._task, self._task.requests
        requests.put(request)
        task.wake()
        if task.is_over:
            requests.refuse()
        return request.answer
