"""Nothing in; the folder of what ships with the package out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

BUILT_IN_FOLDER: Final = Path(__file__).resolve().parent.parent / "builtin"
"""Holds a folder for each built-in model, and one for the network of voice activity."""
