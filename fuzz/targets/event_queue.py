"""Events of one stream: none is lost, none comes twice, and the order stays."""

from collections.abc import Iterator
from unittest import mock

from fuzz.choices import Choices
from parakeet_streaming.live import event_queue
from parakeet_streaming.live.event_queue import EventQueue
from parakeet_streaming.results import Event, Gap, Partial

MOST_WAITING = 20
"""Instead of a thousand, so that few bytes fill it."""


class EndedError(Exception):
    """What ends the stream."""


def run(data: bytes) -> None:
    with mock.patch.object(event_queue, "MOST_WAITING", MOST_WAITING):
        _use(Choices(data))


def _use(choices: Choices) -> None:
    queue = EventQueue()
    put = got = 0
    for _ in choices.times(400):
        kind = choices.number(0, 15)
        if kind < 8:
            for _each in range(choices.one_of((1, 1, 3, MOST_WAITING))):
                queue.put(_event(put, choices.number(0, 3) > 0))
                put += 1
        elif kind < 15:
            got = _take(queue, got)
        else:
            queue.close(EndedError() if choices.flag() else None)
        assert len(queue) <= put - got
    queue.close()
    before = -1
    while got != before:
        before, got = got, _take(queue, got)
    assert got == put, f"{put} events in, {got} out"


def _event(number: int, is_partial: bool) -> Event:
    if is_partial:
        return Partial(f"{number} ", (), "", (), number, number)
    return Gap(number, number)


def _take(queue: EventQueue, got: int) -> int:
    """Reads one event; how many were read, joined ones as often as they were put."""
    try:
        event = queue.get(0)
    except (TimeoutError, EndedError):
        return got
    if isinstance(event, Partial):
        numbers = event.text.split()
        assert numbers == [str(got + at) for at in range(len(numbers))]
        return got + len(numbers)
    if isinstance(event, Gap):
        assert event.start == got
        return got + 1
    return got


def seeds() -> Iterator[bytes]:
    yield bytes((1, 0, 1, 9, 2, 3, 0) * 30)
    yield bytes((1, 3, 1, 2, 2, 1, 0, 9, 15, 1, 9, 1, 1)) * 3
