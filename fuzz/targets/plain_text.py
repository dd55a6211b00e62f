"""Any text, on its way to people, programs and JSON: no orders are left, and in JSON all is."""

import json
import re
import unicodedata
from collections.abc import Iterator

from fuzz.choices import Choices
from parakeet_streaming.plain_text import escaped, listed, readable, shown, visible

ORDERS = frozenset({"Cc", "Zl", "Zp"})
HALVES = re.compile("[\ud800-\udfff]")
UNREAD = re.compile("[\udca0-\udcff]")
"""Bytes of a name that are no UTF-8, which is how names of files are kept."""
WIDEST = 10
"""Characters that one becomes: `\\U000e0001`."""


def run(data: bytes) -> None:
    choices = Choices(data)
    most = choices.number(0, 300)
    text = _text(choices)
    _for_people(visible(text))
    short = visible(text, most)
    _for_people(short)
    assert len(short) <= WIDEST * most + 60
    plain = readable(text)
    assert not _orders(plain) and not HALVES.search(plain)
    assert readable(plain) == plain
    _for_programs(text)
    assert len(shown({text: [text] * 9})) <= 310
    assert len(shown(int.from_bytes(data, "little"))) <= 310
    _for_people(listed([text] * 20))


def _text(choices: Choices) -> str:
    """Characters of all planes, and bytes as they stand in names of files."""
    parts = []
    for _ in choices.times(40):
        kind = choices.number(0, 3)
        if kind == 0:
            parts.append(chr(choices.number(0, 0x10FFFF)))
        elif kind == 1:
            parts.append(chr(choices.number(0, 0x2FF)))
        elif kind == 2:
            parts.append(choices.one_of("\u200c\u200d\u202e\u2028\x1b\x9b\ud83d\ude00\\ a\u0628\n"))
        else:
            parts.append(choices.text(20))
    return "".join(parts)


def _for_people(line: str) -> None:
    assert not _orders(line), ascii(line)
    assert not HALVES.search(UNREAD.sub("", line)), ascii(line)


def _orders(line: str) -> list[str]:
    return [each for each in line if unicodedata.category(each) in ORDERS]


def _for_programs(text: str) -> None:
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    for indent in (None, 2):
        written = escaped(json.dumps([text, {text: 1.5}], ensure_ascii=False, indent=indent))
        assert not _orders(written.replace("\n", "")) and not HALVES.search(written)
        assert json.loads(written.encode()) == [joined, {joined: 1.5}]


def seeds() -> Iterator[bytes]:
    for kind in range(4):
        yield b"\x80\0" + bytes((kind, 0x1B, 0, 1)) * 8
    yield b"\x80\0\3\x14plain words \xe2\x80\xae\xff\xc2\x9b\xd9\x86"
    yield b"\x10\0" + bytes(range(256))
