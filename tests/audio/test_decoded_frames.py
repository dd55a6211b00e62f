from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest

from parakeet_streaming.audio.decoded_frames import DecodedFrames
from parakeet_streaming.errors import AudioFormatError

MS = Fraction(1, 1_000)


def frame(value=0.0, samples=100):
    made = av.AudioFrame.from_ndarray(
        np.full((1, samples), value, np.float32), format="fltp", layout="mono"
    )
    made.sample_rate = 1_000
    return made


class Packet:
    def __init__(self, decoded, pts=0, duration=100, data=b"\xff"):
        self.decoded = decoded
        self.pts, self.duration, self.time_base = pts, duration, MS
        self.data, self.size = data, len(data)

    def __bytes__(self):
        return self.data


class Codec:
    name = "aac"


class Stream:
    codec_context = Codec()

    def decode(self, packet):
        if isinstance(packet.decoded, Exception):
            raise packet.decoded
        return packet.decoded


class Container:
    """Packets, and errors of reads between them."""

    format = SimpleNamespace(name="mp3")

    def __init__(self, *items):
        self.items = list(items)

    def demux(self, stream):
        while self.items:
            item = self.items.pop(0)
            if isinstance(item, Exception):
                raise item
            yield item


BROKEN = av.error.InvalidDataError(1, "is broken")


def frames(*items, strict=False):
    return DecodedFrames(Container(*items), Stream(), strict=strict)


def test_a_packet_that_cannot_be_decoded_is_lost_and_reading_goes_on():
    made = frames(Packet([frame()]), Packet(BROKEN), Packet(BROKEN), Packet([frame()]))
    next(made)
    assert (made.lost_s, made.lost_why) == (0, None)
    next(made)
    assert (made.lost_s, made.lost_why) == (pytest.approx(0.2), "is broken")
    made.forget_lost()
    assert (made.lost_s, made.lost_why) == (0, None)
    assert next(made, None) is None


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e7])
def test_samples_that_are_no_sound_are_lost(value):
    made = frames(Packet([frame(value), frame(0.5)]))
    assert next(made).to_ndarray()[0, 0] == 0.5
    assert made.lost_why == "its samples are no sound"


def test_strict_ends_at_the_first_loss():
    made = frames(Packet([frame()]), Packet(BROKEN), Packet([frame()]), strict=True)
    next(made)
    with pytest.raises(AudioFormatError, match="is broken"):
        next(made)


@pytest.mark.parametrize("data", [b"ID3 title", b"TAG title", bytes(40), b""])
def test_tags_are_not_lost(data):
    made = frames(Packet([frame()]), Packet(BROKEN, data=data), strict=True)
    next(made)
    assert next(made, None) is None
    assert made.lost_why is None


def test_a_read_that_fails_is_tried_again():
    made = frames(Packet([frame()]), OSError("disk"), BROKEN, Packet([frame()]))
    next(made)
    next(made)
    assert made.lost_why == "is broken"
    endless = frames(Packet([frame()]), *[OSError("disk")] * 100, Packet([frame()]))
    next(endless)
    assert next(endless, None) is None
    assert endless.lost_why == "disk"


def test_noise_that_looks_like_a_container_is_given_up():
    with pytest.raises(AudioFormatError, match="is broken"):
        next(frames(*[Packet(BROKEN)] * 200))


def test_a_decoder_may_swallow_its_first_packets():
    late = frame()
    late.pts, late.time_base = 128, MS
    made = frames(Packet([], pts=0), Packet([], pts=64), Packet([late], pts=128))
    assert made.delay_s(next(made)) == pytest.approx(0.128)
    lost = frames(Packet(BROKEN, pts=0), Packet([late], pts=128))
    assert lost.delay_s(next(lost)) == 0


def test_a_packet_without_sound_and_without_an_error_is_noticed():
    made = frames(Packet([]), Packet([frame()]), Packet([]), Packet([frame()]))
    next(made)
    assert not made.is_quiet
    next(made)
    assert made.is_quiet
    assert made.lost_why is None
    made.forget_lost()
    assert not made.is_quiet


@pytest.mark.parametrize(("missing", "is_cut"), [(0, False), (4, False), (5, True), (400, True)])
def test_a_last_frame_that_is_cut_off_is_lost(missing, is_cut):
    data = (b"\xff\xfb\x90\x00" + bytes(413))[: 417 - missing]  # 128 kbit/s at 44.1 kHz
    made = frames(Packet([frame()]), Packet([frame()], data=data), Packet([], data=b""))
    assert len(list(made)) == 2
    assert (made.lost_why == "its last frame is cut off") == is_cut
