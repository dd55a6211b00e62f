"""A store of clips and a place in the curriculum in; endless batches of samples and tokens out.

Rules of this file:

1. An example is one clip, several joined with pauses, or a sound without words and an empty text.
   Words that were spoken alone are joined into strings (`strings.py`); some examples end in the
   sound of their room, as a live stream does, some begin with a silence, and some with the rest
   of a word that was cut off before them, which has no text.
2. Examples are made by the pool, sorted by length and cut into batches of equal seconds, so that
   little is padding. Batches come in random order.
3. Random choices depend only on the seed, the first step and the worker.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from parakeet_streaming.errors import OptionError
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import FRAME_SAMPLES, samples_to_seconds, seconds_to_samples
from training.augment import (
    HEADS,
    TAILS,
    at_speed,
    augmented,
    drawn_head_s,
    drawn_speed,
    joined,
    with_tail,
)
from training.manifest import DIGITS
from training.noises import KINDS, at_level
from training.settings import Phase, Recipe
from training.store import Store, StoredClip
from training.strings import Strings, close_cut, is_word, rest_of
from training.teacher import Lessons, Taught
from training.tokenizer import Tokenizer
from training.workers import leave_interrupts

_RESTS = 0.1
"""Part of the examples that begin with the rest of a word."""


@dataclass(frozen=True)
class Batch:
    """Examples padded to the longest."""

    samples: Tensor
    """(B, n) float32."""
    lengths: Tensor
    """(B,) samples."""
    targets: Tensor
    """(B, N) token ids."""
    target_lengths: Tensor
    """(B,)."""
    taught: Tensor
    """(B, n / FRAME_SAMPLES, D) float32: a teacher's vector for each encoder frame."""
    is_taught: Tensor
    """(B, n / FRAME_SAMPLES) bool: the frames that have such a vector."""

    def to(self, device: torch.device) -> Batch:
        moved = (each.to(device, non_blocking=True) for each in vars(self).values())
        return Batch(*moved)

    def pin_memory(self) -> Batch:
        """In memory that a GPU copies from while it computes; the loader's thread calls it."""
        return Batch(*(each.pin_memory() for each in vars(self).values()))


@dataclass(frozen=True)
class Example:
    """A row of a batch."""

    samples: Floats
    """(n,) at 16 kHz."""
    tokens: list[int]
    taught: Taught | None


class Drawer:
    """Draws clips of one phase."""

    def __init__(self, store: Store, phase: Phase, recipe: Recipe) -> None:
        weights = dict(recipe.corpus_weights)
        fits = [clip for clip in store.clips if clip.duration_s <= phase.longest_s]
        strings = [clip for clip in fits if set(clip.text.split()) <= set(DIGITS)]
        # A list may have no digits at all; then training begins with the shortest clips.
        self.clips = (strings if phase.digits_only and strings else fits) or store.clips
        self.phase = phase
        self._joined = recipe.joined
        self._totals = list(accumulate(weights.get(clip.corpus, 1.0) for clip in self.clips))
        if not self._totals[-1] > 0:
            raise OptionError("every corpus has weight 0; give at least one a weight above 0")
        self._strings = Strings(store.clips, store.samples)

    def clip(self, random: np.random.Generator) -> StoredClip:
        drawn = random.random() * self._totals[-1]
        return self.clips[min(bisect(self._totals, drawn), len(self.clips) - 1)]

    def group(self, random: np.random.Generator) -> list[StoredClip]:
        """Clips that become one example."""
        first = self.clip(random)
        if is_word(first):
            return self._within(
                [first, *self._strings.behind(first, random, self.phase.digits_only)]
            )
        if random.random() < self._joined:
            return self._within([first, self.clip(random), self.clip(random)])
        return [first]

    def _within(self, clips: Sequence[StoredClip]) -> list[StoredClip]:
        """As many of the first clips as the phase's longest example holds."""
        ends_s = accumulate(clip.duration_s + 0.2 for clip in clips)
        fits = [
            clip for clip, end_s in zip(clips, ends_s, strict=True) if end_s <= self.phase.longest_s
        ]
        return fits or [clips[0]]


