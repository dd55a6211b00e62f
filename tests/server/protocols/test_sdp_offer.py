import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.protocols.sdp_offer import read_offer
from parakeet_streaming.server.replies import WrongRequestError

AUDIO = ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=rtpmap:111 opus/48000/2"]
CHANNEL = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:1", "a=sctp-port:5000"]
HEAD = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
HERE = "a=candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host"
THERE = "a=candidate:1 1 udp 2122260223 2001:db8::7 50000 typ host"


def offer(*lines):
    return "".join(f"{line}\r\n" for line in lines)


def test_an_offer_stays_as_it_is():
    text = offer(*HEAD, *AUDIO, "a=sendrecv", HERE, THERE, *CHANNEL)
    assert read_offer(text.encode()) == text
    assert read_offer(text.replace("\r\n", "\n").encode()) == text


def test_attributes_before_the_first_section_stay_but_for_candidates():
    text = offer(*HEAD, "a=group:BUNDLE 0 1", *AUDIO, *CHANNEL)
    assert read_offer(offer(*HEAD, HERE, "a=group:BUNDLE 0 1", *AUDIO, *CHANNEL).encode()) == text


def test_empty_lines_are_left_out():
    text = offer(*HEAD, *AUDIO, *CHANNEL)
    assert read_offer(offer(*HEAD, "", *AUDIO, *CHANNEL, "").encode()) == text


@pytest.mark.parametrize(
    "line",
    [
        "a=end-of-candidates",
        "a=candidate:1 1 udp 1 0b3c.local 50000 typ host",
        "a=candidate:1 1 udp 1 example.org 50000 typ host",
        "a=candidate:1 1 tcp 1 192.0.2.7 9 typ host tcptype active",
        "a=candidate:1 1 udp 1 192.0.2.7 -1 typ host",
        "a=candidate:",
    ],
)
def test_what_is_left_out(line):
    text = offer(*HEAD, *AUDIO, *CHANNEL)
    assert read_offer(offer(*HEAD, *AUDIO, line, *CHANNEL).encode()) == text


def test_candidates_are_bounded():
    text = offer(*HEAD, *AUDIO, *[HERE] * 1_000, *CHANNEL)
    assert read_offer(text.encode()).count("a=candidate") == 32


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "v=0"),
        (["v=1"], "v=0"),
        (HEAD, "no audio"),
        ([*HEAD, *CHANNEL], "no audio"),
        ([*HEAD, *AUDIO, "a=recvonly", *CHANNEL], "no audio"),
        ([*HEAD, "a=inactive", *AUDIO, *CHANNEL], "no audio"),
        ([*HEAD, AUDIO[0].replace(" 9 ", " 0 "), *AUDIO[1:], *CHANNEL], "no audio"),
        ([*HEAD, *AUDIO[:2], "a=rtpmap:0 PCMU/8000", *CHANNEL], "no Opus"),
        ([*HEAD, *AUDIO], "data channel"),
        ([*HEAD, *AUDIO, *CHANNEL * 8], "8 at most"),
    ],
)
def test_offers_that_are_refused(lines, words):
    with pytest.raises(WrongRequestError, match=words) as caught:
        read_offer(offer(*lines).encode())
    assert caught.value.field == "sdp"


def test_an_offer_is_text():
    with pytest.raises(WrongRequestError, match="text"):
        read_offer(b"v=0\r\n\xff")


LINES = st.sampled_from([*HEAD, *AUDIO, *CHANNEL, HERE, "a=sendonly", "m=", "a=", "m=audio", ""])


@given(st.lists(LINES | st.text(max_size=30), max_size=30) | st.just([*HEAD, *AUDIO, *CHANNEL]))
def test_anything_is_read_or_refused(lines):
    try:
        read = read_offer("\n".join(lines).encode(errors="ignore"))
    except WrongRequestError:
        return
    assert read_offer(read.encode()) == read
