"""How text and subtitles are to be written, as clients say it, in; options within limits out.

Rules of this file:

1. A client's own spelling is phrases alone: expressions are for those who start the program.
2. A value that makes no sense raises an error that says what would; the protocol adds the name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server.protocols.fields import Fields
from parakeet_streaming.server.replies import WrongRequestError
from parakeet_streaming.subtitles.options import SubtitleOptions
from parakeet_streaming.writing.options import NUMBERS, PROFANITY, WritingOptions
from parakeet_streaming.writing.replacements import Replacement, replacements_of

MOST_SENT: Final = 200
"""Replacements of one client, as Deepgram has it: they are looked for at every word."""
WRITING_FIELDS: Final = ("numbers", "profanity", "replace")
SUBTITLE_FIELDS: Final = {
    "subtitle_lines": "lines",
    "subtitle_width": "line_characters",
    "subtitle_speed": "characters_per_second",
    "subtitle_shortest": "shortest_s",
    "subtitle_longest": "longest_s",
    "subtitle_gap": "gap_s",
    "word_times": "word_times",
}
"""Ours by what clients call them, as options of the command are called."""
_WHOLE: Final = ("lines", "line_characters")


def with_writing(writing: WritingOptions, field: str, value: str) -> WritingOptions:
    """The options with one more field of a form; `replace` adds to what was there.

    Raises:
        ValueError: an impossible value.
    """
    match field:
        case "replace":
            return with_replacements(writing, replacements_of(value))
        case "numbers":
            return replace(writing, numbers=value or "model")
        case _:
            return replace(writing, profanity=value or "keep")


def with_replacements(writing: WritingOptions, more: Iterable[Replacement]) -> WritingOptions:
    """The options with more of a client's own spelling.

    Raises:
        OptionError: expressions, or too many.
    """
    sent = (*writing.replacements, *more)
    if any(each.is_expression for each in sent):
        raise OptionError("expressions are not taken from clients; send words as they are spoken")
    if len(sent) > MOST_SENT:
        raise OptionError(f"more than {MOST_SENT} replacements; send those that are needed")
    return replace(writing, replacements=sent)


def writing_of(fields: Fields, before: WritingOptions) -> WritingOptions:
    """The options with those that an object or a query has; `replace` takes the place of others.

    Raises:
        WrongRequestError: a value that makes no sense.
    """
    writing = replace(
        before,
        numbers=fields.choice("numbers", NUMBERS) or before.numbers,
        profanity=fields.choice("profanity", PROFANITY) or before.profanity,
    )
    text = fields.text("replace")
    if text is None:
        return writing
    try:
        return with_replacements(replace(writing, replacements=()), replacements_of(text))
    except OptionError as error:
        raise fields.mistake("replace", f"cannot be taken: {error}") from error


def deepgram_replacements(texts: Sequence[str]) -> tuple[Replacement, ...]:
    """Deepgram's `replace`: `spoken:written`, any number of times.

    Raises:
        WrongRequestError: something else.
    """
    replacements = []
    for text in texts:
        spoken, colon, written = text.partition(":")
        if not (colon and spoken.strip() and written.strip()):
            raise WrongRequestError(
                f"replace {text[:60]!r} is no SPOKEN:WRITTEN; words cannot be left out", "replace"
            )
        replacements.append(Replacement(spoken.strip(), written.strip()))
    return tuple(replacements)


def with_subtitle(
    numbers: tuple[tuple[str, float], ...], field: str, value: str
) -> tuple[tuple[str, float], ...]:
    """Fields of subtitles with one more of a form, as a number; an empty one says nothing.

    Raises:
        ValueError: no number; of `word_times`, neither yes nor no.
    """
    if not value:
        return numbers
    if field == "word_times":
        number = float(Fields({field: value}).flag(field) or False)
    else:
        number = float(value[:40])
        if not math.isfinite(number):
            raise ValueError(f"{value[:40]!r} is no number")
    return tuple({**dict(numbers), field: number}.items())


def subtitles_of(numbers: Mapping[str, float]) -> SubtitleOptions:
    """What fields of subtitles say together.

    Raises:
        WrongRequestError: one of them makes no sense.
    """
    given = {SUBTITLE_FIELDS[name]: value for name, value in numbers.items()}
    chosen = {
        name: bool(value)
        if name == "word_times"
        else int(value)
        if name in _WHOLE and value == int(value)
        else value
        for name, value in given.items()
    }
    try:
        return SubtitleOptions(**chosen)  # type: ignore[arg-type]
    except OptionError as error:
        name = next(iter(numbers), "subtitles")
        named = next((each for each in numbers if SUBTITLE_FIELDS[each] in str(error)), name)
        raise WrongRequestError(f"`{named}`: {error}", named) from error


def fingerprint(writing: WritingOptions) -> str:
    """Equal for equal options, and short."""
    return sha256(repr(writing).encode(errors="backslashreplace")).hexdigest()[:32]