class Examples(IterableDataset[Batch]):
    """Endless batches; one copy per worker."""

    def __init__(
        self,
        store: Store,
        tokenizer: Tokenizer,
        recipe: Recipe,
        first_step: int,
        lessons: Lessons | None = None,
    ) -> None:
        self._store = store
        self._lessons = lessons
        self._tokenizer = tokenizer
        self._recipe = recipe
        self._first_step = first_step
        # Shared: the training loop writes it, workers read it.
        self._progress: Tensor = torch.zeros(2).share_memory_()  # type: ignore[no-untyped-call]  # torch's own
        self._drawers = [Drawer(store, phase, recipe) for phase in recipe.curriculum]

    def move_to(self, done: float, step: int) -> None:
        """Sets the part of the run and the number of steps that are done."""
        self._progress[0], self._progress[1] = done, step

    @property
    def phase_index(self) -> int:
        """The part of the curriculum that the run is in."""
        done, step = self._progress.tolist()
        for index, phase in enumerate(self._recipe.curriculum):
            if done < phase.until or step < phase.least_steps:
                return index
        return len(self._drawers) - 1

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        number = 0
        if worker is not None:
            number = worker.id
            torch.set_num_threads(1)
        random = np.random.default_rng([self._recipe.seed, self._first_step, number])
        while True:
            yield from self._pool(random)

    def _pool(self, random: np.random.Generator) -> list[Batch]:
        drawer = self._drawers[self.phase_index]
        budget = seconds_to_samples(self._recipe.optimisation.batch_s)
        examples, total = [], 0
        while total < budget * self._recipe.optimisation.pool_batches:
            example = self.example(drawer, random)
            examples.append(example)
            total += example.samples.shape[0]
        examples.sort(key=lambda example: example.samples.shape[0])
        batches: list[Batch] = []
        rows: list[Example] = []
        for example in examples:
            if rows and (len(rows) + 1) * example.samples.shape[0] > budget:
                batches.append(_padded(rows))
                rows = []
            rows.append(example)
        batches.append(_padded(rows))
        return [batches[index] for index in random.permutation(len(batches))]

    def example(self, drawer: Drawer, random: np.random.Generator) -> Example:
        """One example of a phase."""
        strength = drawer.phase.augmentation
        if random.random() < self._recipe.wordless * strength:
            samples = _wordless(random, drawer.phase.longest_s)
            return Example(samples, [], self._taught([], [], [], 1.0, samples.shape[0]))
        group = drawer.group(random)
        parts = [self._store.samples(clip) for clip in group]
        words = is_word(group[0])
        cuts = [close_cut(part, random) if words else slice(0, part.shape[0]) for part in parts]
        parts = [part[cut] for part, cut in zip(parts, cuts, strict=True)]
        if len({clip.speaker for clip in group}) > 1:
            parts = [at_level(part, 0.05) for part in parts]
        text = " ".join(clip.text for clip in group)
        longest_pause_s = 0.3 if words else 0.3 + 0.5 * strength
        lively = strength > 0
        head_s = drawn_head_s(random) if lively and random.random() < HEADS else 0.0
        samples, starts = joined(parts, random, longest_pause_s, head_s)
        if lively and random.random() < _RESTS:
            rest = rest_of(parts[random.integers(len(parts))], random)
            samples = np.concatenate((rest, samples))
            starts = [start + rest.shape[0] for start in starts]
        speed = 1.0
        if lively:
            speed = drawn_speed(strength, random)
            others = [self._store.samples(drawer.clip(random)) for _ in range(_voices(random))]
            samples = augmented(at_speed(samples, speed), others, strength, random)
            if random.random() < TAILS:
                samples = with_tail(samples, random)
        taught = self._taught(group, starts, cuts, speed, samples.shape[0])
        return Example(samples, self._tokenizer.encode(text), taught)

    def _taught(
        self,
        group: Sequence[StoredClip],
        starts: Sequence[int],
        cuts: Sequence[slice],
        speed: float,
        count: int,
    ) -> Taught | None:
        """The teacher's vector for each encoder frame of `count` samples."""
        if self._lessons is None:
            return None
        # Frame i is centred at the i-th multiple of its length, as features are at theirs.
        at = np.arange(-(-count // FRAME_SAMPLES)) * (FRAME_SAMPLES * speed)
        return self._lessons.along(at, group, starts, cuts)


def _voices(random: np.random.Generator) -> int:
    """How many clips of other people to read for babble; mostly none, to save time."""
    return int(random.integers(1, 7)) if random.random() < 0.2 else 0


def _wordless(random: np.random.Generator, longest_s: float) -> Floats:
    """Silence, noise, hum, tones or music at any level."""
    count = seconds_to_samples(float(random.uniform(0.5, longest_s)))
    kinds = list(KINDS.values())
    kind = random.integers(len(kinds) + 1)
    if kind == len(kinds):
        return np.zeros(count, np.float32)
    rms = float(np.exp(random.uniform(np.log(1e-4), np.log(0.3))))
    return np.clip(at_level(kinds[kind](count, random), rms), -1, 1)


def _padded(rows: Sequence[Example]) -> Batch:
    # A whole number of encoder frames, so that fewer sizes occur.
    frames = -(-max(row.samples.shape[0] for row in rows) // FRAME_SAMPLES)
    samples = torch.zeros(len(rows), frames * FRAME_SAMPLES)
    most = max([1, *(len(row.tokens) for row in rows)])
    targets = torch.zeros(len(rows), most, dtype=torch.long)
    width = max(0 if row.taught is None else row.taught.vectors.shape[1] for row in rows)
    taught = torch.zeros(len(rows), frames, width)
    is_taught = torch.zeros(len(rows), frames, dtype=torch.bool)
    for at, row in enumerate(rows):
        samples[at, : row.samples.shape[0]] = torch.from_numpy(row.samples)
        targets[at, : len(row.tokens)] = torch.tensor(row.tokens, dtype=torch.long)
        if row.taught is not None:
            taught[at, : row.taught.vectors.shape[0]] = torch.from_numpy(row.taught.vectors)
            is_taught[at, : row.taught.inside.shape[0]] = torch.from_numpy(row.taught.inside)
    return Batch(
        samples,
        torch.tensor([row.samples.shape[0] for row in rows]),
        targets,
        torch.tensor([len(row.tokens) for row in rows]),
        taught,
        is_taught,
    )


def loader(examples: Examples, workers: int) -> DataLoader[Batch]:
    """Batches made by `workers` processes; 0 makes them in this one."""
    return DataLoader(
        examples,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=leave_interrupts,
    )


def audio_s(batch: Batch) -> float:
    """Seconds of audio in a batch, without padding."""
    return samples_to_seconds(int(batch.lengths.sum()))
