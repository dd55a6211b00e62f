import json


def test_one_client_over_each_protocol(run, cells, tmp_path):
    report = tmp_path / "load.json"
    done = run(
        "server.load", "--streams", "1", "--seconds", "3", "--context", "1-0.5-0.5",
        "--commit-every", "2", "--threads", "1", "--json", report,
        "--doors", "native", "realtime", "webrtc",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    rows = cells(done.stdout, "late")
    assert [row[0] for row in rows[1:]] == ["engine", "native", "realtime", "webrtc"]
    assert [row[-1] for row in rows[1:]] == ["0", "0", "0", "0"]
    late = json.loads(report.read_text())["late"]
    assert late["native"]["texts"]["count"] > 0
    assert late["realtime"]["commits"]["count"] > 0
    assert late["webrtc"]["texts"]["count"] > 0
    assert "µs of a core for a packet" in done.stdout


def test_tables_of_people():
    from benchmarks.server.load import carried_table

    assert "| native | 9 | 90.0 % |" in carried_table({"engine": 10, "native": 9})
