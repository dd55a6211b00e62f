"""Frames of one stream and their probabilities of speech in; what is speech, what is quiet, out.

Rules of this file:

1. Frames are judged in order, up to 8 in one call, and each once. In a gap no voice is found, nor
   is it quiet; but a chunk that has nothing else in its window need not be decoded.
2. No time that is reported lies after the end of the audio.
3. Everything here belongs to the worker's thread. Positions are samples at 16 kHz.
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
from parakeet_streaming.ports import Floats
from parakeet_streaming.results import Event

_FRAMES_TO_WAKE: Final = 2
"""Frames that voice activity waits for; a call for each would cost more than it is worth."""
_FRAMES_PER_BLOCK: Final = 8
"""Frames that are judged in one call at most."""


class StreamSpeech:
    """Where one stream's speech is, for those who may ask: the endpointer, and the driver."""

    def __init__(
        self,
        stream: WindowedStream,
        events: list[Event],
        detector: SpeechDetector | None = None,
        endpointer: Endpointer | None = None,
        resumed: ActivityState | None = None,
    ) -> None:
        """Judges what is in the stream's window.

        Args:
            stream: the one whose audio is judged.
            events: where speech is reported.
            detector: None to judge nothing.
            endpointer: is given what the detector finds.
            resumed: what was known of a stream that goes on.
        """
        self.vad_state: object | None = None
        """What the network knows of the last frame; None where it begins, or begins anew."""
        self.speech_samples = 0
        """In which voice was found."""
        self.gaps: deque[tuple[int, int]] = deque()
        """Start and end of gaps that a window to come can reach."""
        self._stream = stream
        self._window = stream.window
        self._events = events
        self._detector = detector
        self._endpointer = endpointer
        if resumed is not None:
            self.vad_state, self.speech_samples = resumed.voice, resumed.speech_samples
            self.gaps.extend(resumed.gaps)

    def block_to_judge(self) -> Floats | None:
        """The next frames, (K · frame_samples,) with K from 1; None where there are none."""
        detector = self._detector
        if detector is None or detector.finished:
            return None
        start, frame, fed = detector.known_to, detector.frame_samples, self._window.fed_samples
        frames = min((fed - start) // frame, _FRAMES_PER_BLOCK)
        if frames > 0:
            return self._window.samples(start, start + frames * frame)
        if self._stream.audio_end is not None and start < fed:
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
        detector = self._detector
        if detector is None or self._stream.audio_end is None or detector.finished:
            return
        fed = self._window.fed_samples
        if detector.known_to >= fed:
            self._report(detector.finish(fed))

    def pass_over_gap(self) -> None:
        """All that was fed since the last frame is a gap: whether it was speech cannot be known."""
        if self._detector is not None:
            position = max(self._detector.known_to, self._window.fed_samples)
            self._report(self._detector.skip_to(position))
            self.vad_state = None

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
        if self._detector is not None:
            self._detector.forget_before(decoded)

    def needed_samples(self) -> int | None:
        """Samples without which nothing can be judged; None where nothing is."""
        detector = self._detector
        if detector is None:
            return None
        frames = _FRAMES_TO_WAKE * detector.frame_samples
        return max(1, detector.known_to + frames - self._window.fed_samples)

    def within_audio(self, position: int) -> int:
        """`position`, or the end of the audio where that lies before it."""
        end = self._stream.audio_end
        return position if end is None else min(position, end)

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
