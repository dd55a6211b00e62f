"""Where one stream's speech and text are in; when an utterance ends, and why, out.

Rules of this file:

1. Positions are samples of the stream at 16 kHz. There is no clock: a stream that is not fed does
   not end by itself.
2. What is known must be given in the order of the audio: a frame's judgement before the step whose
   last sample comes after it. Then the ends depend on the audio alone.
3. Silence ends an utterance only where both agree: the detector hears no voice, and the decoder,
   after all the speech, has emitted nothing since. Each alone errs: the detector in noise and
   soft voices, the decoder where it stalls. Tentative text counts as text; a mark that closes a
   sentence does not, because marks come late.
4. As soon as the detector has heard enough silence, the end is named, even where the decoder has
   not come so far: `check` names what to decode, and `confirms` says whether the decoder agrees.
5. Where there is no detector, or it found no speech in the utterance, blanks alone decide, and must
   last longer. They are looked for between tokens, too. An utterance begins with its first speech
   or its first token: silence before it neither ends it nor makes it long.
6. An utterance that grows too long ends before its last word, which may go on; or after it, where
   blanks follow it, or where it is the only one.
7. `Final` is reported for an end by silence or length only if there is text: a cough is none.
   An end that was asked for (commit, end of stream) is always answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from parakeet_streaming.engine.activity import Transition
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.stream_state import Endpoint, EndpointerState
from parakeet_streaming.engine.utterance import Utterance, end_of
from parakeet_streaming.engine.words import is_closing_mark
from parakeet_streaming.results import Token
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    frames_to_samples,
    milliseconds_to_samples,
    seconds_to_samples,
)


class Endpointer:
    """When one stream's utterances end. Not thread-safe.

    Give it what the detector knows (`judged`) and what was decoded (`decoded`), ask it (`check`).
    When it answers, commit the audio that it names, give it what that decoded, and ask whether it
    `confirms` the end. If so, `close` the utterance.
    """

    def __init__(self, options: EndpointOptions | None = None) -> None:
        self.options = options or EndpointOptions()
        self._min_silence = milliseconds_to_samples(self.options.min_silence_ms)
        self._min_blank = milliseconds_to_samples(self.options.min_blank_ms)
        self._blank_only = milliseconds_to_samples(self.options.blank_only_ms)
        self._max_length = seconds_to_samples(self.options.max_utterance_s)
        # What holds for the stream.
        self._known_to = 0
        self._silence_from: int | None = 0
        self._speaking = False
        self._committed_to = 0
        self._decoded_to = 0
        # What holds for the utterance.
        self._said = Utterance()
        self._tentative_to: int | None = None
        self._tentative_end: int | None = None

    def state(self) -> EndpointerState:
        """What it knows now, as a value."""
        heard = (self._known_to, self._silence_from, self._speaking)
        decoded = (self._committed_to, self._decoded_to, self._said)
        tentative = (self._tentative_to, self._tentative_end)
        return EndpointerState(self.options, *heard, *decoded, *tentative)

    @classmethod
    def of(cls, state: EndpointerState) -> Self:
        """The endpointer that a state was taken of."""
        endpointer = cls(state.options)
        endpointer._known_to, endpointer._silence_from = state.known_to, state.silence_from
        endpointer._speaking, endpointer._said = state.speaking, state.said
        endpointer._committed_to, endpointer._decoded_to = state.committed_to, state.decoded_to
        endpointer._tentative_to = state.tentative_to
        endpointer._tentative_end = state.tentative_end
        return endpointer

    @property
    def min_silence_samples(self) -> int:
        """Without voice, before silence ends an utterance."""
        return self._min_silence

    @property
    def has_text(self) -> bool:
        """Whether the utterance has committed text, and not only marks."""
        return self._said.has_text

    def judged(
        self, known_to: int, silence_from: int | None, transition: Transition | None = None
    ) -> None:
        """Takes what the detector knows; never called where there is none.

        Args:
            known_to: `SpeechDetector.known_to`.
            silence_from: `SpeechDetector.silence_from`.
            transition: what `SpeechDetector.feed` gave; every one that is not None must be given.
        """
        self._known_to, self._silence_from = known_to, silence_from
        if transition is not None:
            self._speaking = transition.started
            if transition.started:
                self._said = self._said.speech(transition.at_sample)

    def passes(self, known_to: int, silence_from: int | None) -> bool:
        """Takes what the detector knows as `judged` does, unless the utterance would end by that.

        What would end it, at this position or at an earlier one since the same silence began, must
        be given frame by frame.

        Returns:
            Whether it was taken.
        """
        before = self._known_to, self._silence_from
        self._known_to, self._silence_from = known_to, silence_from
        # With the same silence, an end that has come does not go away as time goes on.
        if self.check() is None:
            return True
        self._known_to, self._silence_from = before
        return False

    def decoded(
        self,
        committed_to: int,
        decoded_to: int,
        tokens: Sequence[Token] = (),
        tentative: Sequence[Token] = (),
    ) -> None:
        """Takes what a step, or a chunk that was passed over as quiet, has come to.

        Args:
            committed_to: samples committed so far.
            decoded_to: samples decoded so far, tentative text included.
            tokens: that the step committed.
            tentative: all that is tentative now.
        """
        self._committed_to, self._decoded_to = committed_to, max(committed_to, decoded_to)
        if not (tokens or tentative):
            self._tentative_to = self._tentative_end = None
            return
        for token in tokens:
            self._said = self._said.token(token, self._blank_only, self._needed_blank)
        for token in tentative[:1]:
            self._said = self._said.begun(frames_to_samples(token.start_frame))
        ends = [end_of(token) for token in tentative if not is_closing_mark(token.text)]
        self._tentative_to = ends[-1] if ends else None
        self._tentative_end = end_of(tentative[-1]) if tentative else None

    def check(self) -> Endpoint | None:
        """The end of the utterance, if it seems to have come. Asking changes nothing."""
        said = self._said
        if said.begin is None:
            return None
        if said.pauses:
            pause = said.pauses[0]
            return Endpoint("silence", pause.shown_at, left=said.tokens - pause.tokens)
        if self._silent():
            return Endpoint("silence", self._enough(), max(self._known_to, self._decoded_to))
        if self._committed_to - said.begin >= self._max_length:
            return self._cut()
        return None

    def confirms(self, endpoint: Endpoint) -> bool:
        """Whether it has come, now that what it names is committed."""
        if endpoint.reason != "silence" or endpoint.left:
            return True
        spoken_to = (self._silence_from or 0) if self._said.spoken else 0
        return self._decoded_to >= max(spoken_to, self._last_sound() + self._needed_blank)

    def close(self, endpoint: Endpoint) -> bool:
        """Ends the utterance; whether its `Final` is to be reported."""
        said = self._said
        if endpoint.left:
            tokens = said.tokens - endpoint.left
            self._said = said.without(tokens, self._silence_from)
            return tokens > 0
        self._said = Utterance(endpoint.commit_to if self._speaking else None, self._speaking)
        self._tentative_to = self._tentative_end = None
        return said.has_text or endpoint.reason in ("commit", "end")

    @property
    def _needed_blank(self) -> int:
        """Samples without a token that confirm silence."""
        spoken = self._said.spoken
        return self._min_blank if spoken else min(self._min_blank, self._blank_only)

    def _silent(self) -> bool:
        if self._speaking or self._silence_from is None:
            return False
        if not self._said.spoken:
            return self._decoded_to - self._last_sound() >= self._blank_only
        if self._known_to - self._silence_from < self._min_silence:
            return False
        # What is decoded for it is whole frames.
        frames = (self._known_to - self._committed_to) // FRAME_SAMPLES
        reach = max(self._decoded_to, self._committed_to + frames_to_samples(frames))
        needed = max(self._silence_from, self._last_sound() + self._min_blank)
        return reach >= needed

    def _last_sound(self) -> int:
        """The end of the last token; where there is none, the end of the speech."""
        said = self._said
        return max(said.text_to or 0, self._tentative_to or 0) or self._silence_from or 0

    def _enough(self) -> int:
        """Far enough that committed audio shows the blanks itself, and marks after the text."""
        shown = max(self._last_sound(), self._silence_from or 0) + self._min_blank
        seen_to = max(self._decoded_to, self._known_to if self._said.spoken else 0)
        needed = max(shown, self._tentative_end or 0)
        return max(self._committed_to, min(needed, seen_to))

    def _cut(self) -> Endpoint:
        """The end of an utterance that has become too long."""
        said = self._said
        goes_on = self._decoded_to - self._last_sound() < self._blank_only
        if goes_on and said.last_word_at is not None and said.last_word_at > (said.begin or 0):
            left = said.tokens - said.last_word
            return Endpoint("max_length", said.last_word_at, left=left)
        return Endpoint("max_length", self._committed_to)
