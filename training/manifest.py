"""Lists of recordings in JSON lines, in and out; and texts in, as a model is to learn them, out.

A line has `audio` (a path beside the list, or absolute), `text`, and may have `speaker`, `duration`
in seconds, `corpus` and `licence`; with an `offset` in seconds it is a part of its file. Lines
without a text are passed over.

Rules of this file:

1. Texts become lower-case letters, apostrophes and single spaces. Numbers are written out.
2. A text with a sign that has no fixed reading is refused: `normalise` gives None.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from parakeet_streaming.errors import AudioFormatError, AudioNotFoundError

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))
_LARGEST = 999_999_999

_ABBREVIATIONS = {"mr": "mister", "mrs": "missus", "dr": "doctor", "&": "and", "%": "percent"}
_DROPPED = re.compile(r"[\"“”.,;:!?()\[\]*_]")
_SPACED = re.compile(r"[-–—/…]")
CLAUSE = re.compile(r"([^,;:.!?]+)([,;:.!?]?)")
"""Words, and the mark after them at which people pause."""
_ABBREVIATED = re.compile(r"\b(mr|mrs|dr|st)\.", re.IGNORECASE)
_MARKS = re.compile(r"[,;:.!?]")
_SPOKEN = re.compile(r"[a-z']+( [a-z']+)*")


@dataclass(frozen=True)
class Clip:
    """One recording and what is said in it."""

    audio: Path
    text: str
    """Normalised."""
    speaker: str
    duration_s: float | None
    """None where the list does not say."""
    corpus: str
    licence: str
    offset_s: float | None = None
    """Where it begins within its file, for `duration_s`; None where it is all of it."""


def read_manifest(path: Path) -> list[Clip]:
    """The labelled clips of a list whose texts can be normalised.

    Raises:
        AudioNotFoundError: no such list.
        AudioFormatError: a line that is no JSON object with `audio` and `text`, or that has an
            `offset` and no `duration`.
    """
    if not path.is_file():
        raise AudioNotFoundError(f"{path} does not exist; give a list of recordings (JSON lines)")
    clips = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            clip = _clip(path, number, line)
            if clip is not None:
                clips.append(clip)
    return clips


def _clip(path: Path, number: int, line: str) -> Clip | None:
    try:
        entry = json.loads(line)
        audio, text = path.parent / entry["audio"], entry["text"]
        if "offset" in entry:
            entry["offset"], entry["duration"] = float(entry["offset"]), float(entry["duration"])
    except (ValueError, KeyError, TypeError) as error:
        raise AudioFormatError(
            f"{path}, line {number}: not a JSON object with audio and text, or an offset without "
            "a duration; mend or drop it"
        ) from error
    spoken = normalise(text or "")
    if not spoken:
        return None
    return Clip(
        audio=audio,
        text=spoken,
        speaker=str(entry.get("speaker", "")),
        duration_s=entry.get("duration"),
        corpus=str(entry.get("corpus", path.stem)),
        licence=str(entry.get("licence", "not told")),
        offset_s=entry.get("offset"),
    )


def write_manifest(path: Path, clips: Iterable[Clip]) -> None:
    """Writes clips; audio beside the list by its relative path, so that both can move."""
    lines = [json.dumps(entry(clip, path.parent)) for clip in clips]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def entry(clip: Clip, folder: Path) -> dict[str, str | float | None]:
    """A clip's line in a list that lies in `folder`."""
    beside = clip.audio.is_relative_to(folder)
    return {
        "audio": str(clip.audio.relative_to(folder) if beside else clip.audio.absolute()),
        "text": clip.text,
        "speaker": clip.speaker,
        "duration": clip.duration_s,
        "corpus": clip.corpus,
        "licence": clip.licence,
    } | ({} if clip.offset_s is None else {"offset": clip.offset_s})


def normalise(text: str) -> str | None:
    """`Mr. O’Neil has 21 dogs.` → `mister o'neil has twenty one dogs`; None if unreadable."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("’", "'").replace("‘", "'"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", plain)
    plain = _DROPPED.sub("", _SPACED.sub(" ", re.sub(r"(?<=\d)\.(?=\d)", " point ", plain)))
    words = [_spoken(word.strip("'") if word.startswith("'") else word) for word in plain.split()]
    joined = " ".join(word for word in words if word)
    if not joined:
        return ""
    return joined if _SPOKEN.fullmatch(joined) else None


def with_marks(line: str) -> str | None:
    """`Well, it's 5!` → `well, it's five!`; None if it cannot be read."""
    whole = normalise(line)
    line = _ABBREVIATED.sub(r"\1", line)
    clauses = [(normalise(words), mark) for words, mark in CLAUSE.findall(line)]
    marked = " ".join(f"{words}{mark}" for words, mark in clauses if words)
    # Where a mark belongs to a word, as in `3.5`, the sentence is read without any.
    return marked if whole is not None and without_marks(marked) == whole else whole


def without_marks(text: str) -> str:
    """What is said: `well, it's five!` → `well it's five`."""
    return _MARKS.sub("", text)


def _spoken(word: str) -> str:
    if word.isascii() and word.isdecimal() and int(word) <= _LARGEST:
        return number_in_words(word)
    return _ABBREVIATIONS.get(word, word)


def number_in_words(digits: str) -> str:
    """`1906` → `nineteen oh six`, `42` → `forty two`, `007` → `zero zero seven`."""
    if len(digits) > 1 and digits.startswith("0"):
        return " ".join(DIGITS[int(digit)] for digit in digits)
    value = int(digits)
    century, rest = divmod(value, 100)
    if 1100 <= value < 2000:
        if rest == 0:
            return f"{_cardinal(century)} hundred"
        return f"{_cardinal(century)} {'oh ' if rest < 10 else ''}{_cardinal(rest)}"
    return _cardinal(value)


def _cardinal(value: int) -> str:
    for size, name in _SCALES:
        if value >= size:
            rest = f" {_cardinal(value % size)}" if value % size else ""
            return f"{_cardinal(value // size)} {name}{rest}"
    if value < 10:
        return DIGITS[value]
    if value < 20:
        return _TEENS[value - 10]
    unit = f" {DIGITS[value % 10]}" if value % 10 else ""
    return _TENS[value // 10 - 2] + unit
