def test_shares_of_a_step_of_many_streams(run, cells, random_folder):
    done = run(
        "speed.shared_step", random_folder, "--mode", "cached", "--context", "0.4-0.4-0.4",
        "--runtime", "onnxruntime", "--streams", "1", "3", "--steps", "1", "--threads", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, one, three = cells(done.stdout.rstrip(), "streams in one step")
    assert [one[0], three[0]] == ["onnxruntime, 1", "onnxruntime, 3"]
    shares = [float(cell.removesuffix(" %")) for cell in three[3:]]
    assert abs(sum(shares[:-1]) - 100) < 1
    assert abs(shares[0] + shares[-1] - 100) < 0.2
