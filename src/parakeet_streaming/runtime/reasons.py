"""An exception of a runtime in; what a person can use of its message, in one short line, out.

Runtimes name the line of their own source, the signature of the function there, and names of the
graph, which may have any length and any characters.
"""

from __future__ import annotations

import re
from typing import Final

from parakeet_streaming.plain_text import visible

MOST_CHARACTERS: Final = 240
"""Of a reason; it stands inside a message of ours."""

_MOST_READ: Final = 4_000
_CODE: Final = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_PLACE: Final = re.compile(r"\S*\.(?:cc|cpp|cxx|cu|cuh|h|hpp|inl)(?::\d+|\(\d+\)):?\s*")
_SIGNATURE: Final = re.compile(r"[^()]*?\w::[^()]*\(|\w+ (?=[A-Z])")
_AFTER_SIGNATURE: Final = re.compile(r"(?:\s*(?:const|noexcept)\b)*(?:\s*\[with [^\]]*\])?\s*")


def first_reason(error: Exception) -> str:
    """What the first line says, without code names: ONNX Runtime begins with it."""
    return _short(_CODE.sub("", _lines(error)[0]).rpartition(" : ")[2])


def last_reason(error: Exception) -> str:
    """What the last line says that is no advice on OpenVINO: its first ones are places in it."""
    lines = _lines(error)
    return _short(next((line for line in reversed(lines) if "://" not in line), lines[-1]))


def _lines(error: Exception) -> list[str]:
    text = str(error)[:_MOST_READ].strip()
    return [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]


def _short(text: str) -> str:
    """Without places in C++, visible, and no longer than it may be."""
    place = _PLACE.search(text)
    if place is not None:
        text = text[: place.start()] + _after_signature(text[place.end() :])
    return visible(text.strip().rstrip("."), MOST_CHARACTERS)


def _after_signature(text: str) -> str:
    """What follows the name or the signature of a function; all of it where there is none."""
    found = _SIGNATURE.match(text)
    if found is None:
        return text
    if not found[0].endswith("("):
        return text[found.end() :]
    depth = 1
    for at in range(found.end(), len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            rest = text[at + 1 :]
            after = _AFTER_SIGNATURE.match(rest)
            return rest[after.end() :] if after else rest
    return text
