"""Offers of WebRTC: what is left of one is an offer that stays as it is."""

from collections.abc import Iterator
from contextlib import suppress

from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.server.protocols.sdp_offer import read_offer

AUDIO = ("m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=rtpmap:111 opus/48000/2", "a=sendonly")
CHANNEL = ("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:1", "a=sctp-port:5000")
HEAD = ("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1")
CANDIDATES = (
    "a=candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host",
    "a=candidate:1 1 udp 2122260223 2001:db8::7 50000 typ host",
    "a=candidate:1 1 udp 1 0b3c.local 50000 typ host",
    "a=end-of-candidates",
)


def run(data: bytes) -> None:
    with suppress(ParakeetError):
        offer = read_offer(data)
        assert read_offer(offer.encode()) == offer


def seeds() -> Iterator[bytes]:
    for lines in (
        (*HEAD, *AUDIO, *CANDIDATES, *CHANNEL),
        (*HEAD, "a=inactive", *AUDIO[:3], *CHANNEL),
        (*HEAD, *CHANNEL, *AUDIO),
        (*HEAD, *AUDIO),
        AUDIO,
    ):
        yield "".join(f"{line}\r\n" for line in lines).encode()
