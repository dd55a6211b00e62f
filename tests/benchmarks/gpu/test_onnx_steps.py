"""Steps with ONNX Runtime, and what the host copies, on the processor."""

import json

import pytest

pytest.importorskip("torch", reason="the torch extra")

from benchmarks.gpu.onnx_steps import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("random")
    main(["--make", str(made), "--small"])
    return made


@pytest.mark.parametrize("mode", [[], ["--windows"]], ids=["cached", "windows"])
def test_only_what_the_host_needs_comes_back(folder, tmp_path, mode):
    """Keys, values, frames and states stay; features go there, and a few numbers come back."""
    results = tmp_path / "steps.json"
    options = ["--model", str(folder), "--provider", "cpu", "--small", "--batches", "1", "3"]
    main([*options, "--to", str(results), *mode])
    rows = json.loads(results.read_text("utf-8"))
    assert [(row["streams"], row["stays"]) for row in rows] == [
        *((1, True), (3, True), (1, False), (3, False))
    ]
    for kept, plain in zip(rows[:2], rows[2:], strict=True):
        assert kept["read_kb"] < 0.1 * plain["read_kb"]
        assert kept["sent_kb"] < plain["sent_kb"]
