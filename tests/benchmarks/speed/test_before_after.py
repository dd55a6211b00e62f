from benchmarks.speed.before_after import REPOSITORY, Pairs, in_pairs, ratio_table


def test_trees_take_turns_and_a_ratio_is_that_of_one_pair():
    ran = []

    def measured(tree, step_ms):
        def run():
            ran.append(tree)
            busy = 1 + (len(ran) - 1) // 2  # the machine, which slows down pair by pair
            return {"a step, ms": busy * step_ms}

        return run

    found = in_pairs(3, measured("before", 10.0), measured("after", 11.0))
    assert ran == ["before", "after", "after", "before", "before", "after"]
    assert found["a step, ms"] == Pairs([10.0, 20.0, 30.0], [11.0, 22.0, 33.0])
    assert [round(each, 6) for each in found["a step, ms"].ratios] == [1.1, 1.1, 1.1]


def test_ratios_are_of_the_least_and_of_the_pairs(cells):
    found = {"a step": Pairs([10.0, 20.0, 40.0], [12.0, 20.0, 36.0]), "none": Pairs([0.0], [0.0])}
    step, none = cells(ratio_table(found), "")[1:]
    assert step == ["a step", "10", "12", "20", "20", "1.200", "1.000", "0.900 to 1.200"]
    assert none[5:] == ["–", "–", "–"]


def test_steps_of_two_trees(run, cells, tmp_path):
    """Both trees are this one, one of them by another path."""
    other = tmp_path / "src"
    other.symlink_to(REPOSITORY / "src")
    done = run(
        "speed.before_after", other, "--pairs", "2", "--contexts", "0.4-0.4-0.4", "--streams", "1"
    )
    assert done.returncode == 0, done.stderr
    rows = cells(done.stdout.rstrip(), "")[1:]
    names = ["step, 1 x 0.4-0.4-0.4, ms", "recording, 10 s, ms", "recording, 60 s, ms"]
    assert [row[0] for row in rows] == names
    assert all(0.2 < float(row[6]) < 5 for row in rows)


def test_live_streams_of_two_trees(run, cells, tmp_path):
    other = tmp_path / "src"
    other.symlink_to(REPOSITORY / "src")
    live = ("--part", "live", "--streams", "1", "--context", "0.4-0.4-0.4", "--seconds", "1")
    done = run("speed.before_after", other, "--pairs", "1", *live)
    assert done.returncode == 0, done.stderr
    rows = {row[0]: row for row in cells(done.stdout.rstrip(), "")[1:]}
    assert rows["streams carried"][1:3] == ["1", "1"]
    assert float(rows["1 streams: cores used"][1]) > 0
    done = run("speed.before_after", other, "--pairs", "1", "--cached", *live)
    assert done.returncode == 0, done.stderr
    rows = {row[0]: row for row in cells(done.stdout.rstrip(), "")[1:]}
    assert rows["streams carried"][1:3] == ["1", "1"]
