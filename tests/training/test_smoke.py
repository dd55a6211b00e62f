"""The whole chain, on a few clips of the repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming import load

REPOSITORY = Path(__file__).parents[2]


def run(*arguments):
    path = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)])
    return subprocess.run(
        [sys.executable, "-m", "training", *arguments],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=1_200,
    )


def test_one_command_trains_exports_judges_and_tells(tmp_path):
    done = run("all", "--smoke", "--steps", "12", "--work", str(tmp_path))
    assert done.returncode == 0, done.stderr
    stages = [line.split(":")[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert stages == [
        "synthesise", "phrases", "prepare", "teach", "tokenizer", "train", "export", "evaluate",
        "card",
    ]  # fmt: skip
    for folder, precision in (("export", "fp32"), ("export-int8", "int8")):
        recognizer = load(tmp_path / folder, precision=precision, provider="cpu", threads=1)
        assert recognizer.max_window_samples == 400 * 16_000
    evaluation = json.loads((tmp_path / "evaluation.json").read_text())
    assert {score["precision"] for score in evaluation["scores"]} == {"fp32", "int8"}
    contexts = {score["context"] for score in evaluation["scores"]}
    assert contexts == {"offline", "balanced", "cached balanced"}
    card = (tmp_path / "export-int8" / "README.md").read_text()
    for told in ("of this repository", "12 steps", "| int8 | offline |", "silence"):
        assert told in card


def test_a_stage_out_of_order_tells_what_is_missing(tmp_path):
    done = run("train", "--steps", "1", "--work", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "prepare" in done.stderr or "tokenizer" in done.stderr
