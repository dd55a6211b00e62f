"""A source of live sound and wishes in; text on the terminal, files, figures and a report out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import typer

from parakeet_streaming import formats
from parakeet_streaming.audio.saving import SavedSound
from parakeet_streaming.cli.display import Display, new_display
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.cli.listening import Listening
from parakeet_streaming.cli.outputs import Output
from parakeet_streaming.cli.report import (
    Trace,
    counts_in_words,
    latency_rows,
    report_object,
    write_report,
)
from parakeet_streaming.cli.rows import print_table
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.results import Event, Transcript
from parakeet_streaming.sources.live import LiveSource
from parakeet_streaming.timeline import ContextConfig


class Run(Protocol):
    """A file that is read, or a source that is heard."""

    @property
    def heard_s(self) -> float: ...

    @property
    def processing_s(self) -> float: ...

    def hear(self) -> Iterator[Event | None]: ...

    def messages(self) -> Iterator[str]: ...

    def status(self) -> str: ...

    def transcript(self) -> Transcript: ...


def recording(
    run: Run, recognizer: Recognizer, context: ContextConfig | None, source: str
) -> formats.Recording:
    """Everything that a run made of its source; `context` is None for offline."""
    return formats.Recording(
        transcript=run.transcript(),
        model=recognizer.name,
        context=context,
        latency_s=None if context is None else context.latency_s,
        processing_s=run.processing_s,
        source=source,
    )


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to become of one source's text."""

    source: str
    """What to call it in the output."""
    format: str = "txt"
    path: Path | None = None
    """None for standard output."""
    append: bool = False
    save: str | None = None
    """File for the sound itself."""
    stats: bool = False
    report: str | None = None


def show(run: Run, display: Display, output: Output) -> None:
    """Hears everything; each event is written and shown as it comes."""
    with display:
        for event in run.hear():
            for message in run.messages():
                display.say(message)
            if event is not None:
                output.write_event(event)
            display.show(event, run.status())
        for message in run.messages():
            display.say(message)


def run_live(
    recognizer: Recognizer,
    vad: VoiceActivity | None,
    source: LiveSource,
    options: LiveOptions,
    wishes: Wishes,
    *,
    duration_s: float | None = None,
    greeting: str | None = None,
) -> bool:
    """Hears a source to its end, or until it is interrupted.

    Returns:
        Whether it was interrupted.

    Raises:
        Exception: what ended the source before its time, when all it gave was told.
    """
    with ExitStack() as stack:
        saved = None
        if wishes.save is not None:
            saved = stack.enter_context(SavedSound(wishes.save, source.rate_hz))
        output = Output(wishes.source, wishes.format, wishes.path, append=wishes.append)
        stack.enter_context(output)
        engine = stack.enter_context(LiveEngine(recognizer, vad))
        trace = Trace(engine.metrics, keep=wishes.report is not None)
        interruption = stack.enter_context(Interruption())
        stream = engine.open(options)
        listening = Listening(
            stream, source, interruption, trace, duration_s=duration_s, saved=saved
        )
        display = new_display(wishes.format, wishes.path, live=True)
        if greeting is not None:
            listening.say(greeting)
        show(listening, display, output)
        context = options.delay.context
        output.write_whole(recording(listening, recognizer, context, wishes.source))
    typer.echo(listening.summary(), err=True)
    if wishes.stats:
        typer.echo(counts_in_words(stream.stats()), err=True)
        print_table(latency_rows(trace.metrics), err=True)
    if wishes.report is not None:
        about = {
            "source": wishes.source,
            "model": recognizer.name,
            "context": str(context),
            "longest_chunk_s": options.delay.longest_chunk,
            "audio_s": listening.heard_s,
            "processing_s": listening.processing_s,
        }
        write_report(wishes.report, report_object(trace, stream.stats(), about))
    if listening.failure is not None:
        raise listening.failure
    return interruption.asked
