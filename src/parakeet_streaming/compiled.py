"""Nothing in; whether what runs for each stream and step was compiled, out.

`scripts/compile` makes a wheel in which machine code stands for these modules, by mypyc; the list
is in pyproject.toml. Their classes cannot be subclassed by others, and no method of theirs can be
replaced; the modules that hold values which are written down by their types are not among them.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

_ONE_OF_THEM: Final = "parakeet_streaming.live.loop"


def is_compiled() -> bool:
    """Whether this package was compiled."""
    found = find_spec(_ONE_OF_THEM)
    origin = None if found is None else found.origin
    return origin is not None and not origin.endswith((".py", ".pyc"))
