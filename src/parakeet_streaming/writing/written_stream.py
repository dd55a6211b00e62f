"""One stream's tokens, events and transcript in; the same with the text that is written out.

```python
text = WrittenStream(WritingOptions(numbers="digits"))
for event in text.take(stream_event): ...    # a Partial, a Final; others as they are
transcript = text.whole(stream.transcript())
```

Rules of this file:

1. Committed text is append-only: a word whose writing depends on words to come is tentative until
   they are there, or its utterance has ended. So is the last word, which may go on.
2. However the tokens come, what is written is the same: that of the whole utterance.
3. Nothing joins the end of an utterance and the beginning of the next one.
4. Words that an utterance leaves to the next one belong there. Where they were committed with words
   of this one, as one number, all of it belongs there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

from parakeet_streaming.engine.words import group_segments, group_words, text_of
from parakeet_streaming.results import Event, Final, Partial, Segment, Token, Transcript, Word
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.written_tokens import (
    WrittenToken,
    after_letters,
    letters,
    written_tokens,
)


class WrittenStream:
    """What one stream's text is written as."""

    def __init__(self, options: WritingOptions) -> None:
        self._is_plain = options.is_plain
        self._rules = options.rules()
        self._pending: list[Token] = []
        """Committed, and not sure."""
        self._done: list[WrittenToken] = []
        """Sure, of utterances that have not ended."""
        self._done_letters = 0
        """Letters of the present utterance that were spoken for these."""
        self._ended_letters = 0
        """Letters of all utterances that have ended."""
        self._cuts: list[int] = []
        """Letters of the stream after which writing began anew."""

    def feed(self, tokens: Iterable[Token]) -> tuple[Token, ...]:
        """Takes committed tokens; those that are sure."""
        if self._is_plain:
            return tuple(tokens)
        written, self._pending = written_tokens((*self._pending, *tokens), self._rules, ended=False)
        self._done += written
        self._done_letters += sum(count for _, count in written)
        return tuple(token for token, _ in written)

    def tentative(self, tokens: Iterable[Token]) -> tuple[Token, ...]:
        """What is not sure, before these tokens that are tentative themselves."""
        written, _ = written_tokens((*self._pending, *tokens), self._rules, ended=True)
        return tuple(token for token, _ in written)

    def end(self, transcript: Transcript) -> tuple[tuple[Token, ...], Transcript]:
        """Takes the end of an utterance: its tokens that were not sure, and its transcript."""
        if self._is_plain:
            return (), transcript
        count = sum(letters(token.text) for token in transcript.tokens)
        rest: list[WrittenToken] = []
        if self._done_letters <= count:
            unsaid = after_letters(transcript.tokens, self._done_letters)
            rest, _ = written_tokens(unsaid, self._rules, ended=True)
            said, left = [*self._done, *rest], list[WrittenToken]()
            self._pending = list(after_letters(self._pending, count - self._done_letters))
            self._done_letters = 0
            self._cuts.append(self._ended_letters + count)
        else:
            said, left = _divided(self._done, count)
            self._done_letters -= count
        self._done = left
        self._ended_letters += count
        written = _transcript(transcript, [[token for token, _ in said]])
        return tuple(token for token, _ in rest), written

    def take(self, event: Event) -> tuple[Event, ...]:
        """The events that stand for an event of the stream."""
        if self._is_plain:
            return (event,)
        if isinstance(event, Partial):
            sure, tentative = self.feed(event.tokens), self.tentative(event.tentative)
            # A server's text may come without tokens.
            untimed = "" if event.tentative else event.tentative_text
            written = replace(
                event,
                text=text_of(sure),
                tokens=sure,
                tentative_text=text_of(tentative) + untimed,
                tentative=tentative,
            )
            return (written,)
        if isinstance(event, Final):
            rest, transcript = self.end(event.transcript)
            final = replace(event, transcript=transcript)
            if not rest:
                return (final,)
            end_s = transcript.audio_s
            return (Partial(text_of(rest), rest, "", (), end_s, end_s), final)
        return (event,)

    def whole(self, transcript: Transcript) -> Transcript:
        """The transcript of the whole stream, as it was told utterance by utterance."""
        if self._is_plain:
            return transcript
        said: list[list[Token]] = []
        for utterance in _cut(transcript.tokens, self._cuts):
            written, _ = written_tokens(utterance, self._rules, ended=True)
            said.append([token for token, _ in written])
        return _transcript(transcript, said)


def written(transcript: Transcript, options: WritingOptions) -> Transcript:
    """The transcript, with its text as the options have it written."""
    return WrittenStream(options).whole(transcript)


def _divided(
    done: Sequence[WrittenToken], count: int
) -> tuple[list[WrittenToken], list[WrittenToken]]:
    """Tokens of the first letters, and those that go beyond them."""
    position = 0
    for number, (_, own) in enumerate(done):
        position += own
        if position > count:
            return list(done[:number]), list(done[number:])
    return list(done), []


def _cut(tokens: Iterable[Token], cuts: Sequence[int]) -> list[list[Token]]:
    """Tokens in stretches that end after so many letters of all."""
    stretches, position, ends = [list[Token]()], 0, iter(cuts)
    end = next(ends, None)
    for token in tokens:
        while end is not None and position >= end:
            stretches.append([])
            end = next(ends, None)
        stretches[-1].append(token)
        position += letters(token.text)
    return stretches


def _transcript(spoken: Transcript, utterances: Iterable[Sequence[Token]]) -> Transcript:
    tokens: list[Token] = []
    words: list[Word] = []
    known = {(word.text, word.start): word for word in spoken.words}
    for said in utterances:
        tokens += said
        words += (known.get((word.text, word.start), word) for word in group_words(said))
    is_plain = not any(token.spoken for token in tokens)
    if is_plain and letters(text_of(tokens)) == letters(spoken.text):
        return spoken
    return replace(
        spoken,
        text=text_of(tokens).strip(),
        tokens=tuple(tokens),
        words=tuple(words),
        segments=_segments(spoken.segments, words),
    )


def _segments(spoken: Sequence[Segment], words: Sequence[Word]) -> tuple[Segment, ...]:
    """The same segments, of other words: each is in the one that began last."""
    if not spoken:
        return group_segments(words)
    begins = [segment.start for segment in spoken]
    found: list[list[Word]] = [[] for _ in spoken]
    at = 0
    for word in words:
        at = max(at, bisect_right(begins, word.start) - 1)
        found[at].append(word)
    return tuple(
        Segment(" ".join(word.text for word in said), said[0].start, said[-1].end, tuple(said))
        for said in found
        if said
    )
