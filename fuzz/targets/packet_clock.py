"""Times of packets in any order and of any size: silence that is possible."""

from collections.abc import Iterator

from fuzz.choices import Choices
from parakeet_streaming.audio.packet_clock import PacketClock

RATE_HZ = 16_000
LONGEST_GAP_S = 60.0


def run(data: bytes) -> None:
    choices = Choices(data)
    clock = PacketClock(RATE_HZ, longest_gap_s=LONGEST_GAP_S)
    for _ in choices.times(200):
        bits = choices.one_of((16, 24, 63))
        at = None if choices.number(0, 7) == 7 else choices.number(-(2**bits), 2**bits)
        lost = choices.number(0, 2000) if choices.flag() else 0
        silence = clock.missing_before(at, lost=lost)
        assert 0 <= silence <= max(lost, LONGEST_GAP_S * RATE_HZ), silence
        before = clock.position
        clock.advance(silence + choices.number(0, 4000))
        assert clock.position >= before


def seeds() -> Iterator[bytes]:
    yield bytes(range(120))
    yield bytes((0, 0, 0, 128, 0, 0, 64, 6)) * 20
