import numpy as np

from parakeet_streaming import __version__


def test_hardware_and_versions(run, cells):
    done = run("report.machine")
    assert done.returncode == 0, done.stderr
    known = dict(cells(done.stdout.rstrip(), "machine")[1:])
    assert known["parakeet streaming"] == __version__
    assert known["numpy"] == np.__version__
    assert "CPUExecutionProvider" in known["providers"]
    assert all(known.values())
