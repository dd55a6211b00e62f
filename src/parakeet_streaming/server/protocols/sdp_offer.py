"""A browser's offer of a call (SDP) in; the same offer as it can be answered here, or why not, out.

Rules of this file:

1. A call needs a track that sends Opus, and a data channel. What it offers beside that is no
   mistake.
2. Only addresses in figures stay among the candidates: to find out what a name stands for takes
   longer than the caller's own checks need to come here, and those tell its address, too.
3. That no more candidates come is left out: a caller none of whose addresses is reached from here
   may still reach us.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from parakeet_streaming.server.replies import WrongRequestError

MOST_OFFER_BYTES: Final = 65_536
_MOST_SECTIONS: Final = 8
_MOST_CANDIDATES: Final = 32
"""Of each section; some machines have many addresses."""
_SENDING: Final = ("sendrecv", "sendonly")
_DIRECTIONS: Final = (*_SENDING, "recvonly", "inactive")


@dataclass(slots=True)
class _Section:
    """One medium."""

    kind: str
    is_refused: bool
    direction: str
    codecs: set[str] = field(default_factory=set)
    candidates: int = 0


def read_offer(body: bytes) -> str:
    """The offer, as it is to be answered.

    Raises:
        WrongRequestError: it is none, or one without what a call needs.
    """
    try:
        lines = [line.strip() for line in body.decode().splitlines()]
    except UnicodeDecodeError:
        raise _wrong("is no text") from None
    if not lines or lines[0] != "v=0":
        raise _wrong("is no SDP; it begins with v=0")
    direction = "sendrecv"
    sections: list[_Section] = []
    kept = []
    for line in lines:
        name, _, value = line.partition("=")
        if name == "m":
            sections.append(_section(value, direction))
        elif name == "a" and value in _DIRECTIONS:
            if sections:
                sections[-1].direction = value
            else:
                direction = value
        elif name == "a" and not _stays(value, sections):
            continue
        if line:
            kept.append(line)
    _check(sections)
    return "".join(f"{line}\r\n" for line in kept)


def _section(value: str, direction: str) -> _Section:
    kind, _, rest = value.partition(" ")
    return _Section(kind, rest.partition(" ")[0] == "0", direction)


def _stays(attribute: str, sections: list[_Section]) -> bool:
    """Whether an attribute stays in the offer; what it says of its section is noted."""
    name, _, value = attribute.partition(":")
    if name == "end-of-candidates":
        return False
    if not sections:
        return name != "candidate"
    if name == "rtpmap":
        sections[-1].codecs.add(value.partition(" ")[2].partition("/")[0].lower())
    if name != "candidate":
        return True
    sections[-1].candidates += 1
    return sections[-1].candidates <= _MOST_CANDIDATES and _has_address(value)


def _has_address(candidate: str) -> bool:
    """Whether it says by what address, in figures, UDP goes there."""
    fields = candidate.split()
    if len(fields) < 8 or fields[2].lower() != "udp" or not fields[5].isdecimal():
        return False
    try:
        ip_address(fields[4])
    except ValueError:
        return False
    return True


def _check(sections: list[_Section]) -> None:
    if len(sections) > _MOST_SECTIONS:
        raise _wrong(f"has {len(sections)} media; {_MOST_SECTIONS} at most")
    offered = [each for each in sections if not each.is_refused]
    audio = [each for each in offered if each.kind == "audio" and each.direction in _SENDING]
    if not audio:
        raise _wrong("sends no audio; add a microphone's track before the offer is made")
    if "opus" not in audio[0].codecs:
        raise _wrong("sends no Opus; calls are heard in Opus only")
    if all(each.kind != "application" for each in offered):
        raise _wrong("has no data channel; make one called oai-events before the offer is made")


def _wrong(what: str) -> WrongRequestError:
    return WrongRequestError(f"the offer {what}", "sdp")
