"""What steps made of one stream, and chunks that need none, in; counts, and what to report, out.

Rules of this file:

1. Everything here belongs to the worker's thread. Positions are samples at 16 kHz.
2. Whoever must know how far a stream was decoded is told here, once for each chunk.
"""

from __future__ import annotations

from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.windowed_stream import WindowedStream, settled
from parakeet_streaming.live.ends import SampleSource
from parakeet_streaming.live.meter import Counts
from parakeet_streaming.live.speech import StreamSpeech
from parakeet_streaming.results import Event, Final, Partial
from parakeet_streaming.timeline import seconds_to_samples


class StreamOutcome:
    """What has become of the audio of one stream."""

    def __init__(
        self,
        stream: WindowedStream,
        queue: SampleSource,
        speech: StreamSpeech,
        endpointer: Endpointer | None,
        unreported: list[Event],
        *,
        hears: bool,
    ) -> None:
        """Begins with nothing decoded.

        Args:
            stream: what is decoded.
            queue: where its audio comes from.
            speech: forgets what was decoded.
            endpointer: is given what was decoded; None where nothing ends utterances.
            unreported: events, to which others add theirs.
            hears: whether speech is judged.
        """
        self.counts = Counts()
        self.unreported = unreported
        self._stream = stream
        self._window = stream.window
        self._queue = queue
        self._speech = speech
        self._endpointer = endpointer
        self._hears = hears

    @property
    def decoded_samples(self) -> int:
        """Samples of audio that were decoded or passed over."""
        window, end = self._window, self._stream.audio_end
        decoded, cut_at = window.decoded_samples, window.cut_at
        decoded = decoded if cut_at is None else min(decoded, cut_at)
        return decoded if end is None else min(decoded, end)

    def events(self) -> list[Event]:
        """What is to be reported, once."""
        events = self.unreported.copy()
        self.unreported.clear()
        return events

    def report(self, event: Event) -> None:
        """Something is to be reported."""
        self.counts.utterances += isinstance(event, Final)
        self.unreported.append(event)

    def stepped(self) -> None:
        """It has had a step."""
        self.counts.steps += 1

    def decoded(self, partial: Partial, *, has_lookahead: bool) -> None:
        """A chunk was decoded; its events are reported by others."""
        self.counts.tokens += len(partial.tokens)
        decoded, speech, endpointer = self.decoded_samples, self._speech, self._endpointer
        gaps = speech.gaps
        if self._hears or gaps.any:
            speech.forget_before(decoded)
        if endpointer is not None:
            read = seconds_to_samples(partial.lookahead_end_s) if has_lookahead else decoded
            endpointer.decoded(decoded, read, partial.tokens, partial.tentative)

    def settle(self, position: int) -> None:
        """Commits what is tentative up to that position, in place of a step."""
        self.counts.skipped += 1
        is_news = bool(self._stream.tentative)
        result = settled(self._stream, position)
        partial = self._stream.as_partial(result)
        self._stream.commit(result, partial)
        self._passed(partial)
        if is_news:
            self.report(partial)

    def skip(self, quiet_after: int) -> None:
        """Passes over a chunk without speech, with so many quiet samples after it."""
        self.counts.skipped += 1
        is_news = bool(self._stream.tentative)
        for event in self._stream.skip(quiet_after):
            if isinstance(event, Partial):
                self._passed(event)
                if not is_news:
                    continue
            self.report(event)

    def _passed(self, partial: Partial) -> None:
        """A chunk was committed without a step, so nobody has asked when it had arrived."""
        self.decoded(partial, has_lookahead=False)
        self._queue.arrived_s(self.decoded_samples)
