"""What the host does for each row, counted as it runs."""

import pytest

pytest.importorskip("torch", reason="the torch extra")

from benchmarks.gpu import host_rows
from benchmarks.gpu.host_rows import measured
from parakeet_streaming.torch_runtime.captured import Captured, Graphs
from parakeet_streaming.torch_runtime.transducer import TorchTransducer


@pytest.mark.parametrize("cached", [True, False])
def test_calls_of_a_row_are_few(cached):
    """Slots, states and tokens are made for each; nothing else is a call."""
    before = Captured.run, Graphs.capture, TorchTransducer.encode
    row = measured("2-0.25-0.25", cached=cached, counted=(8, 32), timed=(8, 16), steps=1)
    assert 5 < row.calls < 25
    assert (Captured.run, Graphs.capture, TorchTransducer.encode) == before


def test_a_table(monkeypatch, capsys):
    real = host_rows.measured
    monkeypatch.setattr(
        host_rows,
        "measured",
        lambda context, cached: real(
            context, cached=cached, counted=(8, 16), timed=(8, 16), steps=1
        ),
    )
    host_rows.main(["2-0.25-0.25"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("| 2-0.25-0.25 | cached |")
