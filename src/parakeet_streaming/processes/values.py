"""Frozen values (options, statistics, metrics) in; JSON's own types out, and back, checked.

It is the format of snapshots (`engine/snapshot_values.py`): every field is what its type says, or
the message is refused.
"""

from __future__ import annotations

from typing import Any, TypeVar

from parakeet_streaming.engine.snapshot_values import PlainReader, PlainWriter
from parakeet_streaming.processes.frames import FrameError

T = TypeVar("T")


def plain(value: object) -> Any:  # noqa: ANN401  JSON is anything
    """A value as JSON's own types."""
    return PlainWriter().plain(value)


def value_of(kind: type[T], plain: Any) -> T:  # noqa: ANN401  JSON is anything
    """A value of a type.

    Raises:
        FrameError: it is none.
    """
    try:
        found: T = PlainReader(b"", []).value(kind, plain)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"no {kind.__name__}: {type(error).__name__} {error}") from None
    return found
