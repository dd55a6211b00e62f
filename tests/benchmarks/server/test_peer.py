def test_ours_alone(run, cells):
    done = run("server.peer", "--clients", "2", "--seconds", "1")
    assert done.returncode == 0, done.stderr
    rows = cells(done.stdout, "server")[1:]
    assert [(row[0], row[-1]) for row in rows] == [("native", "0"), ("realtime", "0")]
    assert "The engine alone" in done.stdout
