"""What Ray tells of a replica that did not start in; the line that says why, out."""

from __future__ import annotations

from typing import Final

_OURS: Final = "parakeet_streaming.errors."


def reason_in(told: str) -> str:
    """The words of our own error at the end of the traces, or else the last line that is not empty.

    Args:
        told: traces of several processes, one within another.
    """
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    ours = [line for line in lines if line.startswith(_OURS)]
    if ours:
        return ours[-1].partition(": ")[2] or ours[-1]
    return lines[-1] if lines else "Ray does not say why"
