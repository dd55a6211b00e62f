from benchmarks.fleet.scaling import Ahead, Fixed, Greatest, Load, Occupancy, Seen, Spare


def wanted(rule, streams, load=0.0):
    return rule.wanted(Seen(0.0, streams, 20, load))


def test_rules():
    assert wanted(Fixed(7), 10_000) == 7
    assert wanted(Occupancy(0.8), 160) == 10
    assert wanted(Occupancy(0.8), 161) == 11
    assert wanted(Spare(0.1, 40), 160) == 10
    assert wanted(Spare(0.1, 40), 1_000) == 55
    assert wanted(Load(0.5), 0, load=10.1) == 21


def test_one_replica_is_always_there():
    for rule in (Occupancy(0.8), Spare(0.1, 0), Load(0.5)):
        assert wanted(rule, 0) == 1


def test_ahead_takes_the_greater_of_now_and_soon():
    rule = Ahead(Occupancy(1.0), lambda at_s: at_s, 600)
    assert wanted(rule, 100) == 30
    assert wanted(rule, 1_000) == 50


def test_the_rule_that_wants_most_decides():
    rule = Greatest((Occupancy(1.0), Load(0.5)))
    assert wanted(rule, 200, load=1.0) == 10
    assert wanted(rule, 200, load=8.0) == 16
