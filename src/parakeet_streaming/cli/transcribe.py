"""`parakeet transcribe`: audio files or standard input in; text, subtitles or JSON out."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from parakeet_streaming import formats
from parakeet_streaming.audio.blocks import AudioFile
from parakeet_streaming.audio.files import open_audio
from parakeet_streaming.audio.pcm import ENCODINGS
from parakeet_streaming.cli.display import Display, Plain, Silent, Status, Terminal
from parakeet_streaming.cli.listening import Listening
from parakeet_streaming.cli.outputs import STDIN, Output, output_paths
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.errors import OptionError, ParakeetError
from parakeet_streaming.load import DEFAULT_MODEL, load
from parakeet_streaming.model.session import RUNTIMES
from parakeet_streaming.sources.file import paced
from parakeet_streaming.sources.stdin import open_stdin
from parakeet_streaming.timeline import PRESETS, SAMPLE_RATE_HZ, ContextConfig

_FILE_PRESET = "offline_like"
_LIVE_PRESET = "balanced"
_LIVE_BLOCK_S = 0.05
_FILE_BLOCK_S = 0.5

_ABOUT_CONTEXT = "Seconds of left-chunk-right context, such as 10-2-2, or a preset's name."
_ABOUT_PRESET = f"One of {', '.join(PRESETS)}."


def transcribe(
    files: Annotated[list[str], typer.Argument(help="Audio files; - is standard input.")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Folder, built-in name or hub id.")
    ] = DEFAULT_MODEL,
    context: Annotated[str | None, typer.Option("--context", "-c", help=_ABOUT_CONTEXT)] = None,
    preset: Annotated[str | None, typer.Option(help=_ABOUT_PRESET)] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Whole file in one window; best text, at the end.")
    ] = False,
    format: Annotated[
        str, typer.Option("--format", "-f", help=f"One of {', '.join(formats.FORMATS)}.")
    ] = "txt",
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="A file, or a folder for many.")
    ] = None,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Feed files at the speed at which they play.")
    ] = False,
    stall_guard: Annotated[
        bool,
        typer.Option("--stall-guard", help="Decode again where there is speech but no text."),
    ] = False,
    cached: Annotated[
        bool,
        typer.Option(
            "--cached",
            help="Encode each frame once, where the model was exported for it: much cheaper, and "
            "close to the exact text.",
        ),
    ] = False,
    precision: Annotated[str, typer.Option(help="auto, fp32, int8, fp16 or bf16.")] = "auto",
    runtime: Annotated[str, typer.Option(help=f"One of {', '.join(RUNTIMES)}.")] = "auto",
    provider: Annotated[
        str, typer.Option("--provider", "-p", help="auto, cpu, cuda, ... (see parakeet doctor).")
    ] = "auto",
    threads: Annotated[
        int | None, typer.Option("--threads", "-t", min=1, help="Threads of the encoder.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Revision of a hub model.")] = None,
    rate: Annotated[
        int, typer.Option(help="Sample rate of raw samples on standard input, Hz.")
    ] = SAMPLE_RATE_HZ,
    encoding: Annotated[
        str, typer.Option(help=f"Encoding of raw samples: {', '.join(ENCODINGS)}.")
    ] = "s16le",
    channels: Annotated[int, typer.Option(help="Channels of raw samples.")] = 1,
) -> None:
    """Turn speech into text, while it is being read.

    Files are wav, flac, ogg, opus, mp3 and, with the extra `av`, whatever PyAV reads. By default
    files are read with the context 10-2-2, live audio with 5-0.5-0.5.
    """
    if format not in formats.FORMATS:
        raise OptionError(f"--format {format} does not exist; use {', '.join(formats.FORMATS)}")
    live = realtime or STDIN in files
    chosen = _context(context, preset, offline=offline, live=live)
    paths = output_paths(files, output, format)
    recognizer = load(
        model,
        precision=precision,
        runtime=runtime,
        provider=provider,
        threads=threads,
        revision=revision,
    )
    guard = StallGuard() if stall_guard else None
    desk = _Desk(recognizer, chosen, guard, cached, format, realtime)
    failed = False
    for source in paths:
        try:
            with _open(source, rate, encoding, channels) as audio:
                desk.transcribe(source, audio, paths[source], titled=len(paths) > 1)
        except ParakeetError as error:
            typer.echo(f"parakeet: {error}", err=True)
            failed = True
    if failed:
        raise typer.Exit(1)


def _context(
    context: str | None, preset: str | None, *, offline: bool, live: bool
) -> ContextConfig | None:
    """The context asked for; None is offline."""
    if sum((context is not None, preset is not None, offline)) > 1:
        raise OptionError("--context, --preset and --offline exclude each other; give one")
    if preset is not None and preset not in PRESETS:
        raise OptionError(f"--preset {preset} does not exist; use one of {', '.join(PRESETS)}")
    if offline:
        return None
    return ContextConfig.parse(context or preset or (_LIVE_PRESET if live else _FILE_PRESET))


def _open(source: str, rate_hz: int, encoding: str, channels: int) -> AudioFile:
    if source == STDIN:
        return open_stdin(sys.stdin.buffer, rate_hz=rate_hz, encoding=encoding, channels=channels)
    return open_audio(source)


class _Desk:
    """Transcribes one file after the other with the same choices."""

    def __init__(
        self,
        recognizer: Recognizer,
        context: ContextConfig | None,
        stall_guard: StallGuard | None,
        cached: bool,
        format: str,
        realtime: bool,
    ) -> None:
        self._recognizer = recognizer
        self._context = context
        self._stall_guard = stall_guard
        self._cached = cached
        self._format = format
        self._realtime = realtime
        self._watched = Console(stderr=True)

    def transcribe(self, source: str, audio: AudioFile, path: Path | None, *, titled: bool) -> None:
        """Transcribes one file; what was heard is written even when reading it fails."""
        asked = self._context or self._recognizer.offline_context(audio.duration_s)
        stream = self._recognizer.stream(
            replace(asked, sample_rate=audio.rate_hz),
            stall_guard=self._stall_guard,
            cached=self._cached,
        )
        live = self._realtime or source == STDIN
        blocks = audio.blocks(_LIVE_BLOCK_S if live else _FILE_BLOCK_S)
        if self._realtime:
            blocks = paced(blocks, audio.rate_hz)
        listening = Listening(stream, audio.duration_s, live=live)
        if titled and self._shows_text(path):
            typer.echo(f"==> {source} <==")
        broken: BaseException | None = None
        with Output(source, self._format, path) as output:
            with self._display(path) as display:
                try:
                    for partial in listening.hear(blocks):
                        display.show(partial, listening.status())
                        output.write_partial(partial)
                except (ParakeetError, KeyboardInterrupt) as error:
                    broken = error
                for partial in listening.finish():
                    display.show(partial, listening.status())
                    output.write_partial(partial)
            if broken is None or listening.heard_s > 0:
                output.write(self._recording(source, listening))
        if self._watched.is_terminal or live:
            typer.echo(listening.summary(), err=True)
        if broken is not None:
            raise broken

    def _shows_text(self, path: Path | None) -> bool:
        return self._format == "txt" and path is None

    def _display(self, path: Path | None) -> Display:
        if self._shows_text(path) and sys.stdout.isatty():
            return Terminal(Console())
        under: Display = Plain() if self._shows_text(path) else Silent()
        return Status(self._watched, under) if self._watched.is_terminal else under

    def _recording(self, source: str, listening: Listening) -> formats.Recording:
        return formats.Recording(
            transcript=listening.transcript(),
            model=self._recognizer.name,
            context=self._context,
            latency_s=None if self._context is None else self._context.latency_s,
            processing_s=listening.processing_s,
            source=source,
        )
