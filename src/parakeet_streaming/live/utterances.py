"""What was decoded, what was heard, and commits of one stream in; the ends of its utterances out.

Rules of this file:

1. An utterance ends when the audio that its endpoint names is committed, not before, and only if
   the decoder has not found more text there.
2. A commit is at a position of the audio and comes in its order: after the steps that needed no
   more than that, before the others. It decodes what the end of the stream would decode there, and
   what follows begins anew.
3. Everything here belongs to the worker's thread, but for `commit`. Positions are samples at
   16 kHz.
"""

from __future__ import annotations

from collections import deque
from typing import Final as Constant

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.spans import Span
from parakeet_streaming.engine.stream_state import Endpoint
from parakeet_streaming.engine.utterance import end_of
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.live.intake import Intake
from parakeet_streaming.results import Final
from parakeet_streaming.timeline import milliseconds_to_samples

_SHOWN: Constant = milliseconds_to_samples(EndpointOptions().min_blank_ms)
"""Samples without speech and without a token that show, at a commit, that the text is complete."""


class Utterances:
    """Where the utterances of one stream end."""

    def __init__(
        self,
        stream: WindowedStream,
        intake: Intake,
        detector: SpeechDetector | None,
        endpointer: Endpointer | None,
        endpoint: Endpoint | None,
        *,
        tail_s: float,
    ) -> None:
        """Ends utterances.

        Args:
            stream: the one whose utterances end.
            intake: where its audio comes in.
            detector: where its speech is; None where nothing is judged.
            endpointer: None for ends by commits alone.
            endpoint: the one that waits for its audio, of a stream that goes on.
            tail_s: seconds of silence that a commit decodes after the audio.
        """
        self.endpoint = endpoint
        """The end that waits for its audio to be committed."""
        self._stream = stream
        self._window = stream.window
        self._intake = intake
        self._detector = detector
        self._endpointer = endpointer
        self._tail_s = tail_s
        self.commits: deque[int] = deque()
        """Positions of those that wait, in their order."""

    def commit(self, position: int) -> None:
        """Wants the text up to that position now. Any thread."""
        self.commits.append(position)

    @property
    def come_first(self) -> bool:
        """Whether an end was asked for or found that comes before the end of the stream.

        None does whose audio was taken before the stream was restored, and is not sent again.
        """
        waiting = self.endpoint is not None or bool(self.commits)
        return waiting and self._window.fed_samples >= self._window.asked_to

    @property
    def is_cutting(self) -> bool:
        """Whether a commit has begun and its utterance has not ended."""
        commits = self.endpoint is not None and self.endpoint.reason == "commit"
        return commits or self._window.cut_at is not None

    @property
    def next_commit(self) -> int | None:
        """Position of the next commit, if its audio is there."""
        commits = self.commits
        return commits[0] if commits and commits[0] <= self._intake.taken else None

    def look(self) -> Endpoint | None:
        """The end that waits for its audio, or has just been found."""
        endpoint, endpointer = self.endpoint, self._endpointer
        if endpoint is None and endpointer is not None:
            self.endpoint = endpoint = endpointer.check()
            if endpoint is not None:
                self._window.flush(endpoint.commit_to, endpoint.seen_to)
        return endpoint

    def before_commit(self, position: int) -> int:
        """`position`, or that of the next commit where that comes first."""
        return min(position, self.commits[0]) if self.commits else position

    def commit_comes_before(self, span: Span | None) -> bool:
        """Whether the next commit comes before the step of that window."""
        commit = self.next_commit if self.commits else None
        return commit is not None and (span is None or commit < span.needed_to)

    def begin_commit(self) -> None:
        """Makes the next commit the end that waits."""
        asked = max(self.commits.popleft(), self._window.decoded_samples)
        self.endpoint = Endpoint("commit", asked, asked)
        self._stream.end(self._tail_s, at=asked)

    def settled_to(self, span: Span) -> int | None:
        """Position up to which nothing is left to decode but silence; None where the window of
        `span` must be.

        What is tentative was decoded with enough silence after it, so it is the text.
        """
        endpoint, read_to = self.endpoint, self._stream.read_to
        if endpoint is not None and endpoint.reason != "commit":
            # A cached stream would have to encode its left context again when somebody speaks.
            may = self._stream.past is None and not endpoint.left
            shown = may and endpoint.commit_to <= read_to
            ends = self._endpointer
            return read_to if shown and (ends is None or ends.confirms(endpoint)) else None
        cut_at = self._window.cut_at
        end = self._stream.audio_end if cut_at is None else cut_at
        if end is None or not read_to <= end < span.needed_to:
            return None
        last, shown_from = self._stream.last_token, read_to - _SHOWN
        if last is not None and end_of(last) > shown_from:
            return None
        if self._detector is None or not self._detector.silent(shown_from, end):
            return None
        return self._window.fed_samples if cut_at is None else cut_at

    def close(self) -> tuple[Final, ...]:
        """Ends the utterance, now that what its endpoint names is committed; what to report."""
        endpoint, self.endpoint = self.endpoint, None
        assert endpoint is not None, "only an endpoint ends an utterance"
        ends = self._endpointer
        if ends is not None and not (ends.confirms(endpoint) and ends.close(endpoint)):
            return ()
        position = endpoint.commit_to if endpoint.left else None
        return (self._stream.end_utterance(endpoint.reason, position, endpoint.left),)
