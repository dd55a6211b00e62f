import pytest

from parakeet_streaming.audio.packet_clock import PacketClock


def clock(position=0, longest_gap_s=60.0):
    made = PacketClock(1_000, longest_gap_s=longest_gap_s)
    made.advance(position)
    return made


def test_sound_that_begins_late_has_silence_before_it():
    assert clock().missing_before(4_001) == 4_001
    assert clock().missing_before(0) == 0


@pytest.mark.parametrize(
    ("ahead", "missing"), [(-99, 0), (0, 0), (99, 0), (100, 100), (5_000, 5_000), (60_000, 60_000)]
)
def test_a_leap_ahead_is_a_gap_from_a_tenth_of_a_second_on(ahead, missing):
    assert clock(2_000).missing_before(2_000 + ahead) == missing


@pytest.mark.parametrize("at", [0, 60_001 + 2_000, 10**9])
def test_another_recording_follows_without_a_gap(at):
    joined = clock(2_000)
    assert joined.missing_before(at) == 0
    joined.advance(500)
    assert joined.missing_before(at + 500) == 0
    assert joined.missing_before(at + 1_500) == 1_000


def test_a_drift_becomes_silence_when_it_is_long_enough():
    drifting = clock()
    silences = []
    for packet in range(1_000):
        missing = drifting.missing_before(round(packet * 20.2))
        silences.append(missing)
        drifting.advance(missing + 20)
    assert set(silences) == {0, 100}
    assert drifting.position == pytest.approx(1_000 * 20.2, abs=100)


def test_a_small_overlap_drops_nothing_and_is_made_up_by_the_next_gap():
    overlapping = clock(1_000)
    assert overlapping.missing_before(700) == 0
    overlapping.advance(100)
    assert overlapping.missing_before(1_400) == 300


def test_lost_packets_are_as_long_as_the_clock_says():
    assert clock(1_000).missing_before(1_021, lost=20) == 21
    assert clock(1_000).missing_before(1_004, lost=20) == 0
    assert clock(1_000).missing_before(1_005, lost=1) == 5
    assert clock(1_000).missing_before(None, lost=20) == 20
    assert clock(1_000).missing_before(None) == 0
    assert clock(9_000).missing_before(0, lost=20) == 20
