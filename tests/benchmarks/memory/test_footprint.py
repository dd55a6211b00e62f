def test_start_memory_and_streams(run, cells):
    done = run(
        "memory.footprint", "--runtime", "onnxruntime", "--runs", "1", "--streams", "1", "3",
        "--steps", "1", "--context", "0.4-0.4-0.4", "--threads", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, start = cells(done.stdout, "start")
    assert start[0] == "onnxruntime"
    assert all(float(cell.removesuffix(" s")) > 0 for cell in start[1:])
    _, memory = cells(done.stdout, "resident memory")
    files, before, loading, highest, after = (
        float(cell.removesuffix(" MiB")) for cell in memory[1:6]
    )
    assert 5 < files < 100
    assert before < loading <= highest
    assert before < after <= highest + 1
    assert abs(float(memory[6]) - loading / files) < 0.1
    _, one, three = cells(done.stdout.rstrip(), "streams in one step, `0.4-0.4-0.4`")
    assert [one[0], three[0]] == ["onnxruntime, 1", "onnxruntime, 3"]
    assert one[5] == "–"
    assert 0 < float(three[6].removesuffix(" MiB")) < 5


def test_an_unknown_runtime_is_refused(run):
    done = run("memory.footprint", "--runtime", "abacus")
    assert done.returncode
    assert "abacus" in done.stderr
