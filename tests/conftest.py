"""What every test may use: the golden model, a cache of its own, hypothesis without a clock."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from parakeet_streaming.load import load

GOLDEN = Path(__file__).parent / "parity" / "golden"

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """What is measured of the machine, and compiled for it, is not kept where the user keeps it."""
    folder = str(tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", folder)
        patch.setenv("LOCALAPPDATA", folder)
        yield


@pytest.fixture(scope="session")
def golden_folder():
    """Golden cases: `golden.json`, `audio/*.wav` and the model `tdt-tiny-onnx`."""
    return GOLDEN


@pytest.fixture(scope="session")
def golden_recognizer(golden_folder):
    """The golden model, loaded once; recognizers are frozen, so tests may share it."""
    return load(golden_folder / "tdt-tiny-onnx", provider="cpu", threads=1)
