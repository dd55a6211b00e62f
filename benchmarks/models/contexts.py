"""A name in; the context of that name out: a preset, `5-0.5-0.5`, or `offline`."""

from __future__ import annotations

from typing import Final

from parakeet_streaming import ContextConfig, Recognizer

OFFLINE: Final = "offline"
"""One window over the whole recording."""


def context_of(recognizer: Recognizer, name: str, audio_s: float) -> ContextConfig:
    """The context of that name; for `offline` the one that decodes `audio_s` seconds as a whole."""
    return recognizer.offline_context(audio_s) if name == OFFLINE else ContextConfig.parse(name)


def checked_name(text: str) -> str:
    """The name, if there is such a context; argparse shows the error."""
    if text != OFFLINE:
        ContextConfig.parse(text)
    return text


def in_code(name: str) -> str:
    """The name as a table shows it."""
    return name if name == OFFLINE else f"`{name}`"
