def test_memory_by_the_minute(run, cells):
    done = run("memory.hour", "--minutes", "1", "--context", "high_quality", "--threads", "1")
    assert done.returncode == 0, done.stderr
    _, before, after = cells(done.stdout, "minute of audio")
    assert [before[0], after[0]] == ["0", "1"]
    assert int(before[2]) == 0
    assert int(after[2]) > 0
    assert "+0.0 MiB from the end of the first minute" in done.stdout
