"""The prepared program, from beginning to end, where only numpy and torch are installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the torch extra")

ROOT = Path(__file__).parents[3]
BARE = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {missing!r}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Missing())
import importlib.util as util
real = util.find_spec
util.find_spec = lambda name, *rest: None if name in {missing!r} else real(name, *rest)
from benchmarks.gpu.run import main
main(sys.argv[1:])
"""
MISSING = (
    *("onnx", "onnxruntime", "soundfile", "av", "soxr", "huggingface_hub", "typer", "rich"),
    *("sentencepiece", "yaml", "safetensors", "openvino"),
)


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    from benchmarks.gpu.parity import prepare

    return prepare(tmp_path_factory.mktemp("golden") / "golden.pt")


def test_every_part_writes_what_it_found(golden, tmp_path):
    script = BARE.format(missing=MISSING)
    options = ("--small", "--device", "cpu", "--to", str(tmp_path), "--golden", str(golden))
    done = subprocess.run(
        [sys.executable, "-c", script, *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "results.json").read_text("utf-8"))
    parts = (
        *("parity", "phrases", "steps", "parity_graphs", "phrases_graphs", "steps_graphs"),
        *("steps_phrases", "offline", "paced", "profile"),
    )
    for part in parts:
        assert f"{part}_took_s" in found
        assert "failed" not in found[part], found[part]
    for part in ("parity", "parity_graphs"):
        assert found[part]["alike"] == found[part]["cases"] > 20
    for part in ("phrases", "phrases_graphs"):
        assert found[part]["alike"] == found[part]["cases"] == 24
        assert found[part]["changed"] > 0
    for part in ("steps", "steps_graphs", "steps_phrases"):
        assert all(row["whole_ms"] > 0 for rows in found[part].values() for row in rows)
    assert set(found["steps_graphs"]) == {"2-0.25-0.25 cached bf16", "2-0.25-0.25 windows bf16"}
    assert set(found["steps_phrases"]) == {"graphs", "plain"}
    assert len(found["offline"]) == 2
    assert [each["context"] for each in found["paced"]] == ["10-2-2", "5-0.5-0.5", "2-0.25-0.25"]
    for told in found["profile"].values():
        assert sum(told["device_shares"].values()) == pytest.approx(1, abs=0.01)
