"""Stretches without audio, and what is heard before them."""

from parakeet_streaming.live.gaps import Gaps

ROOM, OTHER = (1.0,), (2.0,)


def test_each_gap_has_its_room():
    gaps = Gaps()
    gaps.begin(10, 20, ROOM)
    gaps.begin(20, 30, OTHER)
    assert [gaps.room_at(at) for at in (9, 10, 19, 20, 29, 30)] == [
        (), ROOM, ROOM, OTHER, OTHER, (),
    ]  # fmt: skip
    assert gaps.last == (20, 30)
    assert gaps.covers(11, 20)
    assert not gaps.covers(15, 25)


def test_what_is_past_is_forgotten():
    gaps = Gaps([(1, 2), (3, 5)], ROOM)
    assert gaps.up_to(2) == ((1, 2),)
    gaps.forget_before(4)
    assert gaps.up_to(9) == ((3, 5),)
    assert gaps.room_at(4) == ROOM
    gaps.forget_before(5)
    assert (gaps.last, gaps.room_at(4)) == (None, ())
