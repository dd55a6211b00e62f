from benchmarks.fleet.losses import BACKOFFS


def test_losses(run, cells):
    done = run("fleet.losses", "--streams", "60", "--hours", "0.3")
    assert done.returncode == 0, done.stderr
    waits = cells(done.stdout, "a third is lost; clients wait")
    assert [row[0] for row in waits[1:]] == list(BACKOFFS)
    assert all(row[1].endswith(" s") for row in waits[1:])
    by_how = {row[0]: row for row in cells(done.stdout, "all are replaced; streams are")}
    came_back, moved = 1, -2
    assert by_how["cut at once"][moved] == "0"
    assert int(by_how["cut at once"][came_back]) > int(by_how["move within 20 s"][came_back])
