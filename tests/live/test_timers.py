"""A task comes up when its time has come, once, wherever it was moved to in between."""

from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.live.timers import Timers


def test_tasks_come_up_in_order_of_their_times():
    timers = Timers()
    for task, at_s in (("b", 2.0), ("a", 1.0), ("c", 3.0)):
        timers.set(task, at_s)
    assert timers.next_s == 1.0
    assert timers.due(2.0) == ["a", "b"]
    assert timers.due(2.5) == []
    assert timers.next_s == 3.0
    assert "c" in timers
    assert "a" not in timers


def test_a_time_that_was_moved_or_cleared_does_not_come_up():
    timers = Timers()
    timers.set("a", 1.0)
    timers.set("a", 5.0)
    timers.set("b", 2.0)
    timers.clear("b")
    timers.clear("never there")
    assert timers.due(4.0) == []
    assert (len(timers), timers.next_s) == (1, 5.0)
    timers.set("a", 3.0)
    assert timers.due(4.0) == ["a"]
    assert timers.next_s is None


@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["set", "clear", "due"]), st.integers(0, 4), st.integers(0, 9))
    )
)
def test_against_a_dictionary(acts):
    timers, naive = Timers(), {}
    for what, task, at_s in acts:
        if what == "set":
            timers.set(task, at_s)
            naive[task] = at_s
        elif what == "clear":
            timers.clear(task)
            naive.pop(task, None)
        else:
            due = {each for each, its_s in naive.items() if its_s <= at_s}
            given = timers.due(at_s)
            assert set(given) == due
            assert [naive[each] for each in given] == sorted(naive[each] for each in due)
            for each in due:
                del naive[each]
        assert len(timers) == len(naive)
        assert timers.next_s == min(naive.values(), default=None)


def test_an_earlier_time_is_kept():
    timers = Timers()
    timers.set_by("a", 5.0)
    timers.set_by("a", 9.0)
    assert timers.next_s == 5.0
    timers.set_by("a", 3.0)
    assert timers.due(4.0) == ["a"]
    assert timers.next_s is None
