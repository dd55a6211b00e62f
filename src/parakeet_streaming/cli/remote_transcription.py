"""A source of live sound and a server in; text on the terminal and files, out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any, Final

import typer

from parakeet_streaming import formats
from parakeet_streaming.audio.saving import SavedSound
from parakeet_streaming.channels import ChannelEvent
from parakeet_streaming.cli.display import Told
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.cli.listening import Listening
from parakeet_streaming.cli.remote_stream import RemoteStream
from parakeet_streaming.cli.transcription import (
    OutputOptions,
    display_for,
    open_output,
    saved_sound,
    show,
)
from parakeet_streaming.cli.written_transcription import as_written
from parakeet_streaming.errors import OptionError
from parakeet_streaming.results import Partial
from parakeet_streaming.sources.live import LiveSource
from parakeet_streaming.timeline import ContextConfig

_MOST_DELAYS: Final = 10_000
"""Of the last tokens, whose median is told."""


class RemoteTranscription(Listening):
    """One source that a server transcribes, and how it goes."""

    processing_s: Final = 0.0
    """The server's time is not known here."""

    def __init__(
        self,
        stream: RemoteStream,
        source: LiveSource,
        interruption: Interruption,
        context: ContextConfig,
        *,
        saved: SavedSound | None = None,
        labels: Sequence[str] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`context`: the first one; `labels`: of channels that are recognised each for itself."""
        super().__init__(stream, source, interruption, context, saved=saved, labels=labels, now=now)
        self._remote = stream
        self._delays_s: deque[float] = deque(maxlen=_MOST_DELAYS)

    @property
    def failure(self) -> Exception | None:
        """Why the source, or the server, ended before its time."""
        return self._source.failure or self._remote.failure

    def messages(self) -> Iterator[str]:
        while self._remote.messages:
            self.add_message(self._remote.messages.popleft())
        yield from super().messages()

    def pace(self) -> str:
        return f"{super().pace()} · {self._remote.unsent_s:.1f} s to send"

    def summary(self) -> str:
        """One line for the end, and a second on delays."""
        lines = [f"{super().summary()} · {super().pace()}"]
        if self._delays_s:
            lines.append(
                f"text appeared {median(self._delays_s):.2f} s after it was spoken (median of "
                f"{len(self._delays_s)} tokens; the latest {max(self._delays_s):.2f} s)"
            )
        return "\n".join(lines)

    def why_slow(self) -> str:
        return "the server does not keep up with less"

    def why_lost(self) -> str:
        return "the network, the server or this machine does not keep up"

    def _take_note(self, event: Told | None) -> None:
        told = event.event if isinstance(event, ChannelEvent) else event
        if isinstance(told, Partial) and not self._source.can_wait:
            # Of live sound, what was received is how late it is, the way there and back included.
            self._delays_s += (max(0.0, self.received_s - token.end) for token in told.tokens)
        super()._take_note(event)


def refuse_local_options(given: Mapping[str, bool]) -> None:
    """Refuses options of what the server does.

    Args:
        given: whether an option was given, by its name.

    Raises:
        OptionError: one was.
    """
    for option, is_given in given.items():
        if is_given:
            raise OptionError(f"{option}: the server decides that; leave it out with --server")


def transcribe_remotely(
    server: str,
    key: str | None,
    source: LiveSource,
    options: dict[str, Any],
    wanted: OutputOptions,
    *,
    called: str,
    warnings: Callable[[], Sequence[str]] = tuple,
) -> bool:
    """Has a server transcribe a source to its end, or until it is interrupted.

    Args:
        server: its address.
        key: for it.
        source: what gives sound.
        options: of the stream, but for its rate.
        wanted: what is written.
        called: what to call the source in the greeting.
        warnings: that there are about the source by now.

    Returns:
        Whether it was interrupted.

    Raises:
        ParakeetError: there is no stream, or it ended before its time, after all that it gave was
            written.
    """
    from parakeet_streaming.client import Client

    with ExitStack() as stack:
        connected = stack.enter_context(Client(server, key))
        if wanted.labels:
            options |= {"channels": source.channels, "separate": True}
        stream = connected.stream(sample_rate=source.rate_hz, tokens=True, **options)
        ready = stream.ready
        output = stack.enter_context(open_output(wanted))
        saved = saved_sound(wanted, source, stack)
        interruption = stack.enter_context(Interruption())
        live = RemoteTranscription(
            RemoteStream(stream, wanted.labels), source, interruption, ready.context,
            saved=saved, labels=wanted.labels,
        )  # fmt: skip
        live.add_message(
            f"{server} listens to {called} ({source.rate_hz} Hz) with {ready.model} · text within "
            f"{ready.latency_s:.2f} s · Ctrl-C ends"
        )
        text = as_written(live, wanted.choices.writing)
        show(text, display_for(wanted, live=True), output, warnings)
        whole = formats.Recording(
            text.transcript(), ready.model, ready.context, ready.latency_s, 0.0, wanted.source
        )
        heard_all = live.failure is None and not interruption.asked
        output.write_whole(whole, whole=heard_all and live.received_s > 0)
    typer.echo(live.summary(), err=True)
    if live.failure is not None:
        raise live.failure
    return interruption.asked
