import pytest


def shares(row):
    return [float(cell.removesuffix(" %")) for cell in row if cell.endswith(" %")]


def test_shares_of_the_built_in_model(run, cells):
    done = run("speed.overhead", "--seconds", "3", "--runs", "1", "--context", "balanced")
    assert done.returncode == 0, done.stderr
    _, balanced = cells(done.stdout, "share of time")
    graph, *others, outside = shares(balanced)
    assert balanced[0] == "`balanced`"
    assert graph + sum(others) == pytest.approx(100, abs=0.4)
    assert graph + outside == pytest.approx(100, abs=0.2)
    _, calls = cells(done.stdout.rstrip(), "time per second of audio")
    steps, joint_calls = int(calls[1]), int(calls[4])
    assert steps == 6
    assert joint_calls >= steps


def test_a_decoder_of_full_size(run, cells):
    pytest.importorskip("torch", reason="the export extra")
    done = run(
        "speed.overhead", "--full-size", "--encoder-layers", "1", "--seconds", "3", "--runs", "1",
        "--context", "offline", "--frames-per-call", "1", "8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    head, one, eight = cells(done.stdout.rstrip(), "time per second of audio")
    assert [one[0], eight[0]] == ["offline, 1 frames a call", "offline, 8 frames a call"]
    tokens_per_s, joint_calls = head.index("tokens/s"), head.index("joint calls")
    assert one[tokens_per_s] == eight[tokens_per_s]
    # No more than one for each frame of 80 ms.
    assert 1 < float(one[tokens_per_s]) < 12.5
    assert int(one[joint_calls]) > int(eight[joint_calls])
