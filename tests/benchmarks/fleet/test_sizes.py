from benchmarks.fleet.scenario import FULL_SIZE, Replicas
from benchmarks.fleet.sizes import plan_of


def test_two_sizes(run, cells):
    done = run("fleet.sizes", "--sizes", "50", "200", "--hours", "0.5")
    assert done.returncode == 0, done.stderr
    head, small, large = cells(done.stdout.rstrip(), "streams at the peak")
    assert head[2] == "sessions"
    assert int(large[2].replace(",", "")) > int(small[2].replace(",", ""))


def test_burst_and_outage_are_within_it():
    plan = plan_of(Replicas.of(FULL_SIZE), 100, 1_200.0)
    (outage,) = plan.faults.outages
    assert plan.demand.burst.at_s == plan.begins_s + 400.0
    assert outage.at_s == plan.begins_s + 300.0
