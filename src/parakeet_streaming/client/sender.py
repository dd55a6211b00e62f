"""Audio and commands of one stream to its server, for programs without an event loop."""

from __future__ import annotations

from collections.abc import Sequence

from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.client.async_stream import AsyncStream
from parakeet_streaming.client.events import Ready
from parakeet_streaming.client.loop_thread import LoopThread
from parakeet_streaming.client.samples import Audio


class Sender:
    """As `AsyncSender`, without `await`."""

    def __init__(self, loop: LoopThread, stream: AsyncStream) -> None:
        """`loop`: where the stream lives."""
        self._loop, self._stream = loop, stream

    @property
    def ready(self) -> Ready:
        """What the server has made of the request."""
        return self._stream.ready

    def send(self, audio: Audio) -> None:
        """Sends bytes or samples; waits while the server has no room for them."""
        self._loop.call(self._stream.send(audio))

    def gap(self, samples: int) -> None:
        """Says that so many samples were lost here."""
        self._loop.call(self._stream.gap(samples))

    def commit(self) -> None:
        """Ends the utterance with all that was sent."""
        self._loop.call(self._stream.commit())

    def clear(self) -> None:
        """Forgets what was sent and has not ended as an utterance."""
        self._loop.call(self._stream.clear())

    def marker(self, id: str) -> None:
        """Asks for a `Marker` once all that was sent is decoded and told."""
        self._loop.call(self._stream.marker(id))

    def use_phrases(
        self, phrases: Sequence[str | Phrase] | None, boost: float | None = None
    ) -> None:
        """Boosts other phrases in what is sent from now on; none ends it."""
        self._loop.call(self._stream.use_phrases(phrases, boost))

    def keep_alive(self) -> None:
        """Says that more will come."""
        self._loop.call(self._stream.keep_alive())

    def finish(self) -> None:
        """Says that no more audio comes. The events end when all was told."""
        self._loop.call(self._stream.finish())
