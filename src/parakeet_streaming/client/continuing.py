"""What was said and told, and a server's answer, in; how a stream goes on over a connection, out.

The one place where both come together. It knows no socket, clock, thread or event loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from parakeet_streaming.client.events import Event, Final, Marker, Ready, Resumed
from parakeet_streaming.client.messages import Checkpoint, NotResumed
from parakeet_streaming.client.messages import Told as Said
from parakeet_streaming.client.spoken import Spoken
from parakeet_streaming.client.told import Mark, Told


@dataclass(frozen=True, slots=True)
class _Kept:
    checkpoint: Checkpoint
    mark: Mark


class Continuing:
    """One stream over all its connections."""

    def __init__(self, spoken: Spoken, told: Told) -> None:
        self._spoken, self._told = spoken, told
        self._kept: _Kept | None = None
        self._shown: _Kept | None = None
        self._showing = False
        """Whether a checkpoint is shown elsewhere, so that no later one counts."""
        self._begins_at = 0
        """The sample with which the server's stream began."""

    @property
    def latest(self) -> Checkpoint | None:
        """The last checkpoint."""
        return None if self._kept is None else self._kept.checkpoint

    def take(self, said: Said | None) -> None:
        """The server said something."""
        match said:
            case Checkpoint() if not self._showing:
                self._kept = _Kept(said, self._told.mark())
                self._spoken.forget(self._begins_at + said.sample, said.answered)
            case Marker():
                self._spoken.marker_answered(said.id)
            case Final(reason="no_audio"):
                self._spoken.ended_without_audio(said.end + self._told.base_s)

    def show(self) -> str | None:
        """The checkpoint to show over a new connection; None for none."""
        self._showing, self._shown = True, self._kept
        return None if self._shown is None else self._shown.checkpoint.token

    def failed(self) -> None:
        """There is no new connection; the old one, if it is there, goes on."""
        self._showing = False

    def go_on(self, answer: Ready | NotResumed, rate_hz: int) -> list[Event]:
        """The new connection takes the place of the old one; what is to be told of that.

        Args:
            answer: what the server said to what it was shown, or to the handshake.
            rate_hz: of the audio.
        """
        self._showing, kept = False, self._shown
        clears = self._spoken.clears_kept()
        how: Literal["exact", "warm", "anew"] = "exact"
        if kept is not None and isinstance(answer, Ready):
            self._told.goes_on(kept.mark, clears)
            self._spoken.rewind(self._begins_at + kept.checkpoint.sample)
            how = "warm" if answer.resumed == "warm" else "exact"
        elif kept is None and not self._begins_at:
            # Nothing has been let go of: the same again gives the same.
            self._told.goes_on(None, clears)
            self._spoken.rewind(0)
        else:
            self._kept = None
            self._begins_at = self._spoken.begin_anew()
            gaps = self._told.begins_anew(self._begins_at / rate_hz, clears)
            reason = answer.reason if isinstance(answer, NotResumed) else ""
            return [*gaps, Resumed("anew", reason)]
        return [Resumed(how)]
