"""Shared by all tests: the golden model, and how hypothesis searches."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from parakeet_streaming import Recognizer, load

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    return Path(__file__).parent / "parity" / "golden" / "tdt-tiny-onnx"


@pytest.fixture(scope="session")
def golden_recognizer(golden_folder: Path) -> Recognizer:
    return load(golden_folder)
