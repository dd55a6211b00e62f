def test_the_peak_and_the_encoders_share_of_it(run, cells):
    done = run(
        "speed.peak", "--side", "64", "--streams", "1", "2", "--window-s", "1", "--runs", "1",
        "--runtime", "onnxruntime", "--threads", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = cells(done.stdout, "product of 64 x 64, 1 threads")
    assert rows[1][0] == "float32"
    _, one, two = cells(done.stdout.rstrip(), "windows of 1 s in one call")
    assert [one[0], two[0]] == ["onnxruntime, 1", "onnxruntime, 2"]
    work = [float(row[1].removesuffix(" GFLOP")) for row in (one, two)]
    assert 0 < work[0] < work[1] <= 2 * work[0] + 0.1
