from benchmarks.fleet.demand import DAY_S
from benchmarks.fleet.sizes import simulated_s


def test_two_sizes(run, cells):
    done = run("fleet.sizes", "--sizes", "50", "200", "--hours", "0.5")
    assert done.returncode == 0, done.stderr
    head, small, large = cells(done.stdout.rstrip(), "streams at the peak")
    assert head[2] == "sessions"
    assert int(large[2].replace(",", "")) > int(small[2].replace(",", ""))


def test_how_long_each_size_is_simulated():
    assert simulated_s(1_000) == DAY_S
    assert simulated_s(10_000) == 4 * 3_600
    assert simulated_s(100_000) == 3_600
    assert simulated_s(1e6) == 1_200
