"""Options that several commands share: what they are called and what they mean."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from parakeet_streaming import formats
from parakeet_streaming.audio.pcm_decoder import ENCODINGS
from parakeet_streaming.errors import OptionError
from parakeet_streaming.runtime.session import RUNTIMES
from parakeet_streaming.timeline import PRESETS, SAMPLE_RATE_HZ, ContextConfig


def lowered(word: str | None) -> str | None:
    """A word of a list as the list has it: letters' case says nothing."""
    return None if word is None else word.strip().lower()


MODEL_GROUP: Final = "Model"
DELAY_GROUP: Final = "Delay and quality"
OUTPUT_GROUP: Final = "Output"
READING_GROUP: Final = "Reading files"
RAW_GROUP: Final = "Raw samples, in a file or on standard input"
MEASURING_GROUP: Final = "Measuring"

Model = Annotated[
    str,
    typer.Option(
        "--model", "-m", rich_help_panel=MODEL_GROUP, help="Folder, built-in name or hub id."
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        rich_help_panel=MODEL_GROUP, callback=lowered, help="auto, fp32, int8, fp16 or bf16."
    ),
]
Runtime = Annotated[
    str,
    typer.Option(
        rich_help_panel=MODEL_GROUP, callback=lowered, help=f"One of {', '.join(RUNTIMES)}."
    ),
]
Provider = Annotated[
    str,
    typer.Option(
        "--provider",
        "-p",
        rich_help_panel=MODEL_GROUP,
        help="auto, cpu, cuda, ... (see parakeet doctor).",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        rich_help_panel=MODEL_GROUP,
        callback=lowered,
        help="Of the runtime torch: auto, cpu, cuda or cuda:N.",
    ),
]
TorchDevice = Annotated[
    str,
    typer.Option(
        "--torch-device",
        rich_help_panel=MODEL_GROUP,
        callback=lowered,
        help="What other commands call --device: auto, cpu, cuda or cuda:N.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        "-t",
        min=1,
        rich_help_panel=MODEL_GROUP,
        help="Threads of the encoder; by default one per core.",
    ),
]
Revision = Annotated[
    str | None, typer.Option(rich_help_panel=MODEL_GROUP, help="Revision of a hub model.")
]
Context = Annotated[
    str | None,
    typer.Option(
        "--context",
        "-c",
        rich_help_panel=DELAY_GROUP,
        help="Seconds of left-chunk-right context, such as 10-2-2, or a preset's name.",
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=DELAY_GROUP,
        callback=lowered,
        help=f"A context by name: {', '.join(PRESETS)}.",
    ),
]
Cached = Annotated[
    bool,
    typer.Option(
        "--cached",
        rich_help_panel=DELAY_GROUP,
        help="Encode each frame once, where the model was exported for it: much cheaper, and "
        "close to the exact text.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        rich_help_panel=OUTPUT_GROUP,
        callback=lowered,
        show_default="as --output ends, else txt",
        help=f"One of {', '.join(formats.FORMATS)}.",
    ),
]
Stats = Annotated[
    bool,
    typer.Option(
        "--stats",
        rich_help_panel=MEASURING_GROUP,
        help="At the end, print every latency with its percentiles.",
    ),
]
Report = Annotated[
    str | None,
    typer.Option(
        "--report",
        rich_help_panel=MEASURING_GROUP,
        help="Write the same, and every step, to this JSON file; parakeet plot draws it.",
    ),
]
Rate = Annotated[
    int | None,
    typer.Option(
        rich_help_panel=RAW_GROUP, show_default=str(SAMPLE_RATE_HZ), help="Sample rate, Hz."
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=RAW_GROUP,
        show_default="s16le",
        callback=lowered,
        help=f"One of {', '.join(ENCODINGS)}.",
    ),
]

Track = Annotated[
    str | None,
    typer.Option(
        "--track",
        rich_help_panel=READING_GROUP,
        help="Audio track of a film, by number from 1 or language (en, eng); by default the file's "
        "own choice.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        rich_help_panel=READING_GROUP,
        help="End at the first packet that cannot be decoded; else it is silence, and a warning.",
    ),
]


def chosen_context(context: str | None, preset: str | None) -> ContextConfig | None:
    """The context asked for by notation or name; None where none was.

    Raises:
        ContextError: no context.
        OptionError: both were given, or no such preset.
    """
    if context is not None and preset is not None:
        raise OptionError("--context and --preset exclude each other; give one")
    if preset is not None and preset not in PRESETS:
        raise OptionError(f"--preset {preset} does not exist; use one of {', '.join(PRESETS)}")
    asked = context if preset is None else preset
    return None if asked is None else ContextConfig.parse(asked)
