"""Options of how text is written and how subtitles are to be, for each command that writes them.

`with_text_choices` gives them to a command, which gets all of them as one value, `choices`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Annotated, Any, Final, get_type_hints

import typer

from parakeet_streaming.cli.options import lowered
from parakeet_streaming.errors import OptionError
from parakeet_streaming.subtitles.options import TRADE, SubtitleOptions
from parakeet_streaming.writing.options import NUMBERS, PROFANITY, WritingOptions
from parakeet_streaming.writing.profanity import offending_of
from parakeet_streaming.writing.replacements import read_list, read_replacements

TEXT_GROUP: Final = "Text"
SUBTITLES_GROUP: Final = "Subtitles (srt, vtt)"
_CHOICES: Final = "choices"


@dataclass(frozen=True, slots=True)
class TextChoices:
    """What was chosen."""

    writing: WritingOptions = field(default_factory=WritingOptions)
    subtitles: SubtitleOptions = TRADE


def text_choices(
    numbers: Annotated[
        str,
        typer.Option(
            rich_help_panel=TEXT_GROUP,
            callback=lowered,
            help="model: as the model says; digits: English numbers, dates, money and times in "
            "digits.",
        ),
    ] = "model",
    replace: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=TEXT_GROUP,
            help="Your own spelling: lines SPOKEN => WRITTEN, or /expression/ => WRITTEN.",
        ),
    ] = None,
    profanity: Annotated[
        str,
        typer.Option(
            rich_help_panel=TEXT_GROUP,
            callback=lowered,
            help="keep, or mask: only the first letter of an English word that offends stays.",
        ),
    ] = "keep",
    profanity_list: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=TEXT_GROUP,
            help="The words to mask instead, one a line.",
        ),
    ] = None,
    subtitle_lines: Annotated[
        int, typer.Option(rich_help_panel=SUBTITLES_GROUP, help="Lines at most.")
    ] = TRADE.lines,
    subtitle_width: Annotated[
        int, typer.Option(rich_help_panel=SUBTITLES_GROUP, help="Characters of a line at most.")
    ] = TRADE.line_characters,
    subtitle_speed: Annotated[
        float,
        typer.Option(rich_help_panel=SUBTITLES_GROUP, help="Characters that are read in a second."),
    ] = TRADE.characters_per_second,
    subtitle_shortest: Annotated[
        float,
        typer.Option(
            rich_help_panel=SUBTITLES_GROUP,
            show_default="0.833, 20 frames",
            help="Seconds that each stays, where there is room.",
        ),
    ] = TRADE.shortest_s,
    subtitle_longest: Annotated[
        float, typer.Option(rich_help_panel=SUBTITLES_GROUP, help="Seconds that none stays beyond.")
    ] = TRADE.longest_s,
    subtitle_gap: Annotated[
        float,
        typer.Option(
            rich_help_panel=SUBTITLES_GROUP,
            show_default="0.083, 2 frames",
            help="Seconds between two that follow each other closely.",
        ),
    ] = TRADE.gap_s,
    word_times: Annotated[
        bool,
        typer.Option(
            "--word-times",
            rich_help_panel=SUBTITLES_GROUP,
            help="When each word begins, in vtt, as for karaoke.",
        ),
    ] = False,
) -> TextChoices:
    """What these options say.

    Raises:
        OptionError: one of them makes no sense.
        ExtraMissingError: there are expressions, and what they need is not installed.
    """
    _check("--numbers", numbers, NUMBERS)
    _check("--profanity", profanity, PROFANITY)
    if profanity_list is not None and profanity == "keep":
        raise OptionError("--profanity-list goes with --profanity mask; add it")
    writing = WritingOptions(
        numbers=numbers,
        replacements=() if replace is None else read_replacements(replace),
        profanity=profanity,
        masked=None if profanity_list is None else _masked(profanity_list),
    )
    subtitles = SubtitleOptions(
        lines=subtitle_lines,
        line_characters=subtitle_width,
        characters_per_second=subtitle_speed,
        shortest_s=subtitle_shortest,
        longest_s=subtitle_longest,
        gap_s=subtitle_gap,
        word_times=word_times,
    )
    return TextChoices(writing, subtitles)


def with_text_choices(command: Callable[..., None]) -> Callable[..., None]:
    """The command with these options beside its own; its parameter `choices` gets their value."""
    more = _parameters(text_choices)
    own = [each for each in _parameters(command) if each.name != _CHOICES]

    @wraps(command)
    def with_choices(**given: Any) -> None:  # noqa: ANN401  whatever options are
        chosen = {each.name: given.pop(each.name) for each in more if each.name in given}
        command(**given, **{_CHOICES: text_choices(**chosen)})

    # What Typer reads: real types, not their names.
    taken = [*own, *more]
    with_choices.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    with_choices.__annotations__ = {each.name: each.annotation for each in taken}
    del with_choices.__wrapped__
    return with_choices


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    hints = get_type_hints(function, include_extras=True)
    named = inspect.signature(function).parameters.values()
    return [
        each.replace(annotation=hints[each.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for each in named
    ]


def _check(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError(f"{option} {value} does not exist; use {' or '.join(choices)}")


def _masked(path: str) -> tuple[str, ...]:
    try:
        return offending_of(read_list(path))
    except OptionError as error:
        raise OptionError(f"{path}: {error}") from error
