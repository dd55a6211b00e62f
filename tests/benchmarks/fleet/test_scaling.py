from benchmarks.fleet.scaling import Ahead, Fixed, Occupancy, Spare


def test_rules():
    assert Fixed(7).wanted(0, 10_000, 20) == 7
    assert Occupancy(0.8).wanted(0, 160, 20) == 10
    assert Occupancy(0.8).wanted(0, 161, 20) == 11
    assert Spare(0.1, 40).wanted(0, 160, 20) == 10
    assert Spare(0.1, 40).wanted(0, 1_000, 20) == 55


def test_one_replica_is_always_there():
    assert Occupancy(0.8).wanted(0, 0, 20) == 1
    assert Spare(0.1, 0).wanted(0, 0, 20) == 1


def test_ahead_takes_the_greater_of_now_and_soon():
    rule = Ahead(Occupancy(1.0), lambda at_s: at_s, 600)
    assert rule.wanted(0, 100, 20) == 30
    assert rule.wanted(0, 1_000, 20) == 50
