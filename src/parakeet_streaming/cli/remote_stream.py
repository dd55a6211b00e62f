"""Samples in, events out, as a stream of this program's engine has it; a server recognises.

Rules of this file:

1. `push` never waits: a thread sends what was pushed. What has no room while the server or the
   network is slow is lost, and the server is told, so that later times stay true.
2. What the server has told is kept. If it is gone, what it had committed ends as an utterance, and
   `failure` has the reason.
3. While nothing is pushed, the server is told that this side is still there.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.channels import ChannelEvent, ChannelTranscript, SeparateTranscript
from parakeet_streaming.cli.display import Told
from parakeet_streaming.client import client, events
from parakeet_streaming.engine.words import group_segments, group_words
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.results import (
    ContextChanged,
    Event,
    Gap,
    HealthHint,
    Partial,
    SpeechEnded,
    SpeechStarted,
    Token,
    Transcript,
    Word,
)
from parakeet_streaming.results import Final as FinalEvent
from parakeet_streaming.timeline import samples_to_seconds, seconds_to_samples

_MOST_UNSENT_S: Final = 30.0
"""Sound that may wait for the network."""
_MOST_AHEAD_S: Final = 2.0
"""Sound that may wait where its source can wait, too."""
_SENDER_ENDS_S: Final = 2.0
_RESUMED: Final = {
    "exact": "connected again; nothing is lost",
    "warm": "connected again; nothing is lost, but a word near here may differ",
    "anew": "connected again; the server begins anew here",
}
_ALIVE_TIMES: Final = 3
"""So often within the server's idle time it is told that this side is there."""


class RemoteStream:
    """A stream of a server."""

    def __init__(self, stream: client.Stream, labels: Sequence[str] = ()) -> None:
        """Takes a stream with tokens to which nothing was sent so far.

        Args:
            stream: of one channel, or of several that are recognised each for itself.
            labels: what these are called.
        """
        self.failure: ParakeetError | None = None
        """Why it ended before its time."""
        self.messages: deque[str] = deque()
        """For people."""
        self._stream = stream
        self._rate_hz = stream.ready.sample_rate
        self._goes_on = stream.ready.checkpoints is not None
        """Whether another connection, or another server, can go on with it."""
        self._unsent: deque[NDArray[np.float32] | int] = deque()
        self._unsent_samples = 0
        self._change = threading.Condition()
        self._finished = False
        self._labels = tuple(labels)
        self._heard = [_Heard() for _ in labels or ("",)]
        self._sender = threading.Thread(target=self._send, name="sending", daemon=True)
        self._sender.start()

    @property
    def unsent_s(self) -> float:
        """Seconds of sound that wait to be sent."""
        return samples_to_seconds(self._unsent_samples, self._rate_hz)

    def push(self, samples: NDArray[np.float32], /) -> int:
        """Takes samples (n,) or (n, channels); never waits. How many were taken: all, or none."""
        with self._change:
            if self._finished:
                return 0
            if self._room() < len(samples):
                self._lose(len(samples))
                return 0
            self._unsent.append(samples.copy())
            self._unsent_samples += len(samples)
            self._change.notify_all()
        return len(samples)

    def push_gap(self, samples: int, /) -> None:
        """So many samples are missing."""
        with self._change:
            self._lose(samples)
            self._change.notify_all()

    def wait_for_room(self, samples: int, /) -> int:
        """Waits until little is unsent, or nothing is taken any more."""
        ahead = seconds_to_samples(_MOST_AHEAD_S, self._rate_hz)
        with self._change:
            self._change.wait_for(lambda: self._finished or self._unsent_samples < ahead)
            return 0 if self._finished else samples

    def finish(self) -> None:
        """No more samples. What was pushed is sent, and what the server makes of it is told."""
        with self._change:
            self._finished = True
            self._change.notify_all()

    def get(self, timeout_s: float | None = None, /) -> Told | None:
        """The next event; None after the last one.

        Raises:
            TimeoutError: none came for so long.
        """
        while True:
            try:
                event = self._stream.get(timeout_s)
            except TimeoutError:
                raise
            except ParakeetError as error:
                self.failure = error
                event = None
            if event is None:
                self.finish()
                # It may know why there is nothing more.
                self._sender.join(_SENDER_ENDS_S)
                return self._rest()
            if (told := self._told(event)) is not None:
                return told

    def transcript(self) -> Transcript | SeparateTranscript:
        """Everything that was committed, of all utterances."""
        if not self._labels:
            return self._heard[0].transcript()
        numbered = enumerate(zip(self._heard, self._labels, strict=True))
        return SeparateTranscript(
            tuple(
                ChannelTranscript(heard.transcript(), number, label)
                for number, (heard, label) in numbered
            )
        )

    def _send(self) -> None:
        alive_s = self._stream.ready.idle_s / _ALIVE_TIMES
        try:
            for each in self._next(alive_s):
                if each is None:
                    self._stream.keep_alive()
                elif isinstance(each, int):
                    self._stream.gap(each)
                else:
                    self._stream.send(each)
            self._stream.finish()
        except ParakeetError as error:
            # What was told before comes first; then the one who reads is told why.
            self.failure = self.failure or error
            self.finish()

    def _next(self, alive_s: float) -> Iterator[NDArray[np.float32] | int | None]:
        """What is to be sent, in order; None where nothing was for a while."""
        while True:
            with self._change:
                self._change.wait_for(lambda: self._unsent or self._finished, alive_s)
                if not self._unsent and self._finished:
                    return
                each = self._unsent.popleft() if self._unsent else None
            yield each
            if each is not None and not isinstance(each, int):
                with self._change:
                    self._unsent_samples -= len(each)
                    self._change.notify_all()

    def _room(self) -> int:
        return seconds_to_samples(_MOST_UNSENT_S, self._rate_hz) - self._unsent_samples

    def _lose(self, samples: int) -> None:
        last = self._unsent[-1] if self._unsent else None
        if isinstance(last, int):
            self._unsent[-1] = last + samples
        else:
            self._unsent.append(samples)

    def _told(self, event: events.Event) -> Told | None:
        match event:
            case events.GoingAway() | events.Reconnecting() | events.Resumed() | events.Mistake():
                self._note(event)
                return None
        told = self._heard[event.channel].take(event)
        return None if told is None else self._of_channel(event.channel, told)

    def _note(self, event: events.Event) -> None:
        """What people are told of the connection."""
        match event:
            case events.GoingAway() if not self._goes_on:
                self.messages.append(f"the server ends: {event.reason}")
                self.finish()
            case events.Reconnecting():
                self.messages.append("the connection is lost; sound is kept, and sent again")
            case events.Resumed():
                self.messages.append(_RESUMED[event.how])
            case events.Mistake():
                self.messages.append(f"the server says: {event.message}")

    def _rest(self) -> Told | None:
        """What was committed in a channel and has no end, once; else None."""
        for channel, heard in enumerate(self._heard):
            if (told := heard.rest()) is not None:
                return self._of_channel(channel, told)
        return None

    def _of_channel(self, channel: int, told: Event) -> Told:
        return ChannelEvent(channel, told) if self._labels else told


