"""Options of the streams to come in; their steps, made ready one after the other, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from parakeet_streaming.engine.prepared_steps import PreparesSteps
from parakeet_streaming.engine.stepper import Stepper
from parakeet_streaming.live.options import LiveOptions


def ready_steps(
    stepper: Stepper, options: Sequence[LiveOptions], most_rows: int, most_streams: int | None
) -> Iterator[None] | None:
    """Makes steps ready, some work between two yields; None where there is nothing to do.

    Args:
        stepper: a recognizer.
        options: of the streams; their contexts as they are where no chunk has grown.
        most_rows: streams of a step.
        most_streams: that may be open at once.
    """
    snapshots = stepper.snapshots
    model = snapshots.transducer
    if not options or not isinstance(model, PreparesSteps):
        return None
    return _made(model, options, most_rows, most_streams)


def _made(
    model: PreparesSteps, options: Sequence[LiveOptions], most_rows: int, most_streams: int | None
) -> Iterator[None]:
    for cached in (False, True):
        contexts = [each.context for each in options if each.cached is cached]
        if contexts:
            yield from model.prepare_steps(
                contexts, most_rows=most_rows, most_streams=most_streams, cached=cached
            )
