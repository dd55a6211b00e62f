import json

import pytest

from benchmarks.fleet.measure import with_full_windows
from benchmarks.fleet.reports import read
from benchmarks.live.trial import Cut, Held
from parakeet_streaming import ContextConfig


def test_a_short_look(run, tmp_path):
    report = tmp_path / "report.json"
    done = run(
        "fleet.measure", "--context", "0.4-0.24-0.24", "--streams", "1", "2", "--seconds", "0.5",
        "--threads", "1", "--json", report,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 streams: " in done.stderr
    assert [each.streams for each in read(report).trials] == [1, 2]
    assert json.loads(report.read_text())["machine"]["processor"]


def test_short_windows_at_the_beginning_do_not_count_as_cheap_ones():
    held = Held(1, 1, 10.0, 9, (0.1,) * 4, 1.0, 0.4, 0.1, 0.1, 0)
    cut = Cut.of(ContextConfig(4.0, 1.0, 1.0, sample_rate=16_000))
    full = with_full_windows(held, cut, cached=False)
    assert 0.4 < full.busy_share < 0.6
    assert with_full_windows(held, cut, cached=True) == held
    long = Held(1, 1, 10_000.0, 9, (0.1,) * 4, 1.0, 0.4, 0.1, 0.1, 0)
    assert with_full_windows(long, cut, cached=False).busy_share == pytest.approx(0.4, rel=0.01)
