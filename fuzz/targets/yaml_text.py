"""YAML that refers to what it has said: what comes out is bounded, however little goes in."""

from collections.abc import Iterator
from contextlib import suppress

from fuzz.choices import Choices
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.torch_model.yaml_text import MOST_DEPTH, MOST_DIGITS, MOST_VALUES, parsed

SCALARS = (
    *("x", "1", "-0x1F", "1.5e3", "1:30", "2001-01-01", "!!bool x", '!!int ""', "!!float '-'"),
    *("!!timestamp x", "!!binary AAA", "~", "yes", "!!str 1", "9" * 90, "9" * 101, "!!set {a}"),
)


def run(data: bytes) -> None:
    choices = Choices(data)
    content = choices.rest() if choices.flag() else _aliases(choices)
    with suppress(ParakeetError):
        _Measure().of(parsed(content, "a config"))


def _aliases(choices: Choices) -> bytes:
    """Lines that each have an anchor, and may refer to those before, to themselves and to none."""
    lines = []
    for at in choices.times(60):
        parts = [_part(choices, at) for _ in range(choices.number(1, 12))]
        kind = choices.number(0, 3)
        if kind == 0:
            said = parts[0]
        elif kind == 1:
            said = f"[{', '.join(parts)}]"
        elif kind == 2:
            said = f"{{<<: [{', '.join(parts)}], k{at}: 1}}"
        else:
            said = "{" + ", ".join(f"k{number}: {part}" for number, part in enumerate(parts)) + "}"
        anchor = at if choices.number(0, 3) else 0
        lines.append(f"- &a{anchor} {said}")
    return "\n".join(lines).encode()


def _part(choices: Choices, at: int) -> str:
    back = choices.number(0, 7)
    return choices.one_of(SCALARS) if back == 7 else f"*a{max(0, at - back)}"


class _Measure:
    """How large a value is where everything is written out."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}

    def of(self, value: object, depth: int = 0) -> int:
        """The values in it; what holds itself counts once."""
        if isinstance(value, int):
            assert value.bit_length() <= 6 * MOST_DIGITS
        if not isinstance(value, dict | list):
            return 1
        assert depth <= MOST_VALUES
        if id(value) not in self._sizes:
            self._sizes[id(value)] = 0
            inner = [*value, *value.values()] if isinstance(value, dict) else value
            self._sizes[id(value)] = 1 + sum(self.of(each, depth + 1) for each in inner)
        assert self._sizes[id(value)] <= MOST_VALUES
        return self._sizes[id(value)]


def seeds() -> Iterator[bytes]:
    for kind in (1, 2, 3):
        yield b"\0" + bytes((1, 7, 0, 0, 1)) + bytes((8, *[1] * 9, kind, 1)) * 8
    yield b"\0" + bytes((0, 7, 3, 0, 1, 2, 1, 7, 9, 1, 1)) * 9
    yield b"\1a: &a [1, 2]\nb: *a\nc: {<<: {d: 1.5e-3}, e: -7, f: 0x1F, g: 1:30}"
    yield b"\1" + b"[" * (MOST_DEPTH + 1) + b"]" * (MOST_DEPTH + 1)
