"""Audio and gaps of one stream from its queue in; the stream fed, in amounts it can use, out.

Rules of this file:

1. A gap is silence of its length, so all times after it stay true; it sounds like the room before
   it. Audio before a gap is judged before the gap is taken.
2. Half a second of silence follows live audio, and no time counts it: these models may keep their
   last word until they decode that nothing follows. Nothing follows a recording, as in
   `Recognizer.stream`.
3. Everything here belongs to the worker's thread. Positions are samples at 16 kHz.
"""

from __future__ import annotations

from typing import Final

from parakeet_streaming.engine.room_noise import REACH_SAMPLES, room_noise, room_of
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.live.audio_queue import Missing
from parakeet_streaming.live.ends import SampleSource
from parakeet_streaming.live.speech import StreamSpeech
from parakeet_streaming.results import Event, Gap
from parakeet_streaming.timeline import ContextConfig, samples_to_seconds, seconds_to_samples

TAIL_S: Final = 0.5
_SLACK_S: Final = 0.5
"""Taken beyond a window and a chunk, so that voice activity can run ahead of decoding."""
_MOST_WAITING: Final = seconds_to_samples(2.0)
"""Taken at least so often, so that rings stay small."""


class Intake:
    """Where the audio of one stream comes in."""

    def __init__(
        self,
        stream: WindowedStream,
        queue: SampleSource,
        speech: StreamSpeech,
        events: list[Event],
        *,
        tail_s: float = TAIL_S,
        padding_samples: int = 0,
    ) -> None:
        """Feeds a stream.

        Args:
            stream: is fed, and ended.
            queue: where its audio comes from.
            speech: judges the audio before a gap is taken.
            events: where gaps are reported.
            tail_s: seconds of silence to decode after the audio.
            padding_samples: how much later than a chunk it is known whether the chunk is quiet.
        """
        self.ended = False
        """Whether the stream knows that no more audio will come."""
        self._stream = stream
        self._window = window = stream.window
        self._feed = window.feed
        context = stream.context
        self._lengths = lengths = context.samples
        self._queue = queue
        self._speech = speech
        self._events = events
        self._tail_s = tail_s
        self._slack = seconds_to_samples(_SLACK_S) + padding_samples
        self._enough = lengths.window + lengths.chunk + self._slack
        fed = self._window.fed_samples
        gaps = speech.gaps
        last_gap = gaps.last or (fed, fed)
        self._gap_left = max(0, last_gap[1] - fed) if last_gap[0] <= fed else 0

    @property
    def backlog_s(self) -> float:
        """Seconds of audio that were received and not decoded as chunk yet. Any thread may ask."""
        window = self._window
        buffered = max(0, window.fed_samples - window.decoded_samples)
        return samples_to_seconds(self._queue.waiting + self._gap_left + buffered)

    @property
    def all_taken(self) -> bool:
        """Whether the producer is done and all of its audio is in the stream."""
        return self._queue.ended and not self._gap_left

    @property
    def taken(self) -> int:
        """Position after the last sample that is in the stream, gaps included."""
        return self._queue.position - self._gap_left

    def use(self, context: ContextConfig) -> None:
        """The windows to come are cut by that context."""
        self._lengths = lengths = context.samples
        self._enough = lengths.window + lengths.chunk + self._slack

    def take(self) -> bool:
        """Moves audio from the queue into the stream; whether any came.

        It is a window, a chunk and a little at most: more would only be copied about while it waits
        for its steps.
        """
        queue = self._queue
        waiting = queue.waiting
        if not (waiting or self._gap_left):
            return False
        room = most = self._room()
        while most > 0:
            if self._gap_left and self._speech.block_to_judge() is not None:
                break
            if self._gap_left:
                most -= self._fill_gap(most)
                continue
            taken = queue.take(most, self._feed)
            if isinstance(taken, Missing):
                self._begin_gap(taken)
                continue
            most -= taken
            waiting -= taken
            if not taken or waiting <= 0:
                break
        return most < room

    def end(self) -> None:
        """Ends the stream: no more audio will come."""
        self.ended = True
        self._stream.end(self._tail_s)

    def asks_to_be_woken(self, *, by_any_audio: bool = False) -> bool:
        """Asks the producer to wake the worker in time; False if that time is now."""
        queue = self._queue
        queue.wake_after(1 if by_any_audio else self._needed_samples())
        fills_a_gap = self._gap_left > 0 and self._room() > 0
        return not (fills_a_gap or queue.wake_is_due)

    def may_rest(self) -> bool:
        """Whether no more than its next window can come of a stream, which rests until its tick.

        The producer is asked to wake the worker before that only where it hands over very much.
        """
        lengths, window, queue = self._lengths, self._window, self._queue
        complete = window.decoded_samples + lengths.chunk + lengths.right + 1
        missing = complete - window.fed_samples
        if self._gap_left or queue.ended or not queue.waiting < missing <= _MOST_WAITING:
            return False
        queue.wake_after(_MOST_WAITING)
        return not queue.wake_is_due

    def _needed_samples(self) -> int | None:
        """Samples without which nothing can happen here; None if none that come matter yet."""
        if self._room() <= 0:
            return None
        lengths, window = self._lengths, self._window
        missing = lengths.chunk + lengths.right + 1 - window.buffered_samples
        needed = min(missing, _MOST_WAITING) if missing > 0 else None
        to_judge = self._speech.needed_samples()
        if to_judge is not None and (needed is None or to_judge < needed):
            needed = to_judge
        # Of a stream that goes on, an end may have been asked for of audio that comes again.
        asked = window.asked_to - window.fed_samples
        return asked if asked > 0 and (needed is None or asked < needed) else needed

    def _room(self) -> int:
        """Samples that the stream can take before its next step.

        One that goes on takes those that were decoded before, too, and those of an end that was
        asked for in windows that were longer.
        """
        window = self._window
        room = self._enough + window.decoded_samples - window.fed_samples
        return room if room > 0 else max(0, window.asked_to - window.fed_samples)

    def _begin_gap(self, missing: Missing) -> None:
        self._gap_left = missing.count
        fed = self._window.fed_samples
        heard = self._window.samples(max(self._window.kept_from, fed - REACH_SAMPLES), fed)
        end = missing.start + missing.count
        self._speech.gaps.begin(missing.start, end, room_of(heard))
        self._events.append(Gap(samples_to_seconds(missing.start), samples_to_seconds(end)))

    def _fill_gap(self, most: int) -> int:
        count = min(most, self._gap_left)
        fed = self._window.fed_samples
        self._window.feed(room_noise(self._speech.gaps.room_at(fed), count, fed))
        self._gap_left -= count
        self._speech.pass_over_gap(is_over=not self._gap_left)
        return count
