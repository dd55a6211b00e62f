"""Speech and tokens in, as they become known; what the present utterance consists of, out.

Rules of this file:

1. An utterance is a value: each method gives the next one. Positions are samples at 16 kHz.
2. A mark that closes a sentence is no text of its own: marks come late, some when the utterance
   that they belong to has ended.
3. A long time without a token is a pause, also where more was decoded after it in the same step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from parakeet_streaming.engine.words import begins_word, ends_word, is_closing_mark
from parakeet_streaming.frozen import made_quickly
from parakeet_streaming.results import Token
from parakeet_streaming.timeline import frames_to_samples


@dataclass(frozen=True, slots=True)
class Pause:
    """Where an utterance is known to end, though more was decoded after it."""

    tokens: int
    """Tokens of the utterance before it."""
    shown_at: int
    """Sample at which the blanks were long enough."""
    next_at: int
    """Sample at which the next token begins."""


@made_quickly
@dataclass(frozen=True, slots=True)
class Utterance:
    """What was heard of an utterance so far."""

    begin: int | None = None
    """Sample of its first speech or token; None until it begins."""
    spoken: bool = False
    """Whether the detector found speech in it."""
    tokens: int = 0
    """Tokens that were committed."""
    text_to: int | None = None
    """Sample at which its text ends, marks left out; None while it has none."""
    last_word: int = 0
    """Tokens before its last word."""
    last_word_at: int | None = None
    """Sample at which the last word begins."""
    word_ended: bool = False
    """Whether the last word is over, as its own text says."""
    pauses: tuple[Pause, ...] = ()

    @property
    def has_text(self) -> bool:
        """Whether it has committed text, and not only marks."""
        return self.text_to is not None

    def begun(self, position: int) -> Utterance:
        """With something heard at `position`."""
        if self.begin is not None and self.begin <= position:
            return self
        return replace(self, begin=position)

    def speech(self, position: int) -> Utterance:
        """With speech that began at `position`."""
        return replace(self.begun(position), spoken=True)

    def token(self, token: Token, pause: int, blank: int) -> Utterance:
        """With one more committed token.

        Args:
            token: the next one.
            pause: samples without a token that end an utterance without speech.
            blank: samples of them that show it.
        """
        start = frames_to_samples(token.start_frame)
        said = self.begun(start)
        if is_closing_mark(token.text):
            return replace(said, tokens=said.tokens + 1)
        begins = begins_word(token.text) or said.word_ended or said.last_word_at is None
        before, pauses = said.text_to, said.pauses
        if not said.spoken and begins and before is not None and start - before >= pause:
            pauses = (*pauses, Pause(said.tokens, before + blank, start))
        return Utterance(
            begin=said.begin,
            spoken=said.spoken,
            tokens=said.tokens + 1,
            text_to=end_of(token),
            last_word=said.tokens if begins else said.last_word,
            last_word_at=start if begins else said.last_word_at,
            word_ended=ends_word(token.text),
            pauses=pauses,
        )

    def without(self, tokens: int, silence_from: int | None) -> Utterance:
        """The next utterance, where its first `tokens` are one of their own; some must be left.

        Args:
            tokens: how many, up to a pause or to the last word.
            silence_from: sample since which the detector has heard no voice; None while it does.
        """
        passed = [pause for pause in self.pauses if pause.tokens <= tokens]
        begin = passed[-1].next_at if passed else self.last_word_at
        assert begin is not None, "an utterance is divided where a word begins"
        later = self.pauses[len(passed) :]
        return replace(
            self,
            begin=begin,
            spoken=self.spoken and (silence_from is None or silence_from > begin),
            tokens=self.tokens - tokens,
            last_word=self.last_word - tokens,
            pauses=tuple(replace(each, tokens=each.tokens - tokens) for each in later),
        )


def end_of(token: Token) -> int:
    """The end of the frame that emitted it: what its duration skips was decoded without a token."""
    return frames_to_samples(token.start_frame + 1)
