"""What a network gave in; an error, if nothing can be made of it, out.

A graph declares what it gives, and a runtime may give something else: shapes are known only when it
has run. What is of another shape would be taken for other numbers, or end in an error of numpy's.
(`finite.py` looks at the numbers themselves.)
"""

from __future__ import annotations

from typing import Protocol

from parakeet_streaming.errors import ModelFormatError


class Shaped(Protocol):
    """A tensor, wherever it lies."""

    @property
    def shape(self) -> tuple[int, ...]: ...


def require_shape(values: Shaped, shape: tuple[int, ...], file: str, tensor: str) -> None:
    """Refuses a tensor of another shape.

    Raises:
        ModelFormatError: it has one; the message calls the network's file `file`.
    """
    if values.shape != shape:
        raise _wrong(values, str(shape), file, tensor)


def require_room(values: Shaped, shape: tuple[int, ...], axis: int, file: str, tensor: str) -> None:
    """Refuses a tensor of another shape, but that `axis` may be longer.

    Raises:
        ModelFormatError: it has one, or that axis is shorter.
    """
    found = values.shape
    if len(found) != len(shape) or found[axis] < shape[axis]:
        raise _wrong(values, str(shape), file, tensor)
    if any(at != axis and found[at] != size for at, size in enumerate(shape)):
        raise _wrong(values, str(shape), file, tensor)


def _wrong(values: Shaped, expected: str, file: str, tensor: str) -> ModelFormatError:
    return ModelFormatError(
        f"{file} gave {tensor} as {values.shape} instead of {expected}, which its files promise; "
        "check it with `parakeet models verify`, then fetch or export it again"
    )
