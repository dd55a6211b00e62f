"""Frozen dataclasses in; the same, but made in little more than half the time, out.

`dataclass(frozen=True)` looks every field up by its name when it sets it. A live engine makes a
dozen of such values for each stream and step, and that was a sixth of its time. Here each field is
set by its slot. Nothing else changes.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import update_wrapper
from typing import Any, TypeVar

T = TypeVar("T")


def made_quickly(cls: type[T]) -> type[T]:
    """Decorates a `dataclass(frozen=True, slots=True)` whose fields have no default factories.

    Raises:
        TypeError: it has one, or a `__post_init__`, or fields that are not arguments.
    """
    own: tuple[Any, ...] = fields(cls)  # type: ignore[arg-type] # a dataclass, by contract
    plain = all(each.init and not each.kw_only for each in own)
    made = any(each.default_factory is not MISSING for each in own)
    if made or not plain or hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} has more in its __init__ than one value for each field")
    names = [each.name for each in own]
    slots = {f"_set_{name}": getattr(cls, name).__set__ for name in names}
    lines = "".join(f"\n    _set_{name}(self, {name})" for name in names)
    scope: dict[str, Any] = dict(slots)
    exec(f"def __init__(self, {', '.join(names)}):{lines}", scope)
    init = scope["__init__"]
    before: Any = cls.__init__
    init.__defaults__ = before.__defaults__
    setattr(cls, "__init__", update_wrapper(init, before))  # noqa: B010 -- for the type checker
    return cls
