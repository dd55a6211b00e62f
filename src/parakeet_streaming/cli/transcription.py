"""A source of sound and what is to be written in; text on the terminal, files and a report out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from parakeet_streaming import formats
from parakeet_streaming.audio.saving import SavedSound
from parakeet_streaming.cli.display import Display, UntilGone
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.cli.live_transcription import LiveTranscription
from parakeet_streaming.cli.messages import note
from parakeet_streaming.cli.new_display import new_display
from parakeet_streaming.cli.outputs import Output, Series
from parakeet_streaming.cli.report import (
    StreamLog,
    latency_rows,
    report_object,
    write_report,
)
from parakeet_streaming.cli.rows import print_table
from parakeet_streaming.cli.text_choices import TextChoices
from parakeet_streaming.cli.unsaid import Unsaid
from parakeet_streaming.cli.written_transcription import Transcription, as_written
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.sources.live import LiveSource
from parakeet_streaming.timeline import ContextConfig

_MOST_AHEAD_S: Final = 2.0
"""Audio beyond what the longest window needs that a source which can wait may be ahead of its
text."""


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """What is written about one source, and where."""

    source: str
    """What to call it in the output."""
    format: str = "txt"
    path: Path | None = None
    """None for standard output."""
    append: bool = False
    in_place: bool = False
    """Whether others read the file while it grows."""
    series: Series | None = None
    """Of results on standard output that follow one another."""
    save: str | None = None
    """File for the sound itself."""
    stats: bool = False
    report: str | None = None
    choices: TextChoices = field(default_factory=TextChoices)
    """How text and subtitles are written."""
    labels: tuple[str, ...] = ()
    """What channels are called that are recognised each for itself."""


def recording(
    transcription: Transcription, recognizer: Recognizer, context: ContextConfig | None, source: str
) -> formats.Recording:
    """Everything that was made of a source; `context` is None for offline."""
    return formats.Recording(
        transcript=transcription.transcript(),
        model=recognizer.name,
        context=context,
        latency_s=None if context is None else context.latency_s,
        processing_s=transcription.processing_s,
        source=source,
    )


def open_output(wanted: OutputOptions) -> Output:
    """The output that is wanted; it is opened when it is entered."""
    return Output(
        wanted.source,
        wanted.format,
        wanted.path,
        append=wanted.append,
        in_place=wanted.in_place,
        series=wanted.series,
        subtitles=wanted.choices.subtitles,
        labels=wanted.labels,
    )


def show(
    transcription: Transcription,
    display: Display,
    output: Output,
    warnings: Callable[[], Sequence[str]] = tuple,
) -> None:
    """Runs to the end; each event is written and shown as it comes, and so is each warning."""
    unsaid = Unsaid(warnings)
    with UntilGone(display) as shown:
        for event in transcription.events():
            for message in (*transcription.messages(), *unsaid()):
                shown.say(message)
            if event is not None:
                output.write_event(event)
            shown.show(event, transcription.status())
        for message in (*transcription.messages(), *unsaid()):
            shown.say(message)


def transcribe_live(
    recognizer: Recognizer,
    vad: VoiceActivity | None,
    source: LiveSource,
    options: LiveOptions,
    wanted: OutputOptions,
    *,
    duration_s: float | None = None,
    greeting: str | None = None,
    warnings: Callable[[], Sequence[str]] = tuple,
) -> bool:
    """Transcribes a source to its end, or until it is interrupted.

    Returns:
        Whether it was interrupted.

    Raises:
        Exception: what ended the source before its time, after all that it gave was written.
    """
    context = options.delay.context
    if source.can_wait:
        options = replace(options, most_ring_s=_ring_s(options))
    with ExitStack() as stack:
        saved = saved_sound(wanted, source, stack)
        output = stack.enter_context(open_output(wanted))
        # All channels of one source have their place, as one stream has, whatever they cost.
        most_streams = len(wanted.labels) or None
        engine = stack.enter_context(LiveEngine(recognizer, vad, most_streams=most_streams))
        log = StreamLog(keep_steps=wanted.report is not None)
        interruption = stack.enter_context(Interruption())
        streams = [engine.open(options) for _ in wanted.labels or ("",)]
        live = LiveTranscription(
            streams, source, interruption, log, context,
            duration_s=duration_s, saved=saved, labels=wanted.labels,
        )  # fmt: skip
        if greeting is not None:
            live.add_message(greeting)
        text = as_written(live, wanted.choices.writing)
        show(text, display_for(wanted, live=True), output, warnings)
        whole = recording(text, recognizer, context, wanted.source)
        heard_all = live.failure is None and not interruption.asked
        output.write_whole(whole, whole=heard_all and live.received_s > 0)
    for line in live.summary().split("\n"):
        note(line)
    if wanted.stats:
        for line in live.counts():
            note(line)
        print_table(latency_rows(engine.metrics), err=True)
    if wanted.report is not None:
        about = _about(whole, options, live.received_s)
        write_report(wanted.report, report_object(log, live.stats()[0], engine.metrics, about))
    if live.failure is not None:
        raise live.failure
    return interruption.asked


def display_for(wanted: OutputOptions, *, live: bool) -> Display:
    """Where the text appears; `live`: whether people watch it come."""
    return new_display(wanted.format, wanted.path, live=live, labels=wanted.labels)


def saved_sound(wanted: OutputOptions, source: LiveSource, stack: ExitStack) -> SavedSound | None:
    """The file for the sound itself, if one is wanted; `stack` closes it."""
    if wanted.save is None:
        return None
    return stack.enter_context(SavedSound(wanted.save, source.rate_hz, source.channels))


def _about(whole: formats.Recording, options: LiveOptions, received_s: float) -> dict[str, Any]:
    """What a report says was measured."""
    return {
        "source": whole.source,
        "model": whole.model,
        "context": str(options.delay.context),
        "longest_chunk_s": options.delay.longest_chunk,
        "audio_s": received_s,
        "processing_s": whole.processing_s,
    }


def _ring_s(options: LiveOptions) -> float:
    """Seconds of audio that may wait in the stream of a source that can wait itself."""
    return options.delay.longest_chunk + options.delay.context.right + _MOST_AHEAD_S
