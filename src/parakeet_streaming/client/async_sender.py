"""Audio and commands of one stream to its server, for `asyncio`.

Rules of this file:

1. What is said takes its turn: two tasks that send do not mix their messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.client.conversation import Conversation
from parakeet_streaming.client.events import Ready
from parakeet_streaming.client.messages import command
from parakeet_streaming.client.request import StreamOptions, phrase_fields
from parakeet_streaming.client.resuming import Resuming
from parakeet_streaming.client.samples import Audio, frame_bytes, pieces
from parakeet_streaming.client.spoken import Kind, Spoken
from parakeet_streaming.errors import StreamClosedError

if TYPE_CHECKING:
    from parakeet_streaming.client.link import Link


class AsyncSender:
    """What the client of a stream says."""

    def __init__(self, options: StreamOptions, resuming: Resuming | None) -> None:
        self._options, self._resuming = options, resuming
        self._conversation = Conversation(tokens=bool(options.tokens))
        self._spoken = Spoken(frame_bytes(options.encoding, options.channels), options.sample_rate)
        self._link: Link | None = None

    @property
    def ready(self) -> Ready:
        """What the server has made of the request.

        Raises:
            StreamClosedError: the stream was not opened.
        """
        if self._conversation.ready is None:
            raise StreamClosedError("the stream is not open; use `async with`, or await it")
        return self._conversation.ready

    async def send(self, audio: Audio) -> None:
        """Sends audio; waits while the server has no room for it.

        While the connection is lost, audio is kept, and sent when there is another one.

        Args:
            audio: bytes of the stream's encoding, cut anywhere, or samples (n,) or (n, channels):
                floats from -1 to 1, or integers of 16 bits.

        Raises:
            AudioInputError: samples that cannot be sent; nothing was.
            StreamClosedError: the stream was finished.
            ServerError: the server does not take it, or is gone.
        """
        for piece in pieces(audio, self._options.encoding, self._options.channels):
            link = self._open_link()
            gaps = self._resuming is not None and self._resuming.when_full == "gap"
            self._spoken.audio(piece, left_out=gaps and link.is_full)
            await self._sent(link)

    async def gap(self, samples: int) -> None:
        """Says that so many samples (of each channel) were lost here; later times stay true."""
        link = self._open_link()
        self._spoken.gap(samples)
        await self._sent(link)

    async def commit(self) -> None:
        """Ends the utterance with all that was sent: a `Final` with the reason "commit"."""
        await self._say("commit")

    async def clear(self) -> None:
        """Forgets what was sent and has not ended as an utterance: `Cleared`."""
        await self._say("clear")

    async def marker(self, id: str) -> None:
        """Asks for a `Marker` once all that was sent is decoded and told."""
        link = self._open_link()
        self._spoken.command("marker", command("marker", id=id), id)
        await self._sent(link)

    async def use_phrases(
        self, phrases: Sequence[str | Phrase] | None, boost: float | None = None
    ) -> None:
        """Boosts other phrases in what is sent from now on; none ends it.

        What the server cannot take, such as letters that its model does not write, it says with a
        `Mistake`; then the phrases stay those that they were.

        Raises:
            OptionError: phrases beyond their limits.
        """
        link = self._open_link()
        self._spoken.command("phrases", command("configure", **phrase_fields(phrases, boost)))
        await self._sent(link)

    async def keep_alive(self) -> None:
        """Says that more will come; a server closes where it hears nothing for `ready.idle_s`."""
        link = self._open_link()
        if not link.is_away:
            self._spoken.command("aside", command("keep_alive"))
            await self._sent(link)

    async def finish(self) -> None:
        """Says that no more audio comes. The events end when all was told."""
        _ = self.ready
        if not self._conversation.finished:
            self._check_goes_on()
            link = self._open_link()
            self._conversation.finished = True
            self._spoken.command("finish", command("finish"))
            link.say()
            await link.sent()

    def _open_link(self) -> Link:
        _ = self.ready
        if self._conversation.finished:
            raise StreamClosedError("the stream was finished; open another one")
        assert self._link is not None, "a stream that is ready is open"
        return self._link

    async def _say(self, kind: Kind) -> None:
        link = self._open_link()
        self._spoken.command(kind, command(kind))
        await self._sent(link)

    async def _sent(self, link: Link) -> None:
        if self._conversation.going_away and not self._conversation.is_over:
            return  # nothing is taken any more, which the end of the events will tell
        self._check_goes_on()
        link.say()
        await link.sent()
        if not self._conversation.finished:
            self._check_goes_on()

    def _check_goes_on(self) -> None:
        if self._conversation.is_over:
            self._conversation.raise_error()
            raise StreamClosedError("the stream has ended; open another one")
