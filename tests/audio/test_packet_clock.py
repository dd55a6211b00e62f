import pytest

from parakeet_streaming.audio.packet_clock import (
    MOST_SILENCE_S,
    SILENCE_PER_SOUND,
    PacketClock,
)


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


YEAR = 365 * 24 * 3_600 * 1_000


def silence_of(made, ats, lost=0, samples=20):
    """Samples of silence in all before packets at these times."""
    total = 0
    for at in ats:
        missing = made.missing_before(at, lost=lost)
        total += missing
        made.advance(missing + samples)
    return total


@pytest.mark.parametrize(
    "ats",
    [
        [0, YEAR],
        [0, *range(1_000, 100 * YEAR, YEAR // 7)],
        [0, *range(1_000, 40_000 * 59_000, 59_000)],
        [0, YEAR, 0, YEAR, 0, 11 * 3_600 * 1_000, 0, 11 * 3_600 * 1_000],
        [-(2**63), 2**63, 0, -(2**62)],
        [None, None],
    ],
)
@pytest.mark.parametrize("lost", [0, 1, YEAR, 2**62])
def test_silence_is_bounded_whatever_a_clock_says(ats, lost):
    made = PacketClock(1_000, longest_gap_s=100 * 365 * 24 * 3_600.0)
    silence = silence_of(made, ats, lost)
    assert silence <= (MOST_SILENCE_S + SILENCE_PER_SOUND * len(ats) * 0.02) * 1_000
    assert made.position == silence + 20 * len(ats)


def test_silence_that_is_left_out_is_counted_and_times_go_on_after_it():
    made = PacketClock(1_000, longest_gap_s=1e9)
    assert silence_of(made, [0, YEAR, YEAR + 20, YEAR + 1_040]) == 1_000
    assert made.left_out == YEAR - 20


def test_a_stream_that_is_silent_now_and_then_may_go_on_for_ever():
    made = PacketClock(1_000, longest_gap_s=3_600.0)
    # Packets of 20 ms, each for 400 ms: a month.
    packets = range(0, 31 * 24 * 3_600 * 1_000, 400_000)
    assert silence_of(made, packets, samples=20_000) == len(packets) * 380_000 - 380_000
    assert made.left_out == 0
