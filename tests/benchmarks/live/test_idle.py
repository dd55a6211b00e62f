import json

from benchmarks.live.idle import burst, cpu_share
from parakeet_streaming import LiveEngine, load_vad


def test_processor_time_is_that_of_the_process():
    def count():
        for _ in range(3_000_000):
            pass

    share, took_s = cpu_share(count)
    assert 0.2 < share < 1.5
    assert took_s > 0


def test_joins_are_decided_let_in_or_refused(golden_recognizer):
    with LiveEngine(golden_recognizer, load_vad(), most_streams=3) as engine:
        joins = burst("at most 3", engine, 10)
    assert (joins.calls, joins.let_in) == (10, 3)
    assert 0 < joins.longest_s <= joins.total_s


def test_a_few_silent_streams(run, cells, tmp_path):
    report = tmp_path / "idle.json"
    done = run("live.idle", "--streams", "20", "--seconds", "1", "--threads", "1", "--json", report)
    assert done.returncode == 0, done.stderr
    silent = cells(done.stdout, "silent streams")[1:]
    assert [row[1] for row in silent] == ["20", "20", "20"]
    assert all(float(row[3].removesuffix(" %")) >= 0 for row in silent)
    joins = json.loads(report.read_text())["joins"]
    assert [each["let_in"] for each in joins[:2]] == [20, 2]
    assert 0 < joins[2]["let_in"] <= 20
    assert "goal: below 2%" in done.stdout
