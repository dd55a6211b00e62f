"""What a step is, counted as it runs."""

import pytest

pytest.importorskip("torch", reason="the torch extra")

from benchmarks.gpu.counted import kept_bytes, kernels, operations


def test_operations_are_those_of_chunk_and_right_context():
    """Of a cached stream; those of attention to the left context are few."""
    each = operations("2-0.25-0.25", 2, cached=True) - operations("2-0.25-0.25", 1, cached=True)
    assert 29e9 < each / 0.24 < 31e9


@pytest.mark.parametrize("cached", [False, True])
def test_a_graph_is_one_launch(cached):
    """However many layers it has."""
    plain = [kernels("2-0.25-0.25", cached=cached, layers=layers) for layers in (1, 2)]
    assert plain[0].encode + 40 < plain[1].encode
    ready = [kernels("2-0.25-0.25", cached=cached, graphs=True, layers=layers) for layers in (1, 2)]
    assert ready[0].encode == ready[1].encode < 50
    assert ready[0].decode < 100 < plain[0].decode


def test_phrases_are_in_the_graph():
    """Named token by token they are many launches more, and none with graphs."""
    plain, ready = (
        [
            kernels("2-0.25-0.25", cached=True, graphs=graphs, phrases=phrases, layers=1)
            for phrases in (False, True)
        ]
        for graphs in (False, True)
    )
    assert plain[0].decode + 200 < plain[1].decode
    assert ready[0] == ready[1]


def test_kept_bytes():
    assert kept_bytes("10-2-2") == 2 * 24 * 1024 * 2 * 125
