"""Nothing in; the names of all targets, and each target with its seeds, out."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol, cast

from fuzz import targets

ROOT: Final = Path(__file__).parents[1]
SEEDS: Final = ROOT / "tests" / "fuzz" / "seeds"
"""A folder for each target: inputs that once were findings, and others that no code makes."""

FINDINGS: Final = "findings"
"""Of what a run leaves of a target, the folder with what must be looked at."""


class TargetModule(Protocol):
    """A file of `targets/`."""

    def run(self, data: bytes) -> None:
        """Gives the bytes to the product; raises what must not happen."""

    def seeds(self) -> Iterable[bytes]:
        """Inputs that are right, or nearly so."""


def target_names() -> list[str]:
    """In the order of the alphabet."""
    return sorted(each.name for each in pkgutil.iter_modules(targets.__path__))


def load_target(name: str) -> TargetModule:
    """A target by its name."""
    return cast("TargetModule", importlib.import_module(f"fuzz.targets.{name}"))


def seeds_of(name: str) -> list[bytes]:
    """Made by the target, and kept in its folder."""
    kept = sorted((SEEDS / name).glob("*"))
    return [*load_target(name).seeds(), *(path.read_bytes() for path in kept)]
