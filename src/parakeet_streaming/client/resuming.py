"""What a client does when its connection is lost: a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from parakeet_streaming.client.events import CheckpointTerms
from parakeet_streaming.errors import OptionError

_MOST_S: Final = 86_400.0
_SILENT_CHECKPOINTS: Final = 2


@dataclass(frozen=True, slots=True)
class Resuming:
    """How a stream goes on when its connection is lost, or its server stops.

    Raises:
        OptionError: a time that makes no sense.
    """

    for_s: float = 600.0
    """Seconds for which it tries to connect again; then the stream ends with an error.
    A checkpoint lasts as long, unless the server says otherwise."""
    first_wait_s: float = 1.0
    """The longest wait before the first try; it doubles from try to try."""
    most_wait_s: float = 15.0
    """The longest wait of all, unless the server asks for more. Waits are drawn at random from 0 up
    to the longest, so that many clients do not come at once."""
    checkpoints_s: float = 3.0
    """Seconds between checkpoints that are asked for."""
    silent_s: float = 8.0
    """Seconds after which a server that answers nothing to what is sent is taken for gone; the time
    of two checkpoints at least. A new connection must be open within the same time."""
    most_audio_s: float | None = None
    """Seconds of audio that are kept at most; None for as long as a checkpoint lasts, or for what
    the server may ask for again, if that is more."""
    when_full: Literal["wait", "gap"] = "wait"
    """What `send` does while there is no connection and that much is kept: it waits, or the audio
    is left out, with a gap that keeps later times true. For a source that cannot wait."""

    def silence_s(self, terms: CheckpointTerms) -> float:
        """Seconds for which a server with those terms may answer nothing.

        It may have nothing to tell but its checkpoints.
        """
        return max(self.silent_s, _SILENT_CHECKPOINTS * terms.every_s)

    def kept_s(self, terms: CheckpointTerms | None) -> float:
        """Seconds of audio that are kept at most."""
        if self.most_audio_s is not None:
            return self.most_audio_s
        return 0.0 if terms is None else max(terms.replay_s, terms.lasts_s)

    def __post_init__(self) -> None:
        least_s = {"silent_s": 1.0, "checkpoints_s": 0.5}
        for name in ("for_s", "first_wait_s", "most_wait_s", *least_s):
            least = least_s.get(name, 0.0)
            if not least <= getattr(self, name) <= _MOST_S:
                raise OptionError(
                    f"{name} is {getattr(self, name)}; give {least:g} to {_MOST_S:g} s"
                )
        if self.most_audio_s is not None and not 1 <= self.most_audio_s <= _MOST_S:
            raise OptionError(f"most_audio_s is {self.most_audio_s}; give 1 to {_MOST_S:g} s")
        if self.when_full not in ("wait", "gap"):
            raise OptionError(f"when_full is {self.when_full!r}; give 'wait' or 'gap'")


def resuming_of(asked: bool | Resuming) -> Resuming | None:
    """The options that `resume=` stands for; None for not at all."""
    if isinstance(asked, Resuming):
        return asked
    return Resuming() if asked else None
