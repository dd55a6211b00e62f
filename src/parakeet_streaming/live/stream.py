"""Samples of one speaker in, from one thread; events out, to any thread, event loop or callback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from numpy.typing import ArrayLike

from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.live.task import Host, Outcome, StreamTask
from parakeet_streaming.results import Event, Transcript
from parakeet_streaming.timeline import ContextConfig


class LiveStream:
    """One speaker's audio, live. One thread may push; any may call the rest.

    A stream that is dropped ends: as finished, where a callback takes its events, or else as
    cancelled, since nobody could read them.
    """

    def __init__(
        self,
        engine: object,
        guest: StreamTask,
        host: Host,
    ) -> None:
        """`engine` lives as long as its streams."""
        self._engine = engine
        self._guest = guest
        self._host = host
        self._paused = False

    @property
    def context(self) -> ContextConfig:
        """The context in use now; `sample_rate` is that of the samples to push."""
        return self._guest.seat.stream.context

    @property
    def outcome(self) -> Outcome | None:
        """How it ended: `finished`, `cancelled` or `failed`; None while it goes on."""
        return self._guest.outcome

    @property
    def paused(self) -> bool:
        return self._paused

    def push(self, samples: ArrayLike) -> int:
        """Takes samples, (n,) or (n, channels), at the context's rate. Never waits.

        Returns:
            How many were taken: all of them, but for a ring that is full, a paused stream, and one
            that has ended. What a full ring refuses is missing for good, and told as a `Gap`; do
            not push it again.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity; nothing was taken.
        """
        return 0 if self._paused else self._guest.inlet.push(samples)

    def commit(self) -> None:
        """Ends an utterance with all that was pushed so far, now: `Final` with reason `commit`.

        After `finish` it does nothing: the end of the stream tells everything.
        """
        guest = self._guest
        if guest.inlet.closed:
            return
        guest.meter.commits_at_s.append(self._host.clock())
        guest.seat.commits.append(guest.inlet.offered)
        self._ask()

    def pause(self) -> None:
        """Takes no audio until `resume`; meanwhile the stream's time stands still.

        The last words come when audio does; `commit` as well to have them at once.
        """
        self._paused = True

    def resume(self) -> None:
        """Takes audio again."""
        self._paused = False

    def finish(self) -> None:
        """No more audio. What was pushed is decoded; the last event is `Final`, reason `end`.

        Call it when pushing is over: what another thread pushes meanwhile may come too late.
        """
        if not self._guest.inlet.closed:
            self._guest.meter.finished_at_s = self._host.clock()
            self._guest.inlet.close()

    def cancel(self) -> None:
        """Ends it at once: what was committed is told in a last `Final`, the rest is forgotten."""
        self._guest.cancelled = True
        self._ask()

    def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when there are no more.

        Raises:
            TimeoutError: none came in time.
            BaseException: what ended the stream, behind its last event.
        """
        return self._guest.outbox.get(timeout_s)

    def __iter__(self) -> Iterator[Event]:
        """Waits for events; ends with the stream, by an error if that ended it."""
        while (event := self.get()) is not None:
            yield event

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The same for an event loop."""
        while (event := await self._guest.outbox.get_async()) is not None:
            yield event

    def transcript(self) -> Transcript:
        """Everything committed so far, of all utterances."""
        return self._guest.seat.stream.transcript()

    def stats(self) -> StreamStats:
        """How it goes."""
        return StreamStats.of(self._guest)

    def __del__(self) -> None:
        guest = getattr(self, "_guest", None)
        if guest is not None and guest.outcome is None:
            if guest.on_event is None:
                self.cancel()
            else:
                self.finish()

    def _ask(self) -> None:
        self._guest.asked = True
        self._host.wake()
