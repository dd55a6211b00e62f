"""Who asks: what a request says of its sender, whatever carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as the request says."""

    address: str
    """Of the network; empty where it has none."""
    headers: Mapping[str, str]
    """By lower-case name."""
    query: Mapping[str, str]
    """The last value of each name."""
    protocols: tuple[str, ...] = ()
    """Subprotocols that a socket offers."""
    repeated: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """All values of each name of the query, in order."""
