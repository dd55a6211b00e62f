import json


def test_a_few_idle_sockets(run, cells, tmp_path):
    report = tmp_path / "idle.json"
    done = run("server.idle", "--sockets", "10", "--seconds", "1", "--json", report)
    assert done.returncode == 0, done.stderr
    assert [row[0] for row in cells(done.stdout, "idle sockets")[1:]] == [
        "native",
        "realtime",
        "deepgram",
    ]
    assert [each["lost"] for each in json.loads(report.read_text())["idle"]] == [0, 0, 0]
