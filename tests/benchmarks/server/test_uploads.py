def test_a_client_beside_an_upload(run, cells):
    done = run(
        "server.uploads", "--streams", "1", "--uploads", "1", "--seconds", "2", "--recording-s",
        "5", "--context", "1-0.5-0.5", "--threads", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    assert [row[-1] for row in cells(done.stdout, "late")[1:]] == ["0", "0"]
    assert "1 different texts" in done.stdout
