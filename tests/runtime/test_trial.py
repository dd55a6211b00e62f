"""OpenVINO that is installed and cannot compute decides nothing, however it fails."""

import os
import subprocess
import sys

import pytest

from parakeet_streaming.runtime import openvino_runtime, trial
from parakeet_streaming.runtime.trial import compute, openvino_computes
from tests.catalog.graphs import GOLDEN

DEADLY = "import os, signal\nos.kill(os.getpid(), signal.SIGILL)"
FAILING = "class Core:\n    def __init__(self):\n        raise RuntimeError('no AVX here')"
NOT_LOADED = "raise OSError('libtbb.so.12: cannot open shared object file')"
NO_MEMORY = "class Core:\n    def get_property(self, *_):\n        raise MemoryError('bad_alloc')"


@pytest.fixture(autouse=True)
def installed():
    pytest.importorskip("openvino", reason="the openvino extra")


@pytest.fixture(params=[DEADLY, FAILING, NOT_LOADED, NO_MEMORY])
def broken(request, tmp_path):
    """A folder with an OpenVINO that cannot compute."""
    if request.param == DEADLY and sys.platform == "win32":
        pytest.skip("no such signal")
    (tmp_path / "lib/openvino").mkdir(parents=True)
    (tmp_path / "lib/openvino/__init__.py").write_text(request.param)
    return tmp_path / "lib"


def environment(broken, cache):
    path = os.pathsep.join([str(broken), *filter(None, sys.path)])
    return os.environ | {"PYTHONPATH": path, "XDG_CACHE_HOME": str(cache)}


def test_it_computes_where_it_can():
    compute()
    assert openvino_computes()


def test_it_does_not_where_it_cannot(broken, monkeypatch, caplog):
    monkeypatch.syspath_prepend(broken)
    assert not openvino_computes()
    assert "does not compute here" in caplog.text


def test_load_and_doctor_work_without_it(broken, tmp_path):
    program = (
        f"from parakeet_streaming import load; import sys\n"
        f"assert load({str(GOLDEN)!r}).runs_on.startswith('onnxruntime')\n"
        "from parakeet_streaming.cli.app import app\n"
        "app(['doctor'], standalone_mode=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(broken, tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "it does not compute on this machine" in done.stdout


def test_one_that_is_asked_for_is_an_error_in_one_line(broken, tmp_path):
    if "SIGILL" in (broken / "openvino/__init__.py").read_text():
        pytest.skip("nothing can be said any more")
    sound = GOLDEN.parent / "audio/cards.wav"
    arguments = ["transcribe", str(sound), "--model", str(GOLDEN), "--runtime", "openvino"]
    done = subprocess.run(
        [sys.executable, "-c", "from parakeet_streaming.cli import main; main()", *arguments],
        env=environment(broken, tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert "use the runtime onnxruntime" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_program_in_one_file_is_not_started_again(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(trial.subprocess, "run", None)
    assert openvino_computes()


def test_a_machine_that_starts_no_process(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert openvino_computes()


def test_a_trial_without_end(monkeypatch, caplog):
    monkeypatch.setattr(trial, "_LONGEST_S", 0.05)
    assert not openvino_computes()
    assert "did not compute a small graph" in caplog.text


def test_bfloat16_of_a_runtime_that_cannot_start(monkeypatch):
    def core(_):
        raise RuntimeError("no")

    monkeypatch.setattr(openvino_runtime, "_core", core)
    assert not openvino_runtime.multiplies_bfloat16()
