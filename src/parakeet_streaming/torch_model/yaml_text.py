"""The bytes of a YAML file in; what it says, as plain values, out.

YAML may refer to what it has said before, so that half a kilobyte stands for a billion words. What
it would take is counted before anything is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import yaml

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.plain_text import visible

MOST_BYTES: Final = 8 * 2**20
"""Of a config: that of a model with 8,192 pieces, which it lists twice, has 0.5 MB."""
MOST_VALUES: Final = 500_000
"""Of a config, each as often as it is referred to: such a model has 20,000."""
MOST_DEPTH: Final = 50
"""Sections inside of sections: NeMo's have five."""
MOST_DIGITS: Final = 100
"""Of a number; long ones take the square of their length to be read."""

_MOST_REASON: Final = 200
_NUMBERS: Final = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is there


class _Loader(_Base):
    """The safe loader, with numbers of few digits."""


def parsed(content: bytes, origin: str) -> object:
    """What a YAML file says.

    Raises:
        ModelFormatError: no YAML, or more than any config says.
    """
    if len(content) > MOST_BYTES:
        raise _beyond(origin, f"has {len(content)} bytes", f"{MOST_BYTES}")
    try:
        _count(yaml.parse(content, Loader=_Base), origin)
        return yaml.load(content, Loader=_Loader)
    except ModelFormatError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError, TypeError) as error:
        reason = visible((str(error).splitlines() or [""])[0], _MOST_REASON)
        raise ModelFormatError(f"{origin} is no YAML: {reason}; fetch the model again") from error


def _count(events: Iterable[yaml.Event], origin: str) -> None:
    """Counts the values that a file stands for, and refuses too many."""
    sizes: dict[str, int] = {}
    counts = [0]
    anchors: list[str | None] = []
    for event in events:
        if isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            size = 1
            if isinstance(event, yaml.AliasEvent):
                size += sizes.get(event.anchor, 0)
            elif event.anchor:
                sizes[event.anchor] = size
            counts[-1] += size
        elif isinstance(event, yaml.CollectionStartEvent):
            anchors.append(event.anchor)
            counts.append(1)
            if len(anchors) > MOST_DEPTH:
                raise _beyond(origin, f"is nested {len(anchors)} deep", f"{MOST_DEPTH}")
        elif isinstance(event, yaml.CollectionEndEvent):
            size, anchor = counts.pop(), anchors.pop()
            if anchor:
                sizes[anchor] = size
            counts[-1] += size
        if counts[-1] > MOST_VALUES:
            raise _beyond(origin, f"stands for {counts[-1]} values", f"{MOST_VALUES}")


def _number(loader: Any, node: yaml.ScalarNode) -> object:  # noqa: ANN401  whichever is there
    if len(node.value) > MOST_DIGITS:
        raise ValueError(f"a number of {len(node.value)} digits")
    made = loader.construct_yaml_int if node.tag == _NUMBERS[0] else loader.construct_yaml_float
    return made(node)


for _tag in _NUMBERS:
    _Loader.add_constructor(_tag, _number)


def _beyond(origin: str, what: str, most: str) -> ModelFormatError:
    return ModelFormatError(
        f"{origin} {what}, and at most {most} are possible; fetch the model again"
    )
