import numpy as np
import pytest

from benchmarks.report import machine
from parakeet_streaming import __version__


def test_hardware_and_versions(run, cells):
    done = run("report.machine")
    assert done.returncode == 0, done.stderr
    known = dict(cells(done.stdout.rstrip(), "machine")[1:])
    assert known["parakeet streaming"] == __version__
    assert known["numpy"] == np.__version__
    assert "CPUExecutionProvider" in known["providers"]
    assert all(known.values())


def test_what_replaces_methods_refuses_a_compiled_package(monkeypatch):
    machine.refuse_compiled()
    monkeypatch.setattr(machine, "is_compiled", lambda: True)
    with pytest.raises(SystemExit, match="not compiled"):
        machine.refuse_compiled()
