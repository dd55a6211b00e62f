"""A stream comes up when its tick has come, once, wherever it was moved to in between."""

from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.live.ticks import Ticks


def test_streams_of_one_tick_come_up_together_in_the_order_in_which_they_were_set():
    ticks = Ticks()
    for stream, at_s in (("b", 2.0), ("a", 1.0), ("c", 2.0)):
        ticks.set(stream, at_s)
    assert (len(ticks), ticks.next_s) == (3, 1.0)
    assert ticks.due(0.5) == []
    assert ticks.due(2.0) == ["a", "b", "c"]
    assert (len(ticks), ticks.next_s) == (0, None)


def test_one_that_was_moved_or_cleared_does_not_come_up():
    ticks = Ticks()
    ticks.set("a", 1.0)
    ticks.set("a", 2.0)
    ticks.set("b", 1.0)
    ticks.clear("b")
    ticks.clear("never there")
    assert ("a" in ticks, "b" in ticks) == (True, False)
    assert ticks.next_s == 2.0
    ticks.set("c", 1.0)
    assert ticks.due(1.0) == ["c"]
    assert ticks.due(2.0) == ["a"]


@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["set", "clear", "due"]), st.integers(0, 4), st.integers(0, 9))
    )
)
def test_against_a_dictionary(acts):
    ticks, wanted = Ticks(), {}
    for act, stream, at in acts:
        if act == "set":
            ticks.set(stream, at / 8)
            wanted.pop(stream, None)
            wanted[stream] = at / 8
        elif act == "clear":
            ticks.clear(stream)
            wanted.pop(stream, None)
        else:
            due = sorted((at_s, n, each) for n, (each, at_s) in enumerate(wanted.items()))
            found = [each for at_s, _, each in due if at_s <= at / 8]
            assert ticks.due(at / 8) == found
            for each in found:
                del wanted[each]
        assert ticks.next_s == min(wanted.values(), default=None)
        assert len(ticks) == len(wanted)
