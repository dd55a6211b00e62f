"""Frames of one stream and their probabilities of speech in; what is speech, what is quiet, out.

Rules of this file:

1. Frames are judged in order, up to 8 in one call, and each once. In a gap no voice is found, nor
   is it quiet; but a chunk that has nothing else in its window need not be decoded.
2. Frames are judged, and speech is reported, as soon as their audio is there. What decides, about
   ends of utterances and about chunks that are passed over, is used later, in the order of the
   audio: `hear` is called between the steps. So nothing depends on how far judging ran ahead.
3. No time that is reported lies after the end of the audio.
4. Everything here belongs to the worker's thread. Positions are samples at 16 kHz.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from parakeet_streaming.engine.activity import SpeechDetector, Transition
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.spans import Span
from parakeet_streaming.engine.stream_state import Activity, ActivityState, Endpoint
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.live.gaps import Gaps
from parakeet_streaming.ports import Floats
from parakeet_streaming.results import Event

_FRAMES_TO_WAKE: Final = 2
"""Frames that voice activity waits for at least, but for one that may end an utterance; a call for
each would cost more than it is worth."""
GAP: Final = -1.0
"""Stands for the probability of what cannot be judged."""
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
        self.gaps = Gaps()
        self._stream = stream
        self._window = stream.window
        self._events = events
        self._detector = detector
        """As far as it was used."""
        self._ahead = None if detector is None else SpeechDetector.of(detector.state())
        """As far as frames were judged."""
        self._heard: deque[tuple[int, float]] = deque()
        """Where judged frames end that were not used yet, and their probabilities."""
        self._endpointer = endpointer
        if resumed is not None:
            self.vad_state, self.speech_samples = resumed.voice, resumed.speech_samples
            self.gaps = Gaps(resumed.gaps, resumed.gap_room)
            if self._ahead is not None:
                self._heard.extend(resumed.heard)
                for end, probability in self._heard:
                    _feed(self._ahead, end, probability)

    def state(self, endpoint: Endpoint | None, fed: int) -> ActivityState:
        """All that is known, as a value.

        Args:
            endpoint: one that waits for its audio.
            fed: position up to which a stream that goes on from it has audio; later gaps come
                again, as audio does.
        """
        return ActivityState(
            detector=None if self._detector is None else self._detector.state(),
            heard=tuple(self._heard),
            voice=self.vad_state,
            endpointer=None if self._endpointer is None else self._endpointer.state(),
            endpoint=endpoint,
            gaps=self.gaps.up_to(fed),
            gap_room=self.gaps.room_at(fed),
            speech_samples=self.speech_samples,
        )

    def block_to_judge(self) -> Floats | None:
        """The next frames, (K · frame_samples,) with K from 1; None where there are none."""
        detector = self._ahead
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
        assert self._ahead is not None, "a block is judged only where there is a detector"
        self.vad_state, ahead = state, self._ahead
        frame, start, count = ahead.frame_samples, ahead.known_to, len(probabilities)
        if ahead.is_steady(probabilities):
            ahead.pass_steady(count)
            end = start + count * frame
            self._heard.extend(
                zip(range(start + frame, end + 1, frame), probabilities, strict=True)
            )
            if ahead.silence_from is None:
                self.speech_samples += end - start
            return
        for probability in probabilities:
            self._take(ahead.known_to + frame, probability)
            if ahead.silence_from is None:
                self.speech_samples += frame

    def finish_judging(self) -> None:
        """Ends speech that goes on, once all audio of an ended stream was judged."""
        detector = self._ahead
        if detector is None or self._stream.audio_end is None or detector.finished:
            return
        fed = self._window.fed_samples
        if detector.known_to >= fed:
            self._report(detector.finish(fed))

    def pass_over_gap(self, *, is_over: bool) -> None:
        """All that was fed since the last frame is a gap: whether it was speech cannot be known.

        Frame by frame, as audio is judged: how much of it was fed at once depends on the load.
        `is_over`: audio follows, whose first frame begins there.
        """
        ahead, fed = self._ahead, self._window.fed_samples
        # What is fed again, of a stream that goes on, was judged before.
        if ahead is None or fed <= ahead.known_to:
            return
        self.vad_state = None
        while (end := ahead.known_to + ahead.frame_samples) <= fed:
            self._take(end, GAP)
        if is_over:
            self._take(fed, GAP)

    def hear(self, up_to: int) -> bool:
        """Uses judged frames that end at `up_to` or before it, until the endpointer has news.

        Returns:
            Whether there were any.
        """
        heard, ahead = self._heard, self._ahead
        if heard[0][0] > up_to if heard else ahead is None or not ahead.finished:
            return False
        endpointer = self._endpointer
        came = len(heard) > 1 and heard[1][0] <= up_to and self._hear_steady(up_to)
        while self.hear_next(up_to):
            came = True
            if endpointer is not None and endpointer.check() is not None:
                break
        return came

    def _hear_steady(self, up_to: int) -> bool:
        """Uses all that `hear` would use, if nothing changes by it; whether it did."""
        detector, heard, endpointer = self._detector, self._heard, self._endpointer
        assert detector is not None, "only a detector hears"
        found = [probability for end, probability in heard if end <= up_to]
        if GAP in found or not detector.is_steady(found):
            return False
        count, since = len(found), detector.silence_from
        if endpointer is not None:
            known_to = self.within_audio(detector.known_to + count * detector.frame_samples)
            if not endpointer.passes(known_to, None if since is None else self.within_audio(since)):
                return False
        detector.pass_steady(count)
        for _ in range(count):
            heard.popleft()
        return True

    def hear_next(self, up_to: int | None) -> bool:
        """Uses the next judged frame, if it ends at `up_to` or before it; whether it did."""
        detector, ahead = self._detector, self._ahead
        if detector is None or ahead is None:
            return False
        if self._heard:
            if up_to is not None and self._heard[0][0] > up_to:
                return False
            transition, endpointer = _feed(detector, *self._heard.popleft()), self._endpointer
            if transition is not None or self._stream.audio_end is not None:
                self._tell(transition)
            elif endpointer is not None:
                endpointer.judged(detector.known_to, detector.silence_from)
            return True
        if not ahead.finished or detector.finished:
            return False
        self._tell(detector.finish(self._window.fed_samples))
        return True

    def quiet(self, span: Span) -> bool | None:
        """Whether the chunk of that window may be passed over; None while that cannot be said."""
        start, end = span.chunk_start, span.chunk_end
        if self.gaps.last is not None and self.gaps.covers(start, span.lookahead_end):
            return True
        if self._detector is None:
            return False
        if self._detector.quiet(start, end):
            return True
        if self._detector.finished:
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
        # A stream that goes on without its audio needs the gaps in its left context, too.
        if self.gaps.last is not None:
            self.gaps.forget_before(min(decoded, self._window.needed_from))
        if self._detector is not None:
            self._detector.forget_before(decoded)
        if self._ahead is not None:
            self._ahead.forget_before(decoded)

    def needed_samples(self) -> int | None:
        """Samples without which nothing can be judged; None where nothing is."""
        detector = self._ahead
        if detector is None:
            return None
        frames, since = _FRAMES_TO_WAKE, detector.silence_from
        if since is not None and self._next_frame_decides(detector, since):
            frames = 1
        elif detector.activity is not Activity.QUIET:
            # In speech there is nothing to tell, and no chunk is quiet, until it can have ended.
            frames = min(max(frames, detector.frames_to_end), _FRAMES_PER_BLOCK)
        wake_at = detector.known_to + frames * detector.frame_samples
        return max(1, wake_at - self._window.fed_samples)

    def within_audio(self, position: int) -> int:
        """`position`, or the end of the audio where that lies before it."""
        end = self._stream.audio_end
        return position if end is None else min(position, end)

    def _next_frame_decides(self, detector: SpeechDetector, since: int) -> bool:
        """Whether the next frame, if it is silent, may end the utterance; `since`: of silence."""
        endpointer = self._endpointer
        if endpointer is None:
            return False
        needed = max(detector.min_silence_samples, endpointer.min_silence_samples)
        return 0 < since + needed - detector.known_to <= detector.frame_samples

    def _take(self, end: int, probability: float) -> None:
        assert self._ahead is not None, "only a detector judges"
        if end > self._ahead.known_to:
            self._heard.append((end, probability))
            self._report(_feed(self._ahead, end, probability))

    def _report(self, transition: Transition | None) -> None:
        if transition is not None:
            at = self.within_audio(transition.at_sample)
            self._events.append(Transition(transition.started, at).event())

    def _tell(self, transition: Transition | None) -> None:
        """Tells the endpointer what the last frame that was used has come to."""
        detector, endpointer = self._detector, self._endpointer
        if endpointer is None:
            return
        assert detector is not None, "only a detector makes transitions"
        if transition is not None:
            at = self.within_audio(transition.at_sample)
            transition = Transition(transition.started, at)
        silence_from = detector.silence_from
        endpointer.judged(
            self.within_audio(detector.known_to),
            None if silence_from is None else self.within_audio(silence_from),
            transition,
        )


def _feed(detector: SpeechDetector, end: int, probability: float) -> Transition | None:
    return detector.skip_to(end) if probability == GAP else detector.feed(probability)
