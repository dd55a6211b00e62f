import pytest

from benchmarks.live import search


def asked_of(most_carried):
    """A machine that carries so many, and what it was asked."""
    asked = []

    def carries(streams):
        asked.append(streams)
        return streams <= most_carried

    return carries, asked


@pytest.mark.parametrize("start", [1, 3, 20, 1000])
@pytest.mark.parametrize("carried", [0, 1, 2, 3, 7, 8, 37, 64])
def test_the_greatest_number_is_found(carried, start):
    carries, asked = asked_of(carried)
    assert search.greatest(carries, start, 64) == carried
    assert len(asked) == len(set(asked))
    assert all(1 <= each <= 64 for each in asked)


def test_doubling_and_then_halves():
    carries, asked = asked_of(11)
    assert search.greatest(carries) == 11
    assert asked == [1, 2, 4, 8, 16, 12, 10, 11]


@pytest.mark.parametrize("start", [1, 3, 20])
@pytest.mark.parametrize("carried", [0, 1, 7, 37, 64])
def test_slower_growth_finds_the_same(carried, start):
    assert search.greatest(asked_of(carried)[0], start, 64, growth=1.25) == carried


def test_near_is_near_enough():
    carries, asked = asked_of(33)
    assert search.greatest(carries, 24, growth=1.25, near=0.1) == 32
    assert asked == [24, 30, 38, 34, 32]
    carries, asked = asked_of(330)
    found = search.greatest(carries, 300, growth=1.25, near=0.1)
    assert 0.9 * 330 <= found <= 330
    assert len(asked) <= 4


def test_a_number_that_does_not_last_gives_way():
    carries, asked = asked_of(90)
    assert search.confirmed(carries, 100) == 87
    assert asked == [100, 95, 91, 87]


def test_nothing_lasts():
    carries, asked = asked_of(0)
    assert search.confirmed(carries, 3) == 0
    assert asked == [3, 2, 1]
    assert search.confirmed(carries, 0) == 0
