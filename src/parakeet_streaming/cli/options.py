"""Options that several commands share: what they are called and what they mean."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from parakeet_streaming import formats
from parakeet_streaming.audio.pcm_decoder import ENCODINGS
from parakeet_streaming.boosting.options import DEFAULT_BOOST
from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import MOST_BOOST
from parakeet_streaming.runtime.session import RUNTIMES
from parakeet_streaming.timeline import PRESETS, SAMPLE_RATE_HZ, ContextConfig


def lowered(word: str | None) -> str | None:
    """A word of a list as the list has it: letters' case says nothing."""
    return None if word is None else word.strip().lower()


MODEL_GROUP: Final = "Model"
DELAY_GROUP: Final = "Delay and quality"
WORDS_GROUP: Final = "Words"
OUTPUT_GROUP: Final = "Output"
READING_GROUP: Final = "Reading files"
RAW_GROUP: Final = "Raw samples, in a file or on standard input"
CHANNELS_GROUP: Final = "Channels"
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
        help="auto, cpu, cuda, tensorrt, ... (see parakeet doctor).",
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
Offline = Annotated[
    bool,
    typer.Option(
        "--offline",
        rich_help_panel=DELAY_GROUP,
        help="Whole file in one window; best text, at the end.",
    ),
]
Realtime = Annotated[
    bool,
    typer.Option(
        "--realtime",
        rich_help_panel=DELAY_GROUP,
        help="Feed files at the speed at which they play.",
    ),
]
StallGuard = Annotated[
    bool,
    typer.Option(
        "--stall-guard",
        rich_help_panel=DELAY_GROUP,
        help="Decode again where there is speech but no text.",
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
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="CODES",
        rich_help_panel=WORDS_GROUP,
        help="Spoken here, such as de or uk,en: text of other scripts does not come up. For models "
        "that write several.",
    ),
]
Phrases = Annotated[
    str | None,
    typer.Option(
        "--phrases",
        metavar="FILE",
        rich_help_panel=WORDS_GROUP,
        help="Names and words to boost: one a line, a weight (-5 to 5) behind a tab.",
    ),
]
Boost = Annotated[
    float | None,
    typer.Option(
        "--boost",
        rich_help_panel=WORDS_GROUP,
        show_default=f"{DEFAULT_BOOST:g}",
        help=f"How strongly, 0 to {MOST_BOOST:g}.",
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

Channels = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=CHANNELS_GROUP,
        callback=lowered,
        show_default="averaged",
        help="left or right takes one of two, separate transcribes each for itself. A number: how "
        "many raw samples, or a microphone, have.",
    ),
]
ChannelNames = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=CHANNELS_GROUP,
        metavar="NAMES",
        help="What separate channels are called, such as agent,caller.",
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


def names_in(text: str | None) -> tuple[str, ...]:
    """Names that commas divide."""
    return () if text is None else tuple(name.strip() for name in text.split(","))


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
