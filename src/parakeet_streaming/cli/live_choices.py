"""Options of a live command in; the delay and the endpointing that they mean, out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from parakeet_streaming.cli import options as shared
from parakeet_streaming.engine.endpoint import PRESETS as ENDPOINTINGS
from parakeet_streaming.engine.endpoint import EndpointOptions
from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.timeline import ContextConfig

DEFAULT_PRESET: Final = "balanced"
DEFAULT_ENDPOINTING: Final = "balanced"
NO_ENDPOINTING: Final = "off"


def chosen_delay(
    context: str | None, preset: str | None, longest_chunk: float | None, *, fixed: bool
) -> DelayRange:
    """How late text may come.

    Raises:
        ContextError, OptionError: options that do not exist, or do not go together.
    """
    chosen = shared.chosen_context(context, preset) or ContextConfig.parse(DEFAULT_PRESET)
    if fixed and longest_chunk is not None:
        raise OptionError("--longest-chunk does not go with --fixed; give one")
    if fixed:
        return DelayRange.fixed(chosen)
    if longest_chunk is None:
        return DelayRange.growing(chosen)
    return DelayRange(chosen, longest_chunk)


def chosen_endpoint(endpointing: str, max_utterance_s: float | None) -> EndpointOptions | None:
    """When utterances end; None for one utterance.

    Raises:
        OptionError: options that do not exist, or do not go together.
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
