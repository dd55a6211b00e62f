"""When an utterance ends, as its user chooses it: numbers, or the name of a preset, in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from parakeet_streaming.engine.vad_options import MAX_DURATION_MS
from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import check_number

MAX_UTTERANCE_S: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """When an utterance ends. The defaults are the preset `balanced`.

    | preset | `min_silence_ms` as | `min_blank_ms` | `blank_only_ms` | `max_utterance_s` |
    |---|---|---|---|---|
    | `aggressive` | 200, Pipecat | 160 | 800 | 20 |
    | `balanced` | 500, OpenAI's server_vad | 320 | 1200, as Kaldi | 20, as Kaldi |
    | `relaxed` | 1000, Deepgram's utterance_end | 640 | 2400 | 20 |

    Kaldi's are the usual rules of sherpa-onnx, too. The blanks beside silence are ours: two, four
    and eight encoder frames; so is the step around Kaldi's 1200 ms.

    Raises:
        OptionError: a duration that makes no sense.
    """

    min_silence_ms: float = 500
    """Milliseconds without voice; a detector that needs longer to end speech makes it longer."""
    min_blank_ms: float = 320
    """Milliseconds decoded since the last token, where there is silence, too."""
    blank_only_ms: float = 1200
    """Milliseconds decoded since the last token, where no detector found speech."""
    max_utterance_s: float = 20.0
    """Seconds from the first speech or token to the end of what is committed."""

    def __post_init__(self) -> None:
        for name in ("min_silence_ms", "min_blank_ms", "blank_only_ms"):
            check_number(name, getattr(self, name), 0, MAX_DURATION_MS, "milliseconds")
        check_number("max_utterance_s", self.max_utterance_s, 1, MAX_UTTERANCE_S, "seconds")

    @classmethod
    def parse(cls, name: str) -> Self:
        """The options of a preset; one that does not exist is an `OptionError`."""
        if name.strip().lower() not in PRESETS:
            raise OptionError(f"{name!r} is no endpointing; use {', '.join(PRESETS)}")
        return cls(*PRESETS[name.strip().lower()])

    @classmethod
    def aggressive(cls) -> Self:
        return cls.parse("aggressive")

    @classmethod
    def balanced(cls) -> Self:
        return cls.parse("balanced")

    @classmethod
    def relaxed(cls) -> Self:
        return cls.parse("relaxed")


PRESETS: Final[dict[str, tuple[float, float, float, float]]] = {
    "aggressive": (200, 160, 800, 20.0),
    "balanced": (500, 320, 1200, 20.0),
    "relaxed": (1000, 640, 2400, 20.0),
}
"""The fields of `EndpointOptions` by preset name, from the quickest to the most patient."""
