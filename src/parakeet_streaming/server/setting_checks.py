"""Values of settings in; the same as they are used, or what is wrong with them, out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server.api_keys import read_key
from parakeet_streaming.server.checkpoint import check_keys
from parakeet_streaming.timeline import ContextConfig

_STUN_SERVER: Final = re.compile(r"stun:[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", re.ASCII)


def one_of(*words: str) -> Callable[[str], str]:
    """A check for one of some words, in any case."""

    def check(word: str) -> str:
        lowered = word.strip().lower()
        if lowered not in words:
            raise OptionError(f"{word!r} does not exist; use {', '.join(words)}")
        return lowered

    return check


def context(text: str) -> str:
    """A context, or the name of one."""
    ContextConfig.parse(text)
    return text


def stun_server(text: str) -> str:
    """An address of a STUN server."""
    if _STUN_SERVER.fullmatch(text) is None:
        raise OptionError(f"{text!r} is no STUN server; write stun:HOST or stun:HOST:PORT")
    return text


def api_keys(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Keys of clients, KEY or NAME:KEY."""
    for line in lines:
        read_key(line)
    return lines


def checkpoint_keys(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Secrets that servers share, long enough."""
    check_keys(lines)
    return lines
