from pathlib import Path

from benchmarks.speed import before_after
from benchmarks.speed.before_after import pairs, ratio_table

BEFORE, AFTER = Path("before"), Path("after")


def test_trees_take_turns_and_a_ratio_is_that_of_one_pair(cells):
    ran = []

    def run(tree):
        ran.append(tree)
        busy = 1 + len(ran) // 2  # the machine, which slows down pair by pair
        return {"a step, ms": busy * (10.0 if tree is BEFORE else 11.0), "none": 0.0}

    measured = list(pairs(BEFORE, AFTER, 2, run))
    assert ran == [BEFORE, AFTER, AFTER, BEFORE]
    step, none = cells(ratio_table(measured), "")[1:]
    assert step[0] == "a step, ms"
    assert step[4].split() == ["2.200", "0.733"]
    assert none[3] == "–"


def test_each_tree_runs_in_a_process_of_its_own(run, cells, tmp_path):
    """Both trees are this one, one of them by another path."""
    other = tmp_path / "src"
    other.symlink_to(before_after.REPOSITORY / "src")
    done = run(
        "speed.before_after", other, "--pairs", "1", "--runs", "1", "--contexts", "0.4-0.4-0.4",
        "--cached", "--part", "live", "--streams", "1", "--context", "0.4-0.4-0.4", "--seconds",
        "1",
    )  # fmt: skip
    assert done.returncode
    assert "keeps nothing between steps" in done.stderr
    done = run(
        "speed.before_after", other, "--pairs", "1", "--part", "live", "--streams", "1",
        "--context", "0.4-0.4-0.4", "--seconds", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {row[0]: row for row in cells(done.stdout.rstrip(), "")[1:]}
    assert rows["streams carried"][1:4] == ["1", "1", "1.000"]
    assert float(rows["1 streams: cores used"][1]) > 0
