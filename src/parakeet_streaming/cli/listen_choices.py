"""What `parakeet listen` is told of delay and utterances in; options of a live stream out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from parakeet_streaming.cli import options as shared
from parakeet_streaming.engine.endpoint_options import PRESETS as ENDPOINTINGS
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.timeline import ContextConfig

DEFAULT_ENDPOINTING: Final = "balanced"
NO_ENDPOINTING: Final = "off"
_DEFAULT_PRESET: Final = "balanced"


def delay_range_of(
    context: str | None, preset: str | None, longest_chunk: float | None, *, fixed: bool
) -> DelayRange:
    """The context, and how far its chunk may grow.

    Raises:
        OptionError: choices that do not go together.
    """
    chosen = shared.chosen_context(context, preset) or ContextConfig.parse(_DEFAULT_PRESET)
    if fixed and longest_chunk is not None:
        raise OptionError("--longest-chunk does not go with --fixed; give one")
    if fixed:
        return DelayRange.fixed(chosen)
    if longest_chunk is None:
        return DelayRange.growing(chosen)
    return DelayRange(chosen, longest_chunk)


def endpoint_of(endpointing: str, max_utterance_s: float | None) -> EndpointOptions | None:
    """When utterances end; None for one utterance.

    Raises:
        OptionError: no such endpointing, or choices that do not go together.
    """
    if endpointing.strip().lower() == NO_ENDPOINTING:
        if max_utterance_s is not None:
            raise OptionError(f"--max-utterance-s does not go with --endpointing {NO_ENDPOINTING}")
        return None
    if endpointing not in ENDPOINTINGS:
        raise OptionError(
            f"--endpointing {endpointing} does not exist; use {', '.join(ENDPOINTINGS)} or "
            f"{NO_ENDPOINTING}"
        )
    options = EndpointOptions.parse(endpointing)
    return options if max_utterance_s is None else replace(options, max_utterance_s=max_utterance_s)
