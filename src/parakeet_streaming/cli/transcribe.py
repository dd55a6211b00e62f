"""`parakeet transcribe`: audio files or standard input in; text, subtitles or JSON out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from parakeet_streaming.audio.blocks import AudioFile
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.cli import options as shared
from parakeet_streaming.cli.display import is_watched
from parakeet_streaming.cli.file_transcription import FileTranscription
from parakeet_streaming.cli.inputs import InputOptions, comes_live, open_input, unreadable
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.cli.messages import answer, complain, note
from parakeet_streaming.cli.output_paths import (
    STDIN,
    check_overwriting,
    chosen_format,
    output_paths,
)
from parakeet_streaming.cli.outputs import Series
from parakeet_streaming.cli.phrases import read_boosting
from parakeet_streaming.cli.report import check_writable
from parakeet_streaming.cli.standard_streams import check_stdin
from parakeet_streaming.cli.text_choices import TextChoices, with_text_choices
from parakeet_streaming.cli.transcription import (
    OutputOptions,
    display_for,
    open_output,
    recording,
    show,
    transcribe_live,
)
from parakeet_streaming.cli.written_transcription import as_written
from parakeet_streaming.engine.channel_streams import ChannelStreams
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.errors import AudioFormatError, OptionError, ParakeetError
from parakeet_streaming.languages.codes import language_codes
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.load import DEFAULT_MODEL, load
from parakeet_streaming.sources.live import BlockSource
from parakeet_streaming.sources.pacing import paced
from parakeet_streaming.timeline import ContextConfig, samples_to_seconds

_FILE_PRESET: Final = "offline_like"
_LIVE_PRESET: Final = "balanced"
_LIVE_BLOCK_S: Final = 0.05
_FILE_BLOCK_S: Final = 0.5


@with_text_choices
def transcribe(
    choices: TextChoices,
    files: Annotated[list[str], typer.Argument(help="Audio files; - is standard input.")],
    context: shared.Context = None,
    preset: shared.Preset = None,
    offline: shared.Offline = False,
    realtime: shared.Realtime = False,
    stall_guard: shared.StallGuard = False,
    cached: shared.Cached = False,
    language: shared.Language = None,
    phrases: shared.Phrases = None,
    boost: shared.Boost = None,
    format: shared.Format = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            rich_help_panel=shared.OUTPUT_GROUP,
            help="A file, a folder for many, or - for standard output.",
        ),
    ] = None,
    stats: shared.Stats = False,
    report: shared.Report = None,
    model: shared.Model = DEFAULT_MODEL,
    precision: shared.Precision = "auto",
    runtime: shared.Runtime = "auto",
    provider: shared.Provider = "auto",
    device: shared.Device = "auto",
    threads: shared.Threads = None,
    revision: shared.Revision = None,
    track: shared.Track = None,
    strict: shared.Strict = False,
    rate: shared.Rate = None,
    encoding: shared.Encoding = None,
    channels: shared.Channels = None,
    channel_names: shared.ChannelNames = None,
) -> None:
    """Turn speech into text, while it is read.

    Files are whatever ffmpeg reads: wav, flac, mp3, m4a, ogg, opus, webm, films. By default files
    are read with the context 10-2-2, live audio with 5-0.5-0.5.
    """
    written_as = chosen_format(format, output)
    live = realtime or any(comes_live(each) for each in files)
    chosen = _context(context, preset, offline=offline, live=live)
    _check_live(files, live=live, measures=stats or report is not None, stall_guard=stall_guard)
    check_writable(report)
    paths = output_paths(files, output, written_as)
    check_overwriting([*files, model], _written(paths, report))
    reading = InputOptions(rate, encoding, channels, track, strict, shared.names_in(channel_names))
    if reading.separate and report is not None:
        raise OptionError("--report is about one stream; leave out --channels separate")
    boosting, languages = read_boosting(phrases, boost), language_codes(language)
    readable = _readable(paths, reading)
    recognizer = load(
        model,
        precision=precision,
        runtime=runtime,
        provider=provider,
        device=device,
        threads=threads,
        revision=revision,
    )
    guard = StallGuard() if stall_guard else None
    transcriber = _Transcriber(recognizer, chosen, guard, cached, realtime, boosting, languages)
    failed = len(readable) < len(paths)
    series = Series(several=len(paths) > 1)
    for source, path in readable.items():
        wanted = OutputOptions(
            source, written_as, path, series=series, stats=stats, report=report,
            choices=choices,
        )  # fmt: skip
        if len(paths) > 1 and written_as == "txt" and path is None:
            answer(f"==> {source} <==")
        try:
            with open_input(source, reading) as audio:
                labels = reading.labels(audio.channels)
                interrupted = transcriber.transcribe(audio, replace(wanted, labels=labels))
                if not interrupted and audio.read_s == 0:
                    raise AudioFormatError(f"{source} holds no sound; check what wrote it")
        except ParakeetError as error:
            complain(error)
            failed = True
        else:
            if interrupted:
                raise KeyboardInterrupt
    if failed:
        raise typer.Exit(1)


def _readable(paths: dict[str, Path | None], reading: InputOptions) -> dict[str, Path | None]:
    """The inputs that can be read, and their outputs; says why the others cannot.

    Raises:
        Exit: there is none.
    """
    broken = unreadable(paths, reading)
    for error in broken.values():
        complain(error)
    if len(broken) == len(paths):
        raise typer.Exit(1)
    return {source: path for source, path in paths.items() if source not in broken}


def _written(paths: dict[str, Path | None], report: str | None) -> dict[str, Path | None]:
    """Everything that is written, by what asked for it."""
    written = {f"the output of {source}": path for source, path in paths.items()}
    return written if report is None else {**written, "--report": Path(report)}


def _context(
    context: str | None, preset: str | None, *, offline: bool, live: bool
) -> ContextConfig | None:
    """The context asked for; None is offline."""
    chosen = shared.chosen_context(context, preset)
    if offline and chosen is not None:
        raise OptionError("--offline does not go with --context or --preset; give one")
    if offline:
        return None
    return chosen or ContextConfig.parse(_LIVE_PRESET if live else _FILE_PRESET)


def _check_live(files: list[str], *, live: bool, measures: bool, stall_guard: bool) -> None:
    """Refuses what does not go with files, or with sound that is live."""
    if measures and not (live and len(files) == 1):
        raise OptionError("--stats and --report measure one live source; add --realtime, one file")
    if stall_guard and live:
        raise OptionError("--stall-guard goes with files that are read at once; leave it out")
    if STDIN in files:
        check_stdin()


class _Transcriber:
    """Transcribes one file after the other with the same choices."""

    def __init__(
        self,
        recognizer: Recognizer,
        context: ContextConfig | None,
        stall_guard: StallGuard | None,
        cached: bool,
        realtime: bool,
        boosting: Boosting | None,
        languages: tuple[str, ...],
    ) -> None:
        self._recognizer = recognizer
        self._context = context
        self._stall_guard = stall_guard
        self._cached = cached
        self._realtime = realtime
        self._boosting = boosting
        self._languages = languages
        recognizer.masks.check(languages)

    def transcribe(self, audio: AudioFile, wanted: OutputOptions) -> bool:
        """Transcribes one file; what was read is written even when the rest cannot be read.

        Returns:
            Whether it was interrupted.

        Raises:
            ParakeetError: as the file failed, or a step.
        """
        asked = self._context or self._recognizer.offline_context(self._length_s(audio, wanted))
        context = replace(asked, sample_rate=audio.rate_hz)
        if self._realtime or comes_live(wanted.source):
            return self._live(audio, context, wanted)
        return self._file(audio, context, wanted)

    def _length_s(self, audio: AudioFile, wanted: OutputOptions) -> float | None:
        """How long a file is that one window may hold; what a file says of itself may be wrong."""
        if comes_live(wanted.source):
            return None
        return audio.measure(samples_to_seconds(self._recognizer.max_window_samples))

    def _live(self, audio: AudioFile, context: ContextConfig, wanted: OutputOptions) -> bool:
        blocks = audio.blocks(_LIVE_BLOCK_S)
        if self._realtime:
            blocks = paced(blocks, audio.rate_hz)
        channels = len(wanted.labels) or 1
        source = BlockSource(blocks, audio.rate_hz, can_wait=not self._realtime, channels=channels)
        options = LiveOptions(
            delay=DelayRange.fixed(context),
            vad=None,
            endpoint=None,
            cached=self._cached,
            boosting=self._boosting,
            languages=self._languages,
        )
        duration_s = audio.duration_s
        return transcribe_live(
            self._recognizer, None, source, options, wanted,
            duration_s=duration_s, warnings=lambda: audio.warnings,
        )  # fmt: skip

    def _opened(self, context: ContextConfig, labels: Sequence[str]) -> Stream | ChannelStreams:
        streams = [
            self._recognizer.stream(
                context,
                stall_guard=self._stall_guard,
                cached=self._cached,
                phrases=self._boosting,
                language=self._languages,
            )
            for _ in labels or ("",)
        ]
        return ChannelStreams(self._recognizer, streams, labels) if labels else streams[0]

    def _file(self, audio: AudioFile, context: ContextConfig, wanted: OutputOptions) -> bool:
        stream = self._opened(context, wanted.labels)
        with ExitStack() as stack:
            interruption = stack.enter_context(Interruption())
            output = stack.enter_context(open_output(wanted))
            blocks = audio.blocks(_FILE_BLOCK_S)
            reading = FileTranscription(stream, blocks, interruption, duration_s=audio.duration_s)
            text = as_written(reading, wanted.choices.writing)
            show(text, display_for(wanted, live=False), output, lambda: audio.warnings)
            if reading.failure is None or reading.received_s > 0:
                whole = recording(text, self._recognizer, self._context, wanted.source)
                heard_all = reading.failure is None and not interruption.asked
                output.write_whole(whole, whole=heard_all and reading.received_s > 0)
        if is_watched(Console(stderr=True)):
            note(reading.summary())
        if reading.failure is not None:
            raise reading.failure
        return interruption.asked
