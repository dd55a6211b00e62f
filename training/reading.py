"""Sentences of books and made voices in; hours of reading, as FLAC and a list, out.

Rules of this file:

1. A block is a few texts that one person reads. What is in it depends on the seed and its number,
   so a run that was stopped goes on with the next block, and reads the same.
2. A block's lines enter the list together, once all of its clips are written.
3. Everybody reads once before anybody reads again.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds
from training.manifest import DIGITS, Clip, entry, without_marks
from training.people import CORPUS, LICENCE, Person, Random, read_aloud
from training.synthesis import MANIFEST_NAME, usable
from training.workers import workers

BLOCK_TEXTS = 8
KINDS = ("digits", "orders", "phrase", "sentence")
PARTS = (0.2, 0.15, 0.2, 0.45)
"""How much of what is read is of each kind."""
_ORDERS = """
yes, no, on, off, up, down, left, right, go, stop, back, next, play, pause, cancel, repeat, help,
louder, quieter, forward, backward, follow, learn, open the door, close the window,
turn on the light, turn off the lights, turn left, turn right, go back, go home, stop the music,
play the next song, volume up, volume down, call me back, call home, set a timer for ten minutes,
set an alarm for seven thirty, what time is it, what is the weather today, read it again,
delete that, send the message, new line, full stop, start over, wait a moment, try again,
i would like a large coffee with milk, can i have a small tea please, two sugars please,
make it warmer, lock the front door, where is my phone, add milk to the list, next page
"""
_NUMBERS = """
twenty, thirty, forty, fifty, sixty, seventy, eighty, ninety, ten, eleven, twelve, thirteen,
fourteen, fifteen, sixteen, seventeen, eighteen, nineteen
"""
ORDERS, NUMBERS = (tuple(each.strip() for each in text.split(",")) for text in (_ORDERS, _NUMBERS))


@dataclass(frozen=True)
class Block:
    """What one person reads in one go."""

    number: int
    person: Person
    texts: tuple[str, ...]
    """With marks."""
    kokoro: Path
    folder: Path
    seed: int


def text_to_read(sentences: Sequence[str], random: Random) -> str:
    """Digits, an order, a number, a few words of a sentence, or all of it; with marks."""
    kind = str(random.choice(KINDS, p=PARTS))
    if kind == "digits":
        return _digits(random)
    if kind == "orders":
        return str(random.choice(ORDERS))
    words = sentences[int(random.integers(len(sentences)))].split()
    if kind == "phrase":
        count = int(random.integers(1, 9))
        start = int(random.integers(max(1, len(words) - count)))
        words = words[start : start + count]
    return " ".join(words).rstrip(",;:")


def _digits(random: Random) -> str:
    """A string of digits, as a number is read out: some with pauses, some with `oh` or tens."""
    named = [str(each) for each in random.choice(DIGITS, int(random.integers(1, 10)))]
    if random.random() < 0.15:
        named = ["oh" if each == "zero" else each for each in named]
    if random.random() < 0.2:
        named[int(random.integers(len(named)))] = str(random.choice(NUMBERS))
    if len(named) > 4 and random.random() < 0.5:
        group = int(random.integers(2, 5))
        named = [
            f"{each}," if at % group == group - 1 and at + 1 < len(named) else each
            for at, each in enumerate(named)
        ]
    return " ".join(named)


@dataclass(frozen=True)
class Reading:
    """A run of reading, which may be stopped and goes on."""

    kokoro: Path
    folder: Path
    hours: float
    processes: int
    seed: int

    def read(self, sentences: Sequence[str], persons: Sequence[Person]) -> tuple[float, int]:
        """Reads until the list has its hours; returns the list's hours and clips."""
        self.folder.mkdir(parents=True, exist_ok=True)
        listing = self.folder / MANIFEST_NAME
        seconds, clips, first = _so_far(listing)
        with (
            workers(self.processes) as pool,
            listing.open("a", encoding="utf-8") as out,
        ):
            blocks = self._blocks(sentences, persons, first)
            while seconds < self.hours * 3600:
                for found in pool.map(_read, itertools.islice(blocks, self.processes)):
                    lines = [json.dumps(entry(clip, self.folder)) for clip in found]
                    out.write("".join(f"{line}\n" for line in lines))
                    out.flush()
                    seconds += sum(clip.duration_s or 0.0 for clip in found)
                    clips += len(found)
        return seconds / 3600, clips

    def _blocks(
        self, sentences: Sequence[str], persons: Sequence[Person], first: int
    ) -> Iterator[Block]:
        for number in itertools.count(first):
            random = np.random.default_rng([self.seed, number])
            texts = tuple(text_to_read(sentences, random) for _ in range(BLOCK_TEXTS))
            person = persons[number % len(persons)]
            seed = int(random.integers(2**31))
            yield Block(number, person, texts, self.kokoro, self.folder, seed)


def _so_far(listing: Path) -> tuple[float, int, int]:
    """Seconds and clips of a list, and the block to go on with; a line cut off is dropped."""
    if not listing.is_file():
        return 0.0, 0, 0
    text = listing.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        listing.write_text(whole, encoding="utf-8")
    entries = [json.loads(line) for line in whole.splitlines()]
    blocks = [int(Path(each["audio"]).name.partition("-")[0]) for each in entries]
    seconds = sum(float(each["duration"]) for each in entries)
    return seconds, len(entries), max(blocks, default=-1) + 1


def _read(block: Block) -> list[Clip]:
    random = np.random.default_rng(block.seed)
    folder = block.folder / f"{block.number // 100:03}"
    folder.mkdir(exist_ok=True)
    clips = []
    said = read_aloud(block.kokoro, block.person, block.texts, random)
    for index, (text, samples) in enumerate(zip(block.texts, said, strict=True)):
        spoken = without_marks(text)
        fit = usable(samples, spoken)
        if fit is not None:
            path = folder / f"{block.number:05}-{index}.flac"
            soundfile.write(path, fit, SAMPLE_RATE_HZ, subtype="PCM_16")
            seconds = round(samples_to_seconds(fit.shape[0]), 3)
            clips.append(Clip(path, spoken, block.person.speaker, seconds, CORPUS, LICENCE))
    return clips
