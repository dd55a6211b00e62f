r"""Text and values of files, devices and models in; text that only its letters are read of, out.

Rules of this file:

1. `visible` is for people: one line, in which each character that is no letter but an order to the
   terminal, or cannot be seen, stands as its number (`\x1b`, `\u202e`).
2. `readable` is for programs: what was recognised, as one line without such characters. A piece of
   a vocabulary is text; an order to a terminal or a line's end in it means nothing.
3. `escaped` is for JSON: the same characters as JSON's own escapes, so that nothing is lost.
4. `shown` is a value of any size in few words, `listed` any number of names.
5. Bytes of a file's name that are no UTF-8 stay, except those that are orders.
6. Joiners (U+200C, U+200D) stay between letters beyond ASCII, where Persian, Hindi and emoji are
   written with them.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Collection
from itertools import islice
from typing import Final

MOST_SHOWN: Final = 2000
"""Characters of one line for people: a screen of text. Names in a file may have millions."""

_MOST_BITS: Final = 256
"""Of a whole number that is written out; Python itself refuses those of 4,300 digits."""
_MOST_CHARACTERS: Final = 120
"""Of a text inside `shown`: longer than names of tensors and settings are."""
_MOST_OF_A_VALUE: Final = 300
"""Of a list or a mapping in `shown`."""
_MOST_LISTED: Final = 10
"""Names in a list of them."""

_LINE_ENDS: Final = "\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029"
# Orders to terminals (C0, DEL, C1); direction of writing; what has no width; halves of characters.
_UNSEEN: Final = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\ud800-\udfff"
)
_JOINERS: Final = "\u200c\u200d"
_LOST_JOINER: Final = rf"(?<![^\x00-\x7f])[{_JOINERS}]|[{_JOINERS}](?![^\x00-\x7f])"
# Bytes of a file's name that Python could not read; `cli/standard_streams.py` writes them as they
# are. Above 0x9f none is an order.
_BYTES: Final = re.compile("[\udc80-\udcff]+")
_NO_ORDER: Final = "(?![\udca0-\udcff])"
_ANY_UNSEEN: Final = re.compile(f"{_NO_ORDER}[{_UNSEEN}]|{_LOST_JOINER}")
_ANY_LINE_END: Final = re.compile(f"[{_LINE_ENDS}]+")
_ANY_CONTROL: Final = re.compile(f"[{_UNSEEN}]")


def visible(text: str, most: int = MOST_SHOWN) -> str:
    """One line for people that does nothing to their terminal and hides nothing.

    Args:
        text: whatever a file, a device or another program says.
        most: characters; of a longer text, beginning and end are shown.
    """
    if len(text) > most:
        half = most // 2
        left_out = len(text) - 2 * half
        text = f"{text[:half]} … {left_out} characters … {text[-half:]}"
    text = _BYTES.sub(lambda found: _in_utf8(found[0]), text)
    return _ANY_UNSEEN.sub(lambda found: _number(found[0]), text)


def readable(text: str) -> str:
    """Recognised text as one line: line ends are spaces, other orders and signs are left out."""
    return _ANY_CONTROL.sub("", _ANY_LINE_END.sub(" ", text))


def escaped(json: str) -> str:
    r"""JSON with every character that cannot be seen as `\uXXXX`; its line ends stay."""
    return _ANY_CONTROL.sub(
        lambda found: found[0] if found[0] == "\n" else _json_number(found[0]), json
    )


def listed(names: Collection[str]) -> str:
    """Names in a message: the first few, and how many more there are."""
    few = ", ".join(visible(name, _MOST_CHARACTERS) for name in islice(names, _MOST_LISTED))
    more = len(names) - _MOST_LISTED
    return f"{few}, and {more} more" if more > 0 else few


def shown(value: object) -> str:
    """A value in a message, as Python writes it, cut to few words whatever its size."""
    text = _SHORT.repr(value)
    return text if len(text) <= _MOST_OF_A_VALUE else f"{text[:_MOST_OF_A_VALUE]}..."


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxother = 2, _MOST_CHARACTERS
        self.maxstring = _MOST_CHARACTERS

    def repr_int(self, x: int, level: int) -> str:
        if x.bit_length() > _MOST_BITS:
            return f"a whole number of {x.bit_length()} bits"
        return repr(x)


_SHORT: Final = _Short()


def _in_utf8(unread: str) -> str:
    """Characters that bytes are in UTF-8, which is not the encoding of every system's names."""
    return unread.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _number(character: str) -> str:
    number = ord(character)
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    if 0xDC80 <= number < 0xDCA0:
        number -= 0xDC00
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _json_number(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
