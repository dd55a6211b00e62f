"""The cost of checkpoints is measured on real streams."""

from benchmarks.server.checkpoints import measured


def test_each_part_of_each_checkpoint_is_timed():
    state, write, sign, sizes, computed_s, steps = measured("tiny-en", 2, "2-0.5-0.5", 1.0, 4.0)
    assert len(state.calls_s) == len(write.calls_s) == len(sign.calls_s) == len(sizes) > 3
    assert 1_000 < min(sizes) <= max(sizes) < 30_000
    assert computed_s > 0
    assert steps > 3
