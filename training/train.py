"""Packed clips and a tokenizer in; a checkpoint with the trained weights and their mean out.

Rules of this file:

1. The run's length is a number of minutes or of steps. Curriculum, learning rate and the weights of
   the losses follow the part of it that is done, so every length gets the whole recipe.
2. A checkpoint holds everything; it replaces the last one in one move, every few minutes and when
   the run is stopped. The same command goes on from there.
3. The same code runs on a processor and on a GPU: bfloat16 where it is safe, float32 for features
   and losses.
"""

from __future__ import annotations

import ctypes
import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from parakeet_streaming.errors import ModelFormatError, OptionError
from parakeet_streaming.torch_model.fastconformer import Dropout
from training.batches import Batch, Examples, audio_s, loader
from training.encoding import Way, encode
from training.features import other_voices, raw_log_mel
from training.journal import Journal, Losses
from training.losses import ctc_loss, tdt_loss
from training.run import Run
from training.settings import Optimisation, Places, Recipe
from training.store import Store
from training.teacher import Lessons
from training.tokenizer import Tokenizer

MAX_BAD_STEPS = 20
OTHER_VOICES = 0.6
"""Part of the examples whose frequencies are scaled, where augmentation is full."""
# M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD and M_ARENA_MAX of glibc's malloc.h.
_MALLOC_OPTIONS = ((-4, 0), (-1, 2**31 - 1), (-2, 1 << 28), (-8, 1))
FRAMES_PER_TOKEN = 8
"""Encoder frames that count as one token where there are fewer tokens."""


@dataclass(frozen=True)
class Length:
    """How long to train: minutes of wall clock over all sittings, or steps."""

    minutes: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.steps is None):
            raise OptionError("give --minutes or --steps, one of them")

    def done(self, step: int, spent_s: float) -> float:
        """Part of the run that is done."""
        if self.steps is not None:
            return 1.0 if step >= self.steps else step / self.steps
        assert self.minutes is not None
        return spent_s / max(1e-9, self.minutes * 60)


@dataclass(frozen=True)
class Session:
    """How this sitting runs."""

    length: Length
    device: str = "auto"
    workers: int = 1
    save_every_s: float = 300.0
    log_every: int = 20
    start_from: Path | None = None
    """A checkpoint whose weights to begin with, for fine-tuning."""


@contextmanager
def _arithmetic() -> Iterator[None]:
    """How torch computes while a model is trained."""
    cudnn = torch.backends.cudnn.enabled
    torch.set_flush_denormal(True)
    # cuDNN takes a second to choose how to convolve each new shape, and nearly every batch is one.
    torch.backends.cudnn.enabled = False
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.backends.cudnn.enabled = cudnn


@_arithmetic()
def train(recipe: Recipe, places: Places, session: Session) -> Run:
    """Trains until the length is reached or the process is asked to stop."""
    _keep_memory()
    store, tokenizer = Store(places.train), Tokenizer(places.tokenizer)
    lessons = Lessons(places.train, store) if Lessons.are_in(places.train) else None
    width = lessons.width if lessons else None
    run = Run(recipe, len(tokenizer.pieces), pick_device(session.device), width)
    if places.checkpoint.exists():
        run.resume(places.checkpoint)
    elif session.start_from is not None:
        run.begin_from(session.start_from)
    examples = Examples(store, tokenizer, recipe, run.step, lessons)
    journal = Journal(places.log, session.log_every)
    with _stop_flag() as stopped:
        saved_at = time.monotonic()
        examples.move_to(session.length.done(run.step, run.spent_s), run.step)
        batches = iter(loader(examples, session.workers))
        while not stopped() and (done := session.length.done(run.step, run.spent_s)) < 1:
            started = time.monotonic()
            examples.move_to(done, run.step)
            batch = next(batches)
            waited_s = time.monotonic() - started
            phase = recipe.curriculum[examples.phase_index]
            losses = _step(run, batch.to(run.device), done, phase.augmentation)
            run.spent_s += time.monotonic() - started
            run.audio_s += audio_s(batch)
            journal.note(run, losses, waited_s, audio_s(batch), phase.name)
            if time.monotonic() - saved_at > session.save_every_s:
                run.save(places.checkpoint)
                saved_at = time.monotonic()
        journal.write(run, recipe.curriculum[examples.phase_index].name)
        run.save(places.checkpoint)
        run.stopped = stopped()
    return run


def _step(run: Run, batch: Batch, done: float, strength: float) -> Losses:
    settings = run.recipe.optimisation
    tdt_weight, ctc_weight = loss_weights(settings, done)
    rate = learning_rate(settings, run.step, done)
    set_dropout(run.model, run.recipe.model.dropout * strength)
    for optimizer in run.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
    ctc, tdt, taught = _losses(run, batch, strength, tdt_weight > 0)
    for optimizer in run.optimizers:
        optimizer.zero_grad(set_to_none=True)
    total = ctc_weight * ctc + tdt_weight * tdt + settings.taught_weight * taught
    total.backward()  # type: ignore[no-untyped-call]  # torch's
    norm = nn.utils.clip_grad_norm_(run.parameters, settings.clip_norm)
    if torch.isfinite(norm):
        for optimizer in run.optimizers:
            optimizer.step()
        run.follow()
        run.bad_steps = 0
    else:
        run.bad_steps += 1
        if run.bad_steps >= MAX_BAD_STEPS:
            raise ModelFormatError(
                f"{MAX_BAD_STEPS} steps in a row had no finite gradient; lower peak_rate, or look "
                "for broken audio in the lists"
            )
    run.step += 1
    return Losses(ctc.detach(), tdt.detach(), taught.detach(), norm, rate)


