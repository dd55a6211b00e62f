"""What every test may use: the golden model, and hypothesis without a clock."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from parakeet_streaming.load import load

GOLDEN = Path(__file__).parent / "parity" / "golden"

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def golden_folder():
    """Golden cases: `golden.json`, `audio/*.wav` and the model `tdt-tiny-onnx`."""
    return GOLDEN


@pytest.fixture(scope="session")
def golden_recognizer(golden_folder):
    """The golden model, loaded once; recognizers are frozen, so tests may share it."""
    return load(golden_folder / "tdt-tiny-onnx", provider="cpu", threads=1)
