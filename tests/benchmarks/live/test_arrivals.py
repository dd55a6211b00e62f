import numpy as np
import pytest

from benchmarks.live.arrivals import PACKET_SAMPLES, Source, play, sources


class HandClock:
    """Time that passes only where it is waited for."""

    def __init__(self):
        self.now_s = 100.0

    def now(self):
        return self.now_s

    def wait_until(self, when_s):
        assert when_s > self.now_s
        self.now_s = when_s


def test_audio_arrives_in_whole_packets_on_an_absolute_clock():
    source = Source(10.0, 0)
    assert source.arrived(9.0) == 0
    assert source.arrived(11.22) == 61 * PACKET_SAMPLES
    assert source.arrived(11.219) == 60 * PACKET_SAMPLES
    assert source.next_packet_s == pytest.approx(10.02)


def test_what_was_taken_is_not_given_again_and_the_book_begins_anew():
    source, book = Source(0.0, 900), np.arange(1_000, dtype=np.float32)
    first = source.take(book, 0.021)
    assert first.tolist() == [*range(900, 1_000), *range(220)]
    assert source.take(book, 0.039).size == 0
    assert source.take(book, 0.04)[0] == 220


def test_sources_begin_in_different_parts_of_a_chunk_at_different_places():
    found = sources(4, 50.0, 2.0, seed=1)
    assert [int((each.starts_s - 50.0) / 0.5) for each in found] == [0, 1, 2, 3]
    assert len({each.book_start for each in found}) == 4
    assert found == sources(4, 50.0, 2.0, seed=1)
    assert found != sources(4, 50.0, 2.0, seed=2)


def test_every_packet_is_pushed_when_it_arrives():
    clock, book = HandClock(), np.arange(16_000, dtype=np.float32)
    pushed = []
    playing = [
        (source, lambda samples, at=at: pushed.append((clock.now_s, at, samples.size)))
        for at, source in enumerate((Source(100.0, 0), Source(100.005, 0)))
    ]
    seconds = []
    play(playing, book, clock, 102.5, seconds.append)
    assert clock.now_s == 102.5
    assert [at for _, at, _ in pushed[:4]] == [0, 1, 0, 1]
    assert [when for when, _, _ in pushed[:3]] == pytest.approx([100.02, 100.025, 100.04])
    assert {size for _, _, size in pushed} == {PACKET_SAMPLES}
    assert sum(size for _, at, size in pushed if at == 0) == pytest.approx(2.5 * 16_000, abs=320)
    assert seconds == pytest.approx([1.0, 2.0])


def test_late_pushing_takes_what_has_arrived_meanwhile():
    clock, book = HandClock(), np.zeros(16_000, np.float32)
    sizes = []

    def slow(samples):
        sizes.append(samples.size)
        clock.now_s += 0.05

    play([(Source(100.0, 0), slow)], book, clock, 100.5)
    assert sizes[0] == PACKET_SAMPLES
    assert set(sizes[1:]) <= {2 * PACKET_SAMPLES, 3 * PACKET_SAMPLES}


def test_playing_can_be_ended_early():
    clock = HandClock()
    play([], np.zeros(1, np.float32), clock, 200.0, lambda at_s: at_s >= 3)
    assert clock.now_s == pytest.approx(103.0)
