"""Audio of one stream from its wire in; the stream fed, and what is speech and what is quiet, out.

Rules of this file:

1. A gap is silence of its length, so all times behind it stay true. No voice is heard in it, nor is
   it quiet; but a chunk that has nothing else in its window need not be decoded.
2. What was heard before a gap is judged before the gap is taken.
3. Behind live audio comes half a second of silence, which no time counts: these models may keep
   their last word until they hear that nothing follows.
4. Everything here belongs to the worker's thread.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from parakeet_streaming.engine.activity import SpeechDetector, Transition
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.engine.window import Span
from parakeet_streaming.live.audio_queue import AudioQueueReader, Missing
from parakeet_streaming.ports import Floats
from parakeet_streaming.results import Event, Gap
from parakeet_streaming.timeline import (
    SAMPLE_RATE_HZ,
    milliseconds_to_samples,
    samples_to_seconds,
    seconds_to_samples,
)

TAIL_S: Final = 0.5
_SLACK_S: Final = 0.5
"""Taken beyond a window and a chunk, so that voice activity can run ahead of decoding."""
_MOST_UNHEARD_S: Final = 2.0
"""Taken at least so often, so that rings stay small."""
_FRAMES_TOGETHER: Final = 2
"""Frames that voice activity waits for; each of a call of its own would cost more than it tells."""


class Intake:
    """Where the audio of one stream comes in."""

    def __init__(
        self,
        stream: Stream,
        outlet: AudioQueueReader,
        events: list[Event],
        detector: SpeechDetector | None = None,
        endpointer: Endpointer | None = None,
    ) -> None:
        """`events`: where gaps and speech are told; `endpointer`: who else is told of speech."""
        self.vad_state: object | None = None
        """What the network knows of the last frame; None where it begins, or begins anew."""
        self.speech_samples = 0
        """At 16 kHz, in which voice was heard."""
        self.ended = False
        """Whether the stream knows that no more audio will come."""
        self._stream = stream
        self._outlet = outlet
        self._events = events
        self._detector = detector
        self._endpointer = endpointer
        self._gaps: deque[tuple[int, int]] = deque()
        self._gap_left = 0
        padding_ms = 0.0 if detector is None else detector.options.prefix_padding_ms
        self._slack = seconds_to_samples(_SLACK_S) + milliseconds_to_samples(padding_ms)

    @property
    def backlog_s(self) -> float:
        """Seconds of audio that were pushed and not decoded as chunk yet. Any thread may ask."""
        waiting = self._outlet.waiting + self._gap_left
        in_stream = samples_to_seconds(self._stream.windowed.window.buffered_samples)
        return samples_to_seconds(waiting, self._rate_hz) + in_stream

    @property
    def has_news(self) -> bool:
        """Whether what was asked for has come, or at least a frame for voice activity."""
        if self._outlet.wake_is_due:
            return True
        if self._detector is None:
            return False
        here = self._stream.windowed.window.fed_samples + self.from_pushed_rate(
            self._outlet.waiting
        )
        return here >= self._detector.known_to + self._detector.frame_samples

    @property
    def heard_out(self) -> bool:
        """Whether the producer is done and all of its audio is in the stream."""
        return self._outlet.ended and not self._gap_left

    @property
    def taken(self) -> int:
        """Samples at the pushed rate that are in the stream, gaps included."""
        return self._outlet.position - self._gap_left

    def take(self) -> bool:
        """Moves audio from the wire into the stream; whether any came.

        It is a window, a chunk and a little at most: more would only be copied about while it waits
        for its steps.
        """
        context = self._stream.context
        enough = context.samples.window + context.samples.chunk + self._slack
        room = most = self.at_pushed_rate(
            max(0, enough - self._stream.windowed.window.buffered_samples)
        )
        while most > 0:
            if self._gap_left and self.frame_to_judge() is not None:
                break
            if self._gap_left:
                most -= self._fill_gap(most)
                continue
            piece = self._outlet.take(most)
            if piece is None:
                break
            if isinstance(piece, Missing):
                self._begin_gap(piece)
            else:
                self._stream.push(piece)
                most -= int(piece.shape[0])
        return most < room

    def end(self) -> None:
        """Tells the stream that no more audio will come."""
        self.ended = True
        self._stream.end(TAIL_S)

    def frame_to_judge(self) -> Floats | None:
        """The next frame for voice activity, float32 (n,); None where there is none."""
        if self._detector is None or self._detector.finished:
            return None
        window, start = self._stream.windowed.window, self._detector.known_to
        stop = start + self._detector.frame_samples
        if stop <= window.fed_samples:
            return window.samples(start, stop)
        if self.ended and start < window.fed_samples:
            frame = np.zeros(stop - start, np.float32)
            frame[: window.fed_samples - start] = window.samples(start, window.fed_samples)
            return frame
        return None

    def judged(self, probability: float, state: object) -> None:
        """Takes the probability of speech in that frame."""
        assert self._detector is not None
        self.vad_state = state
        transition = self._detector.feed(probability)
        if self._detector.silence_from is None:
            self.speech_samples += self._detector.frame_samples
        self._tell(transition)

    def finish_judging(self) -> None:
        """Ends speech that goes on, once all audio of an ended stream was judged."""
        if self._detector is None or not self.ended or self._detector.finished:
            return
        fed = self._stream.windowed.window.fed_samples
        if self._detector.known_to >= fed:
            self._tell(self._detector.finish(fed))

    def quiet(self, span: Span, *, in_haste: bool) -> bool | None:
        """Whether the next chunk may be passed over; None while that cannot be said.

        Args:
            span: of its window.
            in_haste: whether nobody wants to wait until it can be said.
        """
        start, end = span.chunk_start, span.chunk_end
        if any(first <= start and span.lookahead_end <= last for first, last in self._gaps):
            return True
        if self._detector is None:
            return False
        if self._detector.quiet(start, end):
            return True
        if self._detector.finished or in_haste:
            return False
        return None if self._detector.quiet_so_far(start, end) else False

    def quiet_behind(self, span: Span) -> int:
        """Samples at 16 kHz behind a chunk that are as certainly quiet as the chunk itself."""
        detector = self._detector
        if detector is None or not detector.quiet(span.chunk_start, span.chunk_end):
            return 0
        return detector.padding_samples

    def forget_before(self, decoded: int) -> None:
        """Nobody will ask about what lies before sample `decoded` any more."""
        while self._gaps and self._gaps[0][1] <= decoded:
            self._gaps.popleft()
        self.arrived_s(self.within_audio(decoded))
        if self._detector is not None:
            self._detector.forget_before(decoded)

    def arrived_s(self, position: int) -> float:
        """When the sample before `position`, at 16 kHz, was pushed, on the producer's clock."""
        return self._outlet.arrived_s(self.at_pushed_rate(position))

    def needed_samples(self) -> int:
        """Samples at the pushed rate without which nothing can happen here; at least 1."""
        window, context = self._stream.windowed.window, self._stream.context
        needed = context.samples.chunk + context.samples.right + 1 - window.buffered_samples
        needed = min(needed, seconds_to_samples(_MOST_UNHEARD_S))
        if self._detector is not None:
            ahead = self._detector.known_to + _FRAMES_TOGETHER * self._detector.frame_samples
            needed = min(needed, ahead - window.fed_samples)
        return max(1, self.at_pushed_rate(needed))

    def within_audio(self, position: int) -> int:
        """`position`, or the end of the audio where that lies before it."""
        end = self._stream.windowed.audio_end
        return position if end is None else min(position, end)

    def at_pushed_rate(self, samples: int) -> int:
        """That many samples at 16 kHz, or as little more as there can be."""
        return -(-samples * self._rate_hz // SAMPLE_RATE_HZ)

    def from_pushed_rate(self, samples: int) -> int:
        """That many samples at the pushed rate, or as little less as there can be."""
        return samples * SAMPLE_RATE_HZ // self._rate_hz

    @property
    def _rate_hz(self) -> int:
        return self._stream.context.sample_rate

    def _begin_gap(self, missing: Missing) -> None:
        self._gap_left = missing.count
        end = missing.start + missing.count
        self._gaps.append((self.from_pushed_rate(missing.start), self.from_pushed_rate(end)))
        start_s, end_s = (samples_to_seconds(at, self._rate_hz) for at in (missing.start, end))
        self._events.append(Gap(start_s, end_s))

    def _fill_gap(self, most: int) -> int:
        count = min(most, self._gap_left)
        self._stream.push(np.zeros(count, np.float32))
        self._gap_left -= count
        if self._detector is not None:
            # Judged as nothing: whether someone spoke cannot be known.
            position = max(self._detector.known_to, self._stream.windowed.window.fed_samples)
            self._tell(self._detector.skip_to(position))
            self.vad_state = None
        return count

    def _tell(self, transition: Transition | None) -> None:
        assert self._detector is not None
        if transition is not None:
            at = self.within_audio(transition.at_sample)
            transition = Transition(transition.started, at)
            self._events.append(transition.event())
        if self._endpointer is not None:
            silence_from = self._detector.silence_from
            self._endpointer.judged(
                self.within_audio(self._detector.known_to),
                None if silence_from is None else self.within_audio(silence_from),
                transition,
            )
