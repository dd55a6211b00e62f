"""A stream's events in; lists of JSON's own types out, and back. Short ones come many a second.

Numbers go as they are, so what a client is told does not depend on how many processes there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from parakeet_streaming import results
from parakeet_streaming.processes.frames import FrameError
from parakeet_streaming.processes.values import plain, value_of
from parakeet_streaming.results import Event, Partial, SnapshotTaken, StepTiming, Token

_KINDS: Final[dict[str, type[Any]]] = {
    "final": results.Final,
    "started": results.SpeechStarted,
    "ended": results.SpeechEnded,
    "gap": results.Gap,
    "context": results.ContextChanged,
    "hint": results.HealthHint,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}
_TOKEN: Final = (int, str, int, int, float, float, float, bool, str, bool, str)
_TIMING: Final = (float, float, float, int, float)


def packed_event(event: Event) -> tuple[list[Any], bytes]:
    """An event, and the bytes of its snapshot."""
    if isinstance(event, Partial):
        timing = event.timing
        told = [
            "partial",
            event.text,
            [_token(each) for each in event.tokens],
            event.tentative_text,
            [_token(each) for each in event.tentative],
            event.committed_s,
            event.lookahead_end_s,
            None if timing is None else _timing(timing),
        ]
        return told, b""
    if isinstance(event, SnapshotTaken):
        return ["snapshot", event.position], event.write()
    return [_NAMES[type(event)], plain(event)], b""


def unpacked_event(told: Any, blob: bytes = b"") -> Event:  # noqa: ANN401  JSON is anything
    """The event again; a snapshot has its bytes, and no filters.

    Raises:
        FrameError: it is none.
    """
    try:
        name = told[0]
        if name == "partial":
            return _partial(told)
        if name == "snapshot":
            _, position = told
            return SnapshotTaken(_of(int, position), _gives(blob))
        kind, (_, value) = _KINDS[name], told
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise FrameError(f"no event: {type(error).__name__} {error}") from None
    return cast("Event", value_of(kind, value))


def _partial(told: Any) -> Partial:  # noqa: ANN401
    _, text, tokens, tentative_text, tentative, committed_s, lookahead_end_s, timing = told
    return Partial(
        _of(str, text),
        tuple(Token(*_all_of(_TOKEN, each)) for each in tokens),
        _of(str, tentative_text),
        tuple(Token(*_all_of(_TOKEN, each)) for each in tentative),
        _of(float, committed_s),
        _of(float, lookahead_end_s),
        None if timing is None else StepTiming(*_all_of(_TIMING, timing)),
    )


def _token(token: Token) -> list[Any]:
    return [
        token.id,
        token.text,
        token.start_frame,
        token.duration_frames,
        token.start,
        token.end,
        token.confidence,
        token.recovered,
        token.unfinished,
        token.boosted,
        token.spoken,
    ]


def _timing(timing: StepTiming) -> list[Any]:
    return [timing.waited_s, timing.encode_s, timing.decode_s, timing.streams, timing.share]


def _of(kind: type[Any], value: Any) -> Any:  # noqa: ANN401
    if type(value) is not kind:
        if kind is float and type(value) is int:
            return float(value)
        raise FrameError(f"{value!r} where {kind.__name__} belongs")
    return value


def _all_of(kinds: tuple[type[Any], ...], values: Any) -> list[Any]:  # noqa: ANN401
    return [_of(kind, value) for kind, value in zip(kinds, values, strict=True)]


def _gives(blob: bytes) -> Callable[[], bytes]:
    return lambda: blob
