"""Nothing in; every trial of a client, and the recordings, out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
OUT: Final = ROOT / "build" / "client_tests"
RECORDINGS: Final = tuple(sorted((ROOT / "examples" / "recordings").glob("*.wav")))
PARAKEET: Final = Path(sys.executable).with_name("parakeet")
AUTOBAHN: Final = "autobahn"


class Interims(Enum):
    """How what comes before a final text must go together with it."""

    PIECES = "joined, they are the final text"
    GROWING = "each is a beginning of the final text"
    GUESSES = "they may change"
    NONE = "there are none"


@dataclass(frozen=True, slots=True)
class Trial:
    """A client, used in one way."""

    name: str
    environment: str
    """A file of `environments`, without its ending."""
    driver: str
    mode: str
    interims: Interims

    @property
    def is_live(self) -> bool:
        """Whether it streams; otherwise it uploads files."""
        return self.interims is not Interims.NONE


TRIALS: Final = (
    Trial("livekit-realtime", "livekit", "livekit", "realtime", Interims.GROWING),
    Trial("livekit-own-vad", "livekit", "livekit", "own-vad", Interims.GROWING),
    Trial("livekit-files", "livekit", "livekit", "files", Interims.NONE),
    Trial("livekit-files-verbose", "livekit", "livekit", "files-verbose", Interims.NONE),
    Trial("livekit-deepgram", "livekit", "livekit", "deepgram", Interims.GUESSES),
    Trial("livekit-deepgram-files", "livekit", "livekit", "deepgram-files", Interims.NONE),
    Trial("pipecat-realtime", "pipecat", "pipecat", "realtime", Interims.PIECES),
    Trial("pipecat-server-vad", "pipecat", "pipecat", "server-vad", Interims.PIECES),
    Trial("pipecat-files", "pipecat", "pipecat", "files", Interims.NONE),
    Trial("pipecat-deepgram", "pipecat", "pipecat", "deepgram", Interims.GUESSES),
)


def names() -> list[str]:
    """Of all trials; the conformance of sockets is the last."""
    return [*(each.name for each in TRIALS), AUTOBAHN]
