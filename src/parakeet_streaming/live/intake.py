"""Audio of one stream from its queue in; the window fed, and what is speech and what is quiet, out.

Rules of this file:

1. A gap is silence of its length, so all times after it stay true. No voice is found in it, nor is
   it quiet; but a chunk that has nothing else in its window need not be decoded.
2. Audio before a gap is judged before the gap is taken.
3. Half a second of silence follows live audio, and no time counts it: these models may keep their
   last word until they decode that nothing follows. Nothing follows a recording, as in
   `Recognizer.stream`.
4. Everything here belongs to the worker's thread. Positions are samples at 16 kHz.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from parakeet_streaming.engine.activity import SpeechDetector, Transition
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.stream_state import ActivityState
from parakeet_streaming.engine.window import Span
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.live.audio_queue import AudioQueueReader, Missing
from parakeet_streaming.ports import Floats
from parakeet_streaming.results import Event, Gap
from parakeet_streaming.timeline import (
    ContextConfig,
    milliseconds_to_samples,
    samples_to_seconds,
    seconds_to_samples,
)

TAIL_S: Final = 0.5
_SLACK_S: Final = 0.5
"""Taken beyond a window and a chunk, so that voice activity can run ahead of decoding."""
_MOST_WAITING_S: Final = 2.0
"""Taken at least so often, so that rings stay small."""
_FRAMES_TO_WAKE: Final = 2
"""Frames that voice activity waits for; a call for each would cost more than it is worth."""
_FRAMES_PER_BLOCK: Final = 8
"""Frames that are judged in one call at most."""


class Intake:
    """Where the audio of one stream comes in."""

    def __init__(
        self,
        stream: WindowedStream,
        queue: AudioQueueReader,
        events: list[Event],
        detector: SpeechDetector | None = None,
        endpointer: Endpointer | None = None,
        *,
        tail_s: float = TAIL_S,
    ) -> None:
        """`events`: where gaps and speech are reported; `endpointer` is given what is judged.

        Args:
            stream: is fed.
            queue: where its audio comes from.
            events: where gaps and speech are reported.
            detector: judges speech; None to judge nothing.
            endpointer: is given what the detector finds.
            tail_s: seconds of silence to decode after the audio.
        """
        self.vad_state: object | None = None
        """What the network knows of the last frame; None where it begins, or begins anew."""
        self.speech_samples = 0
        """In which voice was found."""
        self.ended = False
        """Whether the stream knows that no more audio will come."""
        self.gaps: deque[tuple[int, int]] = deque()
        """Start and end of gaps that a window to come can reach."""
        self._stream = stream
        self._window = stream.window
        self._lengths = stream.options.context.samples
        self._queue = queue
        self._events = events
        self._detector = detector
        self._endpointer = endpointer
        self._gap_left = 0
        self._tail_s = tail_s
        padding_ms = 0.0 if detector is None else detector.options.prefix_padding_ms
        self._slack = seconds_to_samples(_SLACK_S) + milliseconds_to_samples(padding_ms)

    @property
    def backlog_s(self) -> float:
        """Seconds of audio that were received and not decoded as chunk yet. Any thread may ask."""
        waiting = self._queue.waiting + self._gap_left
        return samples_to_seconds(waiting + self._window.buffered_samples)

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
        self._lengths = context.samples

    def resume(self, state: ActivityState) -> None:
        """Goes on where a stream stopped that knew this."""
        self.vad_state, self.speech_samples = state.voice, state.speech_samples
        self.gaps = deque(state.gaps)
        fed = self._window.fed_samples
        if self.gaps and self.gaps[-1][0] <= fed:
            self._gap_left = max(0, self.gaps[-1][1] - fed)

    def take(self) -> bool:
        """Moves audio from the queue into the stream; whether any came.

        It is a window, a chunk and a little at most: more would only be copied about while it waits
        for its steps.
        """
        room = most = self._room()
        while most > 0:
            if self._gap_left and self.block_to_judge() is not None:
                break
            if self._gap_left:
                most -= self._fill_gap(most)
                continue
            piece = self._queue.take(most)
            if piece is None:
                break
            if isinstance(piece, Missing):
                self._begin_gap(piece)
            else:
                self._window.feed(piece)
                most -= int(piece.shape[0])
        return most < room

    def end(self) -> None:
        """Ends the stream: no more audio will come."""
        self.ended = True
        self._stream.end(self._tail_s)

    def block_to_judge(self) -> Floats | None:
        """The next frames for voice activity, (K · frame_samples,), K from 1."""
        detector = self._detector
        if detector is None or detector.finished:
            return None
        start, frame, fed = detector.known_to, detector.frame_samples, self._window.fed_samples
        frames = min((fed - start) // frame, _FRAMES_PER_BLOCK)
        if frames > 0:
            return self._window.samples(start, start + frames * frame)
        if self.ended and start < fed:
            last = np.zeros(frame, np.float32)
            last[: fed - start] = self._window.samples(start, fed)
            return last
        return None

    def judged(self, probabilities: Sequence[float], state: object) -> None:
        """Takes the probabilities of speech in the frames of that block."""
        assert self._detector is not None, "a block is judged only where there is a detector"
        self.vad_state = state
        for probability in probabilities:
            transition = self._detector.feed(probability)
            if self._detector.silence_from is None:
                self.speech_samples += self._detector.frame_samples
            self._report(transition)

    def finish_judging(self) -> None:
        """Ends speech that goes on, once all audio of an ended stream was judged."""
        if self._detector is None or not self.ended or self._detector.finished:
            return
        fed = self._window.fed_samples
        if self._detector.known_to >= fed:
            self._report(self._detector.finish(fed))

    def quiet(self, span: Span, *, in_haste: bool) -> bool | None:
        """Whether the next chunk may be passed over; None while that cannot be said.

        Args:
            span: of its window.
            in_haste: whether an endpoint cannot wait until it can be said.
        """
        start, end = span.chunk_start, span.chunk_end
        if any(first <= start and span.lookahead_end <= last for first, last in self.gaps):
            return True
        if self._detector is None:
            return False
        if self._detector.quiet(start, end):
            return True
        if self._detector.finished or in_haste:
            return False
        return None if self._detector.quiet_so_far(start, end) else False

    def quiet_after(self, span: Span) -> int:
        """Samples after a chunk that are as certainly quiet as the chunk itself."""
        detector = self._detector
        if detector is None or not detector.quiet(span.chunk_start, span.chunk_end):
            return 0
        return detector.padding_samples

    def forget_before(self, decoded: int) -> None:
        """What lies before sample `decoded` will not be asked for any more."""
        while self.gaps and self.gaps[0][1] <= decoded:
            self.gaps.popleft()
        self.arrived_s(self.within_audio(decoded))
        if self._detector is not None:
            self._detector.forget_before(decoded)

    def arrived_s(self, position: int) -> float:
        """When the sample before `position` was received, on the producer's clock."""
        return self._queue.arrived_s(position)

    def needed_samples(self) -> int | None:
        """Samples without which nothing can happen here; None if none that come matter yet."""
        if self._room() <= 0:
            return None
        fed, lengths = self._window.fed_samples, self._lengths
        needed: list[int] = []
        missing = lengths.chunk + lengths.right + 1 - self._window.buffered_samples
        if missing > 0:
            needed = [missing, seconds_to_samples(_MOST_WAITING_S)]
        if self._detector is not None:
            frames = _FRAMES_TO_WAKE * self._detector.frame_samples
            needed.append(max(1, self._detector.known_to + frames - fed))
        return min(needed, default=None)

    @property
    def fills_a_gap(self) -> bool:
        """Whether more of a gap can be taken at once."""
        return self._gap_left > 0 and self._room() > 0

    def within_audio(self, position: int) -> int:
        """`position`, or the end of the audio where that lies before it."""
        end = self._stream.audio_end
        return position if end is None else min(position, end)

    def _room(self) -> int:
        """Samples that the stream can take before its next step."""
        lengths = self._lengths
        enough = lengths.window + lengths.chunk + self._slack
        return max(0, enough - self._window.buffered_samples)

    def _begin_gap(self, missing: Missing) -> None:
        self._gap_left = missing.count
        end = missing.start + missing.count
        self.gaps.append((missing.start, end))
        self._events.append(Gap(samples_to_seconds(missing.start), samples_to_seconds(end)))

    def _fill_gap(self, most: int) -> int:
        count = min(most, self._gap_left)
        self._window.feed(np.zeros(count, np.float32))
        self._gap_left -= count
        if self._detector is not None:
            # Judged as nothing: whether someone spoke cannot be known.
            position = max(self._detector.known_to, self._window.fed_samples)
            self._report(self._detector.skip_to(position))
            self.vad_state = None
        return count

    def _report(self, transition: Transition | None) -> None:
        assert self._detector is not None, "only a detector makes transitions"
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
