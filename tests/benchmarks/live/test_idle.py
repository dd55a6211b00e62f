import json
from functools import partial
from types import SimpleNamespace

import pytest

from benchmarks.live import idle
from benchmarks.live.idle import CpuShare, burst, cpu_share, push_silence
from parakeet_streaming import LiveEngine, load_vad
from parakeet_streaming.testing import HandClock


def test_processor_time_is_that_of_the_process(monkeypatch):
    at = {"perf_counter": 3.0, "process_time": 7.0, "thread_time": 1.0}
    clocks = {name: partial(at.__getitem__, name) for name in at}
    monkeypatch.setattr(idle, "time", SimpleNamespace(**clocks))
    share = cpu_share(lambda: at.update(perf_counter=5.0, process_time=8.5, thread_time=1.5))
    assert share == CpuShare(process=0.75, thread=0.25, took_s=2.0)


def test_the_clocks_are_those_of_the_system():
    share = cpu_share(lambda: sum(range(100_000)))
    assert share.took_s > 0
    assert share.process >= share.thread > 0


def test_each_stream_gets_its_silence_in_real_time():
    clock = HandClock(100.0)
    clock.now = clock
    clock.wait_until = lambda when_s: setattr(clock, "now_s", when_s)
    pushed = [[], [], []]

    def stream(into):
        return SimpleNamespace(push=lambda packet: into.append((clock.now_s, packet.size)))

    push_silence([stream(each) for each in pushed], 1.0, clock)
    assert [len(each) for each in pushed] == [10, 10, 10]
    assert {size for each in pushed for _, size in each} == {1_600}
    assert pushed[1][3][0] == pytest.approx(100.0 + 0.3 + 0.1 / 3, abs=0.003)


def test_joins_are_decided_let_in_or_refused(golden_recognizer):
    with LiveEngine(golden_recognizer, load_vad(), most_streams=3) as engine:
        joins = burst("at most 3", engine, 10)
    assert (joins.calls, joins.let_in) == (10, 3)
    assert 0 < joins.longest_s <= joins.total_s


def test_a_few_silent_streams(run, cells, tmp_path):
    report = tmp_path / "idle.json"
    done = run("live.idle", "--streams", "10", "--seconds", "1", "--threads", "1", "--json", report)
    assert done.returncode == 0, done.stderr
    silent = cells(done.stdout, "silent streams")[1:]
    assert [row[1] for row in silent] == ["10", "10", "10"]
    assert all(float(row[3].removesuffix(" %")) >= 0 for row in silent)
    joins = json.loads(report.read_text())["joins"]
    assert [each["let_in"] for each in joins[:2]] == [10, 1]
    assert 0 < joins[2]["let_in"] <= 10
    assert "goal: below 2%" in done.stdout
