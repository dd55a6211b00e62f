"""An offer in; a call's answer, its sound and its messages, out. Alone imports aiortc.

Rules of this file:

1. A call has one track of sound, in Opus, and one channel of messages. What is offered beside is
   answered as inactive: it is not received, and not decoded.
2. Nobody is asked for our address but a STUN server that the settings name. Where the server
   listens on some addresses only, calls come to no others.
3. What waits for the door is bounded. Sound above that is dropped, and is missing like sound that
   was lost on the way; a caller whose messages are above it has its call ended.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from aioice.ice import get_host_addresses
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from parakeet_streaming.server.addresses import is_loopback, resolve
from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.ice import MOST_UNHEARD_S, come_to, end_when_unheard
from parakeet_streaming.server.received_packets import hear_in_order
from parakeet_streaming.server.replies import SessionTimeError, TooManyError, WrongRequestError
from parakeet_streaming.server.track_clock import TrackClock

RATE_HZ: Final = 48_000
CHANNELS: Final = 2
"""Of the decoded sound, whether the caller sends one or two."""
LABEL: Final = "oai-events"
_FRAME_BYTES: Final = 2 * CHANNELS
_MOST_SOUND_BYTES: Final = 30 * RATE_HZ * _FRAME_BYTES
_JOINED_BYTES: Final = RATE_HZ * _FRAME_BYTES // 10
_MOST_MESSAGES: Final = 1_000
_MOST_MESSAGE_BYTES: Final = 4 * 1_048_576
_MOST_UNSENT_BYTES: Final = 262_144
_CONNECTS_WITHIN_S: Final = 10.0
_CLOSES_WITHIN_S: Final = 2.0
_LOOKED_AT_EVERY_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Sound:
    """The next sound of a call."""

    missing: int
    """Samples that are missing before it."""
    data: bytes
    """s16le, `CHANNELS` interleaved, at `RATE_HZ`."""


class Peers:
    """Makes calls to one server."""

    def __init__(
        self, host: str, stun_server: str | None = None, unheard_s: float = MOST_UNHEARD_S
    ) -> None:
        """Looks the host up.

        Args:
            host: what the server listens on; calls come to the same addresses.
            stun_server: such as `stun:stun.example.org:3478`.
            unheard_s: after so long without a sign of life a caller is gone.

        Raises:
            OptionError: there is no such host.
        """
        self._listens_on = [str(address[0]) for _, address in resolve(host, 0)]
        # From a loopback address nothing outside is reached, and the asking lasts five seconds.
        self._stun_server = None if is_loopback(host) else stun_server
        self._unheard_s = unheard_s

    def new(self, caller: Caller) -> Peer:
        """A call that is to be answered."""
        return Peer(caller, self.addresses(), self._stun_server, self._unheard_s)

    def addresses(self) -> list[str]:
        """Where calls can come to, as this machine is now."""
        any_4, any_6 = "0.0.0.0" in self._listens_on, "::" in self._listens_on
        if not any_4 and not any_6:
            return self._listens_on
        # A machine without a network still reaches itself.
        return get_host_addresses(any_4, any_6) or ["127.0.0.1"]


class Peer:
    """One call; a `Line` with sound."""

    def __init__(
        self, caller: Caller, addresses: Sequence[str], stun_server: str | None, unheard_s: float
    ) -> None:
        self._caller = caller
        self._addresses, self._unheard_s = addresses, unheard_s
        servers = [] if stun_server is None else [RTCIceServer(urls=stun_server)]
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._channel: RTCDataChannel | None = None
        self._reading: asyncio.Task[None] | None = None
        self._messages: deque[str] = deque()
        self._message_bytes = 0
        self._sound: deque[Sound] = deque()
        self._sound_bytes = 0
        self._news, self._heard, self._ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._is_gone = self._is_flooded = False
        self._connection.on("track", self._on_track)
        self._connection.on("datachannel", self._on_channel)
        self._connection.on("connectionstatechange", self._on_state)

    @property
    def caller(self) -> Caller:
        return self._caller

    async def answer(self, offer: str) -> str:
        """Answers an offer; the call begins to connect.

        Raises:
            WrongRequestError: the offer cannot be understood.
        """
        connection = self._connection
        receiver = connection.addTransceiver("audio", direction="recvonly")
        codecs = RTCRtpReceiver.getCapabilities("audio")
        assert codecs is not None, "aiortc always hears something"
        receiver.setCodecPreferences([c for c in codecs.codecs if c.mimeType == "audio/opus"])
        with _read_from_an_offer():
            await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        hear_in_order(receiver.receiver)
        channel = connection.sctp
        if receiver.receiver.track is None or channel is None or channel.transport is None:
            raise WrongRequestError("the offer has no audio that is sent, or no channel", "sdp")
        transports = [channel.transport.transport]
        for other in connection.getTransceivers():
            if other is not receiver:
                other.direction = "inactive"
            transports.append(other.receiver.transport.transport)
        for connected in {each.iceGatherer._connection for each in transports}:  # some share one
            come_to(connected, self._addresses)
            end_when_unheard(connected, self._unheard_s)
        with _read_from_an_offer():
            await connection.setLocalDescription(await connection.createAnswer())
        return str(connection.localDescription.sdp)

    async def accept(self, protocol: str | None = None) -> None:
        """Waits until the caller has connected and opened its channel.

        Raises:
            SessionTimeError: it takes too long.
            ConnectionError: it cannot connect.
        """
        try:
            async with asyncio.timeout(_CONNECTS_WITHIN_S):
                await self._ready.wait()
        except TimeoutError:
            raise SessionTimeError(
                f"the call did not connect, or opened no channel {LABEL}, within "
                f"{_CONNECTS_WITHIN_S:g} s"
            ) from None
        if self._channel is None:
            raise ConnectionError("the caller has gone before the call was connected")

    def give_up(self) -> None:
        """Waits no longer for a caller that has not connected."""
        self._ready.set()

    async def messages(self) -> AsyncIterator[str]:
        """What comes on the channel, until the call is over.

        Raises:
            TooManyError: messages came faster than they were taken.
        """
        while True:
            while self._messages:
                message = self._messages.popleft()
                self._message_bytes -= len(message)
                yield message
            if self._is_flooded:
                raise TooManyError("messages came faster than they could be answered; send fewer")
            if self._is_gone:
                return
            self._news.clear()
            await self._news.wait()

    async def sound(self) -> AsyncIterator[Sound]:
        """What comes on the track; what waits is joined. It does not end."""
        while True:
            while self._sound:
                first = self._sound.popleft()
                pieces, length = [first.data], len(first.data)
                while self._sound and not self._sound[0].missing and length < _JOINED_BYTES:
                    pieces.append(self._sound.popleft().data)
                    length += len(pieces[-1])
                self._sound_bytes -= length
                yield Sound(first.missing, b"".join(pieces))
            self._heard.clear()
            await self._heard.wait()

    async def send(self, message: str | bytes) -> None:
        """Sends; waits while too much is on its way."""
        channel = self._channel
        while channel is not None and channel.bufferedAmount > _MOST_UNSENT_BYTES:
            await asyncio.sleep(_LOOKED_AT_EVERY_S)
        if channel is not None:
            with suppress(InvalidStateError):  # it is closed; the call is about to end
                channel.send(message)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes the channel when all of it has come to the caller, and ends the call.

        Args:
            code: a channel has none; see the last message.
            reason: the same.
        """
        channel = self._channel
        if channel is not None and not self._is_gone:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSES_WITHIN_S):
                    channel.close()
                    while channel.readyState != "closed":
                        await asyncio.sleep(_LOOKED_AT_EVERY_S)
        await self.end()

    async def end(self) -> None:
        """Ends the call at once; nothing is left of it."""
        if self._reading is not None:
            self._reading.cancel()
        # It may wait for ever for tasks that the loop has ended, and fail at half a channel.
        with suppress(TimeoutError, AttributeError):
            async with asyncio.timeout(_CLOSES_WITHIN_S):
                await self._connection.close()
        self._part()

    def _on_state(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self._part()

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != LABEL or self._channel is not None:
            return
        self._channel = channel
        channel.on("message", self._on_message)
        channel.on("close", self._part)
        self._ready.set()

    def _on_message(self, message: str | bytes) -> None:
        text = message if isinstance(message, str) else message.decode(errors="replace")
        waiting = self._message_bytes + len(text)
        if self._is_gone or self._is_flooded:
            return
        if len(self._messages) >= _MOST_MESSAGES or waiting > _MOST_MESSAGE_BYTES:
            self._is_flooded = True
        else:
            self._message_bytes = waiting
            self._messages.append(text)
        self._news.set()

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio" and self._reading is None:
            self._reading = asyncio.create_task(self._read(track))

    async def _read(self, track: MediaStreamTrack) -> None:
        """Takes the track's frames as they come, whether the door takes them or not."""
        clock, loop = TrackClock(RATE_HZ), asyncio.get_running_loop()
        while True:
            try:
                frame: Any = await track.recv()  # an `av.AudioFrame`
            except MediaStreamError:
                return
            if self._sound_bytes > _MOST_SOUND_BYTES or frame.pts is None:
                continue
            data = bytes(frame.planes[0])[: frame.samples * _FRAME_BYTES]
            missing = clock.missing(frame.pts, frame.samples, loop.time())
            self._sound.append(Sound(missing, data))
            self._sound_bytes += len(data)
            self._heard.set()

    def _part(self) -> None:
        self._is_gone = True
        self._news.set()
        self._ready.set()


@contextmanager
def _read_from_an_offer() -> Iterator[None]:
    """What it says may make aiortc fail in many ways."""
    try:
        yield
    except Exception as error:
        raise WrongRequestError(f"the offer cannot be answered: {error!r:.200}", "sdp") from None
