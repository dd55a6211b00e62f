"""Recordings whose texts nobody checked, and hearers, in; those that all hearers contradict, out.

Rules of this file:

1. A clip is doubtful only if every hearer plainly contradicts its text. One that understands
   another word for a like one, or nothing where something is said, does not: a hearer contradicts
   a text of which it heard not one word, and few letters.
2. A clip in which no hearer hears anything at all is doubtful too.
3. Hearers are asked one after the other, each only about what those before it contradicted.
4. What was heard is written line by line, so that a run goes on where it was stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from parakeet_streaming import Recognizer, load
from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.errors import AudioNotFoundError
from parakeet_streaming.ports import Floats
from training.manifest import Clip, normalise
from training.noises import at_level
from training.store import part

Hearer = Callable[[Floats], str]
"""Samples (n,) in; the words heard, out."""
LIKE = 0.5
"""Of the letters of text and words: above this, what was heard is taken for the text."""
_LEVEL_RMS = 0.05


def contradicts(said: str, heard: str) -> bool:
    """Whether words heard, not normalised, are plainly not those of a text."""
    words = normalise(heard)
    if words is None:
        return False
    if set(words.split()) & set(said.split()):
        return False
    letters = SequenceMatcher(None, said.replace(" ", ""), words.replace(" ", ""), autojunk=False)
    return letters.ratio() <= LIKE


def doubtful(
    clips: Sequence[Clip], hearers: Sequence[tuple[str, Hearer]], journal: Path
) -> list[Clip]:
    """The clips whose texts all hearers contradict, or in which none hears anything.

    Args:
        clips: the clips.
        hearers: their names, and what they hear.
        journal: a file for what was heard; what it has already is not asked again.
    """
    heard = _read(journal)
    with journal.open("a", encoding="utf-8") as lines:
        for name, hear in hearers:
            for clip in clips:
                key = clip_key(clip)
                if (key, name) not in heard:
                    samples = at_level(part(read_audio(clip.audio), clip), _LEVEL_RMS)
                    heard[key, name] = hear(samples)
                    line = {"clip": key, "hearer": name, "heard": heard[key, name]}
                    lines.write(json.dumps(line) + "\n")
                    lines.flush()
            clips = [clip for clip in clips if contradicts(clip.text, heard[clip_key(clip), name])]
    return list(clips)


def clip_key(clip: Clip) -> str:
    """A clip's name wherever its corpus lies: folder, file and, of a part, its start."""
    offset = "" if clip.offset_s is None else f"@{clip.offset_s:g}"
    return f"{clip.audio.parent.name}/{clip.audio.name}{offset}"


def without(clips: Iterable[Clip], listing: Path) -> list[Clip]:
    """Clips that a list, as `write_doubts` writes it, does not name.

    Raises:
        AudioNotFoundError: no such list.
    """
    if not listing.is_file():
        raise AudioNotFoundError(f"{listing} does not exist; the step `doubts` writes such lists")
    named = {json.loads(line)["clip"] for line in listing.read_text("utf-8").splitlines()}
    return [clip for clip in clips if clip_key(clip) not in named]


def write_doubts(clips: Iterable[Clip], journal: Path, listing: Path) -> None:
    """Writes each doubtful clip with its text and what each hearer heard."""
    by_clip: dict[str, dict[str, str]] = {}
    for (key, name), words in _read(journal).items():
        by_clip.setdefault(key, {})[name] = words
    lines = (
        {"clip": clip_key(clip), "text": clip.text, "heard": by_clip[clip_key(clip)]}
        for clip in clips
    )
    listing.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def _read(journal: Path) -> dict[tuple[str, str], str]:
    if not journal.is_file():
        return {}
    heard = {}
    for line in journal.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # cut off when the run was stopped
        heard[entry["clip"], entry["hearer"]] = entry["heard"]
    return heard


def parakeet_hearer(model: str) -> Hearer:
    """A model of the package, by name or folder."""

    def hear(samples: Floats) -> str:
        return _recognizer(model).transcribe(samples).text

    return hear


@cache
def _recognizer(model: str) -> Recognizer:
    return load(Path(model) if Path(model).is_dir() else model, threads=1)
