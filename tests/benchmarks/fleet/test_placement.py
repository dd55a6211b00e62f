import random
from collections import Counter

import pytest

from benchmarks.fleet.placement import POLICIES, AtRandom, ConsistentHash, Counts, Packing

SLOTS = 10


def placement(name, replicas=range(8)):
    made = POLICIES[name](random.Random(1), SLOTS)
    for each in replicas:
        made.add(each)
    return made


def filled(made, streams):
    """Where so many streams went."""
    went = Counter()
    for key in range(streams):
        replica = made.choose(key, 0)
        made.changed(replica, 1)
        went[replica] += 1
    return went


@pytest.mark.parametrize("name", POLICIES)
def test_nobody_is_sent_where_no_replica_is(name):
    made = placement(name, [])
    assert made.choose(1, 0) is None
    made.add(3)
    assert made.choose(1, 0) == 3
    made.changed(3, 1)
    made.remove(3)
    made.changed(3, -1)
    assert made.choose(1, 0) is None


@pytest.mark.parametrize("name", POLICIES)
def test_a_replica_that_was_removed_is_not_chosen(name):
    made = placement(name)
    filled(made, 40)
    for each in (0, 3, 7):
        made.remove(each)
    assert set(filled(made, 200)) == {1, 2, 4, 5, 6}


@pytest.mark.parametrize("name", ["round robin", "least connections"])
def test_these_spread_evenly(name):
    assert set(filled(placement(name), 40).values()) == {5}


def test_two_choices_spread_better_than_one():
    one = filled(placement("random", range(100)), 1_000)
    two = filled(placement("power of two choices", range(100)), 1_000)
    assert max(two.values()) < max(one.values())


def test_packing_fills_one_after_the_other_up_to_its_spare_slots():
    went = filled(placement("fullest with room"), 20)
    assert sorted(went.values()) == [2, 9, 9]


def test_packing_asks_the_emptiest_after_a_refusal():
    made = Packing(9)
    made.add(1)
    made.add(2)
    made.changed(1, 5)
    assert (made.choose(0, 0), made.choose(0, 1)) == (1, 2)


def test_a_hash_keeps_sessions_where_they_were_when_replicas_come():
    made = placement("consistent hash", range(20))
    before = {key: made.choose(key, 0) for key in range(2_000)}
    made.add(20)
    moved = [key for key in before if made.choose(key, 0) != before[key]]
    assert all(made.choose(key, 0) == 20 for key in moved)
    assert 40 < len(moved) < 190


def test_a_hash_goes_on_to_another_replica_after_a_refusal():
    made = ConsistentHash()
    for each in range(3):
        made.add(each)
    assert {made.choose(5, tries) for tries in range(3)} == {0, 1, 2}
    assert made.choose(5, 7) in {0, 1, 2}


def test_counts_in_any_order():
    drawn, counts, plain = random.Random(2), Counts(), {}
    for each in range(30):
        counts.add(each)
        plain[each] = 0
    for _ in range(2_000):
        replica = drawn.randrange(30)
        by = 1 if plain[replica] == 0 or drawn.random() < 0.55 else -1
        counts.changed(replica, by)
        plain[replica] += by
        assert plain[counts.least()] == min(plain.values())
        limit = drawn.randrange(12)
        below = [count for count in plain.values() if count < limit]
        fullest = counts.fullest_below(limit)
        assert (fullest is None) == (not below)
        assert fullest is None or plain[fullest] == max(below)


def test_a_removed_replica_leaves_its_place_to_the_last_one():
    made = AtRandom(random.Random(0))
    for each in range(3):
        made.add(each)
    made.remove(0)
    made.remove(1)
    assert {made.choose(0, 0) for _ in range(9)} == {2}