def _losses(
    run: Run, batch: Batch, strength: float, with_tdt: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """CTC's and the transducer's loss per token, and the teacher's per frame."""
    settings, model = run.recipe.optimisation, run.model
    bins = run.recipe.model.encoder.mel_bins
    draw = torch.rand(3, generator=run.generator)
    features, lengths = raw_log_mel(batch.samples, batch.lengths, bins)
    if strength > 0:
        features = other_voices(features, OTHER_VOICES * strength, run.generator)
    encoded = encode(
        model.encoder,
        features,
        lengths,
        way_of(settings, float(draw[0])) if with_tdt else Way.WHOLE,
        masked=float(draw[2]) < strength,
        generator=run.generator,
        bfloat16=run.bfloat16,
    )
    frames, frame_lengths = encoded.last, encoded.lengths
    with torch.autocast(run.device.type, torch.bfloat16, enabled=run.bfloat16):
        ctc_logits, middle_logits = model.ctc(frames), model.ctc(encoded.middle)
    # A row without words has a weight too, or one batch of noise would outweigh all others.
    tokens = torch.maximum(batch.target_lengths, frame_lengths // FRAMES_PER_TOKEN).sum()
    said = (batch.targets, frame_lengths, batch.target_lengths)
    ctc = torch.lerp(
        ctc_loss(ctc_logits, *said).sum(), ctc_loss(middle_logits, *said).sum(), settings.middle_ctc
    )
    ctc = ctc / tokens
    taught = _missed(run.pupil, frames, batch)
    if not with_tdt:
        return ctc, torch.zeros((), device=run.device), taught
    with torch.autocast(run.device.type, torch.bfloat16, enabled=run.bfloat16):
        with torch.backends.cudnn.flags(enabled=True):
            histories = model.predictor.histories(batch.targets)
        logits = model.joint(frames, histories)
    durations = len(run.recipe.model.durations)
    if float(draw[1]) < settings.omega:
        spoken = logits[..., : run.recipe.model.vocabulary]
        return ctc, tdt_loss(spoken, *said, 0).sum() / tokens, taught
    return ctc, tdt_loss(logits, *said, durations, settings.sigma).sum() / tokens, taught


def _missed(pupil: nn.Linear | None, frames: Tensor, batch: Batch) -> Tensor:
    """Mean square error of the predicted vectors, where the teacher has some."""
    if pupil is None:
        return torch.zeros((), device=frames.device)
    inside = batch.is_taught[:, : frames.shape[1]]
    told = batch.taught[:, : frames.shape[1]][inside]
    missed = pupil(frames[inside].float()) - told
    return missed.square().mean(dim=1).sum() / max(1, told.shape[0])


def way_of(settings: Optimisation, drawn: float) -> Way:
    """How a step encodes, by a number from 0 to 1."""
    if drawn < settings.windowed:
        return Way.WINDOWS
    return Way.CACHED if drawn < settings.windowed + settings.cached else Way.WHOLE


def set_dropout(model: nn.Module, part: float) -> None:
    """Dropout comes with augmentation: in the first minutes it only keeps CTC from aligning."""
    for module in model.modules():
        if isinstance(module, Dropout):
            module.part = part


def loss_weights(settings: Optimisation, done: float) -> tuple[float, float]:
    """Weights of the transducer's loss and of CTC when a part of the run is done."""
    if settings.tdt_full <= settings.tdt_from:
        rise = 1.0
    else:
        rise = (done - settings.tdt_from) / (settings.tdt_full - settings.tdt_from)
    tdt = min(1.0, max(0.0, rise))
    return tdt, 1.0 + (settings.ctc_weight - 1.0) * tdt


def learning_rate(settings: Optimisation, step: int, done: float) -> float:
    """Rises over the warm-up, then falls along a cosine to the end."""
    warm = min(1.0, (step + 1) / max(1, settings.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return warm * (settings.last_rate + (settings.peak_rate - settings.last_rate) * cosine)


def pick_device(asked: str) -> torch.device:
    """`auto` is a GPU where there is one."""
    if asked == "auto":
        asked = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(asked)


def _keep_memory() -> None:
    """Makes glibc keep freed memory; releasing and clearing pages takes a seventh of a step."""
    c_library = ctypes.CDLL(None)
    if sys.platform == "linux" and hasattr(c_library, "mallopt"):
        for option, value in _MALLOC_OPTIONS:
            c_library.mallopt(option, value)


@contextmanager
def _stop_flag() -> Iterator[Any]:
    """A function that says whether Ctrl-C or SIGTERM has come; the current step is finished."""
    asked = False

    def stop(*_: object) -> None:
        nonlocal asked
        asked = True

    former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
