"""Nothing in; the rooms of the package that need numpy and torch alone, ready to import, out."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final

FACE: Final = "parakeet_streaming"
SOURCE: Final = Path(__file__).parents[2] / "src" / FACE
NEEDED_BY_THE_FACE: Final = ("onnx", "onnxruntime", "soundfile", "av", "soxr", "huggingface_hub")
STAND_INS: Final = ("soxr",)
"""Imported by rooms that are used, which at 16 kHz do not use it."""


def make_bare() -> bool:
    """Puts an empty package in place of the face, where libraries are missing; whether it did."""
    missing = [name for name in NEEDED_BY_THE_FACE if find_spec(name) is None]
    if not missing or FACE in sys.modules:
        return False
    face = ModuleType(FACE)
    face.__path__ = [str(SOURCE)]
    sys.modules[FACE] = face
    for name in STAND_INS:
        if name in missing:
            sys.modules[name] = ModuleType(name)
    return True
