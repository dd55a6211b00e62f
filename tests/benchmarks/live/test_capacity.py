import pytest


def test_figures_of_a_trial(program, golden_recognizer):
    pacing, capacity = program("pacing"), program("capacity")
    speaker = pacing.Speaker(0.0, 0, golden_recognizer.stream(), late_s=[0.1] * 98 + [0.6, 0.9])
    other = pacing.Speaker(0.0, 0, golden_recognizer.stream(), late_s=[0.1] * 99 + [0.6])
    trial = pacing.Trial((speaker, other), took_s=10.0, busy_s=4.0, batches=(1, 2, 3))
    held = capacity.held_of(trial, used_s=15.0, graph_s=3.0)
    assert (held.streams, held.carried, held.chunks) == (2, 1, 200)
    assert held.late_s[0] == pytest.approx(0.1)
    assert held.late_s[3] == pytest.approx(0.9)
    assert (held.batch_mean, held.batch_most) == (2.0, 3)
    assert held.busy_share == pytest.approx(0.4)
    assert held.outside_share == pytest.approx(0.25)
    assert held.cores_used == pytest.approx(1.5)


def test_a_trial_in_which_nothing_counted_carries_nobody(program, golden_recognizer):
    pacing, capacity = program("pacing"), program("capacity")
    speaker = pacing.Speaker(0.0, 0, golden_recognizer.stream())
    trial = pacing.Trial((speaker,), took_s=1.0, busy_s=0.0, batches=())
    assert capacity.held_of(trial, 0.0, 0.0).carried == 0


def test_a_short_look(run):
    done = run(
        "live.capacity", "--context", "0.4-0.24-0.24", "--trial-s", "0.5", "--minutes", "0.01",
        "--most", "1", "--threads", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 streams for" in done.stderr
    assert "`tiny-en`, context 0.4-0.24-0.24, window, onnxruntime, 1 threads" in done.stdout