class _Heard:
    """What a server told of one channel."""

    def __init__(self) -> None:
        self._open: list[Token] = []
        self._finals: list[Transcript] = []
        self._told_s = 0.0

    def take(self, event: events.Event) -> Event | None:
        """The event as a stream of this program's engine would give it."""
        told: Event | None = None
        match event:
            case events.Partial():
                self._open += event.tokens
                self._told_s = max(self._told_s, event.committed)
                told = Partial(
                    event.text, event.tokens, event.tentative, (), event.committed,
                    event.lookahead_end,
                )  # fmt: skip
            case events.Final():
                self._open.clear()
                self._told_s = max(self._told_s, event.end)
                whole = _transcript(event.text, event.tokens, event.words, event.end)
                self._finals.append(whole)
                told = FinalEvent(whole, event.utterance, event.reason)
            case events.SpeechStarted():
                told = SpeechStarted(event.at)
            case events.SpeechEnded():
                told = SpeechEnded(event.at)
            case events.Gap():
                told = Gap(event.start, event.end)
            case events.ContextChanged():
                told = ContextChanged(event.context, event.at)
            case events.Hint(kind="scale" | "interleaved" | "rate" as kind):
                told = HealthHint(kind, event.message, event.at)
        return told

    def transcript(self) -> Transcript:
        """Everything that was committed, of all utterances."""
        tokens = [token for each in self._finals for token in each.tokens]
        words = [word for each in self._finals for word in each.words]
        texts = [each.text for each in self._finals if each.text]
        return _transcript(" ".join(texts), tokens, words, self._told_s)

    def rest(self) -> FinalEvent | None:
        """What was committed and has no end, once; else None."""
        if not self._open:
            return None
        tokens, words = tuple(self._open), group_words(self._open)
        self._open.clear()
        text = " ".join(word.text for word in words)
        whole = _transcript(text, tokens, words, self._told_s)
        self._finals.append(whole)
        return FinalEvent(whole, len(self._finals) - 1, "end")


def _transcript(
    text: str,
    tokens: tuple[Token, ...] | list[Token],
    words: tuple[Word, ...] | list[Word],
    to_s: float,
) -> Transcript:
    return Transcript(text, tuple(tokens), tuple(words), group_segments(words), to_s)
