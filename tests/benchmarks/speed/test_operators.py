import pytest

pytest.importorskip("openvino", reason="the openvino extra")


@pytest.mark.parametrize("file", ["encoder-model.onnx", "cached/encoder-cached-model.onnx"])
def test_time_by_kind_of_operator(run, cells, random_folder, file):
    done = run(
        "speed.operators", random_folder, "--file", file, "--precision", "f32", "--streams", "2",
        "--seconds", "1", "--runs", "1", "--past-frames", "3", "--threads", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = cells(done.stdout.rstrip(), "operator, how")[1:]
    assert any(row[0].startswith("FullyConnected") for row in rows)
    assert rows[-1][0] == "all the rest"
    assert all(float(row[1].removesuffix(" ms")) >= 0 for row in rows)
