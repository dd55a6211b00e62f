from benchmarks.fleet.placement import POLICIES
from benchmarks.fleet.policies import scaling_rules
from benchmarks.fleet.scenario import FULL_SIZE, Replicas, day


def test_tables_of_steady_streams(run, cells):
    done = run(
        "fleet.policies", "placement", "admission", "balancers", "--streams", "60", "--hours", "0.1"
    )
    assert done.returncode == 0, done.stderr
    placed = cells(done.stdout, "refused at first, 1 / 2 tries at the edge")
    assert [row[0] for row in placed[1:]] == list(POLICIES)
    assert len(cells(done.stdout, "speech")) == 27
    assert len(cells(done.stdout, "90 % of slots taken")) == 9


def test_tables_of_a_day(run, cells):
    done = run("fleet.policies", "scaling", "tidying", "--streams", "60", "--hours", "0.2")
    assert done.returncode == 0, done.stderr
    rules = scaling_rules(day(Replicas.of(FULL_SIZE), 60))
    assert [row[0] for row in cells(done.stdout, "rule")[1:]] == list(rules)
    assert len(cells(done.stdout, "placement")) == 7


def test_a_table_that_there_is_not(run):
    done = run("fleet.policies", "none")
    assert done.returncode == 2
    assert "no table none" in done.stderr
