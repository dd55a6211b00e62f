"""Numbers that a network gave in; an error that names its file, if they are none, out.

A broken file, or float16 that overflows, gives NaN or infinity. From there on a decoder would only
give one token, again and again, and a stream would never recover.
"""

from __future__ import annotations

import numpy as np

from parakeet_streaming.errors import ComputeError
from parakeet_streaming.ports import Floats


def require_finite(values: Floats, name: str) -> None:
    """Refuses NaN and infinity.

    Raises:
        ComputeError: there is such a number; the message calls the network's file `name`.
    """
    if not np.isfinite(values).all():
        raise broken(name)


def require_scores(logits: Floats, name: str) -> None:
    """Refuses logits without a best one; -inf is allowed for others, which it only rules out.

    Raises:
        ComputeError: NaN, infinity, or nothing but -inf.
    """
    if logits.size and not np.isfinite(logits.max(axis=-1)).all():
        raise broken(name)


def broken(name: str) -> ComputeError:
    """What is raised of a network whose file is called `name`."""
    return ComputeError(
        f"{name} gave numbers that are not finite: its weights are broken, or too large for its "
        "precision; check it with `parakeet models verify`, then fetch or export it again, or use "
        "another precision"
    )
