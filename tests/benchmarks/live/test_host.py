"""What the host takes is counted for each stream and step, with and without a profile."""

import json


def test_a_few_streams_are_counted(run, cells, tmp_path):
    report = tmp_path / "host.json"
    done = run("live.host", "--streams", "20", "--seconds", "1", "--json", report)
    assert done.returncode == 0, done.stderr
    rows = cells(done.stdout, "streams that say something")[1:]
    assert [row[1] for row in rows] == ["20", "20"]
    assert all(float(row[3]) > 0 for row in rows)
    told = json.loads(report.read_text())["all of it decoded"]
    assert told["steps"] > 20
    assert told["late_s"][0] > 0


def test_a_profile_shows_files_and_functions(run):
    done = run("live.host", "--streams", "5", "--seconds", "1", "--vad", "none", "--profile", "9")
    assert done.returncode == 0, done.stderr
    assert "live/loop.py" in done.stdout
    assert "function | µs | calls" in done.stdout


def test_by_hand(run, cells):
    done = run("live.host", "--streams", "5", "--seconds", "1", "--vad", "none", "--by-hand")
    assert done.returncode == 0, done.stderr
    (row,) = cells(done.stdout, "streams that say something")[1:]
    assert row[1] == "5"
