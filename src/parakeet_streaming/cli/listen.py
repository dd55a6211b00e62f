"""`parakeet listen`: a microphone or raw samples on standard input in; live text out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from parakeet_streaming.cli import options as shared
from parakeet_streaming.cli.inputs import InputOptions
from parakeet_streaming.cli.listen_choices import (
    DEFAULT_ENDPOINTING,
    NO_ENDPOINTING,
    delay_range_of,
    endpoint_of,
)
from parakeet_streaming.cli.listen_source import checked_source, open_source
from parakeet_streaming.cli.listen_source import list_devices as print_devices
from parakeet_streaming.cli.output_paths import (
    STDIN,
    check_overwriting,
    chosen_format,
    output_paths,
)
from parakeet_streaming.cli.phrases import read_boosting
from parakeet_streaming.cli.report import check_writable
from parakeet_streaming.cli.text_choices import TextChoices, with_text_choices
from parakeet_streaming.cli.transcription import OutputOptions, transcribe_live
from parakeet_streaming.engine.endpoint_options import PRESETS as ENDPOINTINGS
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import OptionError
from parakeet_streaming.languages.codes import language_codes
from parakeet_streaming.live.adaptation import MOST_GROWTH
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.load import DEFAULT_MODEL, load, load_vad

_SOUND: Final = "Sound"
_SERVER: Final = "Elsewhere"
_SPEECH: Final = "Speech and utterances"

_VAD: Final = VadOptions()
_ENDPOINT: Final = EndpointOptions()


@with_text_choices
def listen(
    choices: TextChoices,
    source: Annotated[
        str | None, typer.Argument(help="- for standard input; by default a microphone.")
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            rich_help_panel=_SERVER,
            help="A `parakeet serve` that recognises instead of this machine.",
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="PARAKEET_API_KEY", rich_help_panel=_SERVER, help="The key that it wants."
        ),
    ] = None,
    reconnect_s: Annotated[
        float,
        typer.Option(
            rich_help_panel=_SERVER, help="Seconds for which a server that is lost is tried again."
        ),
    ] = 600.0,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            "-d",
            rich_help_panel=_SOUND,
            help="Microphone: its number, name or part of it; else the system's default.",
        ),
    ] = None,
    list_devices: Annotated[
        bool, typer.Option("--list-devices", rich_help_panel=_SOUND, help="List microphones.")
    ] = False,
    channels: shared.Channels = None,
    channel_names: shared.ChannelNames = None,
    save: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_SOUND, help="Save the sound, too: a new .flac, .wav, .ogg or .mp3."
        ),
    ] = None,
    context: shared.Context = None,
    preset: shared.Preset = None,
    longest_chunk: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=shared.DELAY_GROUP,
            show_default=f"{MOST_GROWTH} chunks",
            help="Seconds to which the chunk may grow while the machine does not keep up.",
        ),
    ] = None,
    fixed: Annotated[
        bool,
        typer.Option(
            "--fixed",
            rich_help_panel=shared.DELAY_GROUP,
            help="The chunk never grows; sound that cannot be decoded in time is refused.",
        ),
    ] = False,
    tentative: Annotated[
        bool,
        typer.Option(
            "--tentative/--no-tentative",
            rich_help_panel=shared.DELAY_GROUP,
            help="Whether text that may still change is shown, dimmed.",
        ),
    ] = True,
    cached: shared.Cached = False,
    language: shared.Language = None,
    phrases: shared.Phrases = None,
    boost: shared.Boost = None,
    vad: Annotated[
        bool,
        typer.Option(
            "--vad/--no-vad",
            rich_help_panel=_SPEECH,
            help="Whether voice activity is detected: silence then costs nothing.",
        ),
    ] = True,
    endpointing: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_SPEECH,
            callback=shared.lowered,
            help=f"How soon an utterance, a line of text, ends in silence: "
            f"{', '.join(ENDPOINTINGS)}, or {NO_ENDPOINTING} for one utterance. Default: "
            f"{DEFAULT_ENDPOINTING}; with --server as the server has it.",
        ),
    ] = None,
    max_utterance_s: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_SPEECH,
            show_default=f"{_ENDPOINT.max_utterance_s:g}",
            help="Seconds after which an utterance ends in any case.",
        ),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(rich_help_panel=_SPEECH, help="Probability at which voice begins."),
    ] = _VAD.threshold,
    neg_threshold: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_SPEECH,
            show_default="0.15 below --threshold",
            help="Probability below which voice ends.",
        ),
    ] = None,
    min_speech_ms: Annotated[
        float, typer.Option(rich_help_panel=_SPEECH, help="Milliseconds of voice that make speech.")
    ] = _VAD.min_speech_ms,
    min_silence_ms: Annotated[
        float,
        typer.Option(rich_help_panel=_SPEECH, help="Milliseconds without voice that end speech."),
    ] = _VAD.min_silence_ms,
    prefix_padding_ms: Annotated[
        float,
        typer.Option(
            rich_help_panel=_SPEECH, help="Milliseconds before speech that are decoded, too."
        ),
    ] = _VAD.prefix_padding_ms,
    format: shared.Format = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            rich_help_panel=shared.OUTPUT_GROUP,
            help="A file, or a folder; on a terminal the text is shown as well. - is standard "
            "output.",
        ),
    ] = None,
    append: Annotated[
        bool,
        typer.Option(
            "--append",
            "-a",
            rich_help_panel=shared.OUTPUT_GROUP,
            help="Add to what the file holds (txt and jsonl).",
        ),
    ] = False,
    stats: shared.Stats = False,
    report: shared.Report = None,
    model: shared.Model = DEFAULT_MODEL,
    precision: shared.Precision = "auto",
    runtime: shared.Runtime = "auto",
    provider: shared.Provider = "auto",
    torch_device: shared.TorchDevice = "auto",
    threads: shared.Threads = None,
    revision: shared.Revision = None,
    rate: shared.Rate = None,
    encoding: shared.Encoding = None,
    track: shared.Track = None,
    strict: shared.Strict = False,
) -> None:
    """Turn live speech into text, from a microphone or from standard input.

    Text appears while you speak; what may still change is dimmed. Every utterance ends its line.
    Ctrl-C ends: what was recorded is decoded and written; a second Ctrl-C quits at once.
    """
    if list_devices:
        print_devices()
        return
    delay_range = delay_range_of(context, preset, longest_chunk, fixed=fixed)
    chosen_vad = VadOptions(
        threshold, neg_threshold, min_speech_ms, min_silence_ms, prefix_padding_ms
    )
    endpoint = endpoint_of(endpointing or DEFAULT_ENDPOINTING, max_utterance_s)
    names = shared.names_in(channel_names)
    reading = InputOptions(rate, encoding, channels, track, strict, names)
    if reading.separate and report is not None:
        raise OptionError("--report is about one stream; leave out --channels separate")
    boosting, languages = read_boosting(phrases, boost), language_codes(language)
    name = checked_source(source, device)
    written_as = chosen_format(format, output, append=append)
    if append and output in (None, STDIN):
        raise OptionError("--append needs a file; name it with --output")
    check_writable(report)
    path = output_paths([name], output, written_as)[name]
    reports = {} if report is None else {"--report": Path(report)}
    sound_file = None if save is None else Path(save)
    read = [model, STDIN] if name == STDIN else [model]
    check_overwriting(read, {"--output": path, **reports}, saved=sound_file)
    wanted = OutputOptions(
        name, written_as, path, append, in_place=True, save=save, stats=stats, report=report,
        choices=choices,
    )  # fmt: skip
    if server is not None:
        from parakeet_streaming.cli import remote_transcription as remote

        remote.refuse_local_options(
            {
                "--model": model != DEFAULT_MODEL,
                "--precision": precision != "auto",
                "--runtime": runtime != "auto",
                "--provider": provider != "auto",
                "--torch-device": torch_device != "auto",
                "--threads": threads is not None,
                "--revision": revision is not None,
                "--cached": cached,
                "--longest-chunk": longest_chunk is not None,
                "--threshold and the like": chosen_vad != VadOptions(),
                "--stats": stats,
                "--report": report is not None,
            }
        )
        asked: dict[str, Any] = {"fixed": fixed or None, "max_utterance_s": max_utterance_s}
        if context is not None or preset is not None:
            asked["context"] = str(delay_range.context)
        asked |= {"language": ",".join(languages) or None}
        asked |= {"vad": None if vad else False, "tentative": tentative}
        asked["reconnect_s"] = reconnect_s
        asked["endpointing"] = endpointing
        if boosting is not None:
            asked |= {"phrases": boosting.phrases, "boost": boosting.boost}
        with open_source(name, device, reading) as (sound, called, warnings):
            wanted = replace(wanted, labels=reading.labels(sound.channels))
            remote.transcribe_remotely(
                server, api_key, sound, asked, wanted, called=called, warnings=warnings
            )
        return
    with open_source(name, device, reading) as (sound, called, warnings):
        wanted = replace(wanted, labels=reading.labels(sound.channels))
        at_rate = replace(delay_range.context, sample_rate=sound.rate_hz)
        chosen = LiveOptions(
            delay=replace(delay_range, context=at_rate),
            vad=chosen_vad if vad else None,
            endpoint=endpoint,
            tentative=tentative,
            cached=cached,
            boosting=boosting,
            languages=languages,
        )
        recognizer = load(
            model, precision=precision, runtime=runtime, provider=provider, device=torch_device,
            threads=threads, revision=revision,
        )  # fmt: skip
        recognizer.masks.check(languages)
        greeting = (
            f"listening to {called} ({sound.rate_hz} Hz) · text within {at_rate.latency_s:.2f} s · "
            "Ctrl-C ends"
        )
        transcribe_live(
            recognizer, load_vad() if vad else None, sound, chosen, wanted,
            greeting=greeting, warnings=warnings,
        )  # fmt: skip
