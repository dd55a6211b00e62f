"""What a client says in; what is to be sent, and to be sent again over another connection, out.

It knows no socket, clock, thread or event loop.

Rules of this file:

1. What is said is sent in its order. What was sent is kept until a checkpoint says that nobody
   will ask for it again.
2. Audio goes in whole samples of all channels, so that its bytes have positions; what is left of
   one waits for the next bytes.
3. A commit or clear is kept until a checkpoint counts it as answered, a marker until it is answered
   itself. An utterance that ended because no audio came is kept as a commit: sent again at once,
   the same audio has no pause.
4. Other phrases are kept with the audio that follows them. Earlier ones are in the checkpoint; the
   last of them are said again where a stream begins anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from parakeet_streaming.client.messages import command
from parakeet_streaming.client.samples import PIECE_BYTES

Kind = Literal["audio", "gap", "commit", "clear", "marker", "phrases", "finish", "aside"]

_COUNTED: Final = ("commit", "clear")
_SAME_S: Final = 0.001
"""Positions are told in milliseconds."""
_MOST_GAP_S: Final = 3_600
"""Of one message."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message."""

    kind: Kind
    message: str | bytes
    start: int
    """The sample of each channel before which it stands, or that it begins with."""
    samples: int = 0
    id: str = ""
    """Of a marker."""
    unsent: bool = False
    """Whether the server did by itself what it asks for."""

    @property
    def end(self) -> int:
        """The sample after it."""
        return self.start + self.samples


class Spoken:
    """All that one client has said and that may be needed again."""

    def __init__(self, frame_bytes: int, rate_hz: int) -> None:
        """`frame_bytes`: of one sample of all channels."""
        self.keeps = False
        """Whether what was sent may have to be sent again."""
        self.position = 0
        """Samples of each channel that were said."""
        self._frame_bytes, self._rate_hz = frame_bytes, rate_hz
        self._rest = b""
        self._waiting: deque[Said] = deque()
        self._sent: deque[Said] = deque()
        self._answered = 0
        """Commits and clears that are not kept any more."""
        self._phrases: Said | None = None
        """The last that are not kept any more."""

    @property
    def is_sent(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    @property
    def kept_s(self) -> float:
        """Seconds of audio that are kept, or wait."""
        return (self.position - self._first) / self._rate_hz

    def clears_kept(self) -> int:
        """How many clears were sent and would be sent again."""
        return sum(each.kind == "clear" for each in self._sent)

    def audio(self, data: bytes, *, left_out: bool = False) -> None:
        """Bytes of audio, cut anywhere; `left_out`: they are not to be sent and leave a gap."""
        data = self._rest + data
        whole = len(data) - len(data) % self._frame_bytes
        self._rest = data[whole:]
        samples = whole // self._frame_bytes
        if samples and left_out:
            self.gap(samples)
        elif samples:
            self._add("audio", data[:whole], samples)

    def gap(self, samples: int) -> None:
        """So many samples are missing."""
        last = self._waiting[-1] if self._waiting else None
        longest = _MOST_GAP_S * self._rate_hz
        if last is not None and last.kind == "gap" and last.samples + samples <= longest:
            self._waiting.pop()
            self.position -= last.samples
            samples += last.samples
        self._add("gap", command("gap", samples=samples), samples)

    def command(self, kind: Kind, message: str, id: str = "") -> None:
        """Something else."""
        if kind == "clear":
            self._rest = b""
        self._add(kind, message, 0, id)

    def next(self) -> Said | None:
        """What is to be sent next; None where nothing waits. Audio that waits goes together."""
        if not self._waiting:
            return None
        said = self._joined() if self._waiting[0].kind == "audio" else self._waiting.popleft()
        if self.keeps and said.kind != "aside":
            self._sent.append(said)
        return said

    def forget(self, sample: int, answered: int) -> None:
        """Nobody will ask for audio before that sample, or for the first `answered` commands."""
        over = answered - self._answered
        self._answered = answered
        kept: list[Said] = []
        for said in self._sent:
            if said.kind in _COUNTED and (said.unsent or over > 0):
                over -= not said.unsent
            elif said.kind == "phrases" and said.start < sample:
                self._phrases = said
            elif said.kind not in ("audio", "gap") or said.end > sample:
                kept.append(said)
        self._sent = deque(kept)

    def marker_answered(self, id: str) -> None:
        """The first marker of that name came back."""
        for said in self._sent:
            if said.kind == "marker" and said.id == id:
                self._sent.remove(said)
                return

    def ended_without_audio(self, at_s: float) -> None:
        """An utterance ended there, because no audio came."""
        at, same = round(at_s * self._rate_hz), _SAME_S * self._rate_hz
        cut = Said("commit", command("commit"), at, unsent=True)
        sent = list(self._sent)
        places = (place for place, each in enumerate(sent) if each.start >= at - same)
        place = next(places, len(sent))
        if self.keeps:
            self._sent = deque([*sent[:place], cut, *sent[place:]])

    def rewind(self, sample: int) -> None:
        """All from that sample on is to be sent again."""
        again = [each for said in self._sent for each in self._from(said, sample)]
        self._waiting = deque([*again, *self._waiting])
        self._sent.clear()

    def begin_anew(self) -> int:
        """All that there is is to be sent to a stream that begins; the sample it begins with."""
        first = self._first
        self.rewind(first)
        self._answered = 0
        if self._phrases is not None:
            self._waiting.appendleft(replace(self._phrases, start=first))
        return first

    @property
    def _first(self) -> int:
        """The first sample that is kept, or waits."""
        return next((each.start for each in (*self._sent, *self._waiting)), self.position)

    def _joined(self) -> Said:
        """The audio that waits in front, as one message: servers count messages."""
        said, pieces = self._waiting.popleft(), list[bytes]()
        samples = said.samples
        while self._waiting and self._waiting[0].kind == "audio":
            following = self._waiting[0]
            if (samples + following.samples) * self._frame_bytes > PIECE_BYTES:
                break
            samples += self._waiting.popleft().samples
            pieces.append(bytes(following.message))  # type: ignore[arg-type]
        if not pieces:
            return said
        message = b"".join((bytes(said.message), *pieces))  # type: ignore[arg-type]
        return replace(said, message=message, samples=samples)

    def _from(self, said: Said, sample: int) -> Iterator[Said]:
        if said.kind not in ("audio", "gap"):
            yield replace(said, unsent=False)
        elif said.end > sample:
            left_out = max(0, sample - said.start)
            samples, start = said.samples - left_out, said.start + left_out
            message: str | bytes = command("gap", samples=samples)
            if isinstance(said.message, bytes):
                message = said.message[left_out * self._frame_bytes :]
            yield replace(said, message=message, start=start, samples=samples)

    def _add(self, kind: Kind, message: str | bytes, samples: int, id: str = "") -> None:
        self._waiting.append(Said(kind, message, self.position, samples, id))
        self.position += samples
