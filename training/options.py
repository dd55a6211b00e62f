"""Arguments of the command line in; the options, and the recipe that they make, out."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from parakeet_streaming.torch_model.transducer import TransducerConfig
from training.evaluate import OFFLINE
from training.run import read_config
from training.settings import Phase, Places, Recipe, full_recipe
from training.smoke import smoke_data

TDT_RISE = 0.1
"""Part of the run over which the transducer's loss comes in."""

Asked = argparse.Namespace
Group = argparse._ArgumentGroup


def recipe_of(asked: Asked) -> Recipe:
    """The full recipe, with the options that change it."""
    recipe = full_recipe()
    numbers = {
        "batch_s": asked.batch_s,
        "pool_batches": asked.pool,
        "peak_rate": asked.rate,
        "warmup_steps": asked.warmup,
        "ema_decay": asked.ema,
        "tdt_from": asked.tdt_from,
        "tdt_full": None if asked.tdt_from is None else asked.tdt_from + TDT_RISE,
        "windowed": asked.windowed,
        "cached": asked.cached,
    }
    if asked.start_from is not None and asked.tdt_from is None:
        # Weights that recognise already need no part of the run with CTC alone.
        numbers |= {"tdt_from": 0.0, "tdt_full": 0.0}
    weights = dict(recipe.corpus_weights) | dict(asked.weight or [])
    return dataclasses.replace(
        recipe,
        model=_model(recipe, asked),
        curriculum=_curriculum(recipe, asked),
        optimisation=dataclasses.replace(recipe.optimisation, **_given(numbers)),
        corpus_weights=tuple(weights.items()),
        joined=0.0 if asked.no_augmentation else recipe.joined,
        seed=asked.seed,
    )


def _model(recipe: Recipe, asked: Asked) -> TransducerConfig:
    """Sizes of the model: those of the weights that a run starts from, if it does."""
    given = _given({"dropout": asked.dropout})
    if asked.start_from is not None:
        given = {"dropout": recipe.model.dropout} | given
        return dataclasses.replace(read_config(asked.start_from), **given)
    sizes = {
        "width": asked.width,
        "layers": asked.layers,
        "heads": asked.heads,
        "subsampling_channels": asked.channels,
    }
    encoder = dataclasses.replace(recipe.model.encoder, **_given(sizes))
    return dataclasses.replace(recipe.model, encoder=encoder, **given)


def _curriculum(recipe: Recipe, asked: Asked) -> tuple[Phase, ...]:
    curriculum = recipe.curriculum
    if asked.start_from is not None:
        # Weights that recognise already need no easy beginning.
        curriculum = curriculum[-1:]
    if asked.augmentation is not None:
        last = dataclasses.replace(curriculum[-1], augmentation=asked.augmentation)
        curriculum = (*curriculum[:-1], last)
    if asked.no_augmentation:
        curriculum = tuple(dataclasses.replace(phase, augmentation=0.0) for phase in curriculum)
    return curriculum


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def smoke_options(asked: Asked, places: Places) -> Asked:
    """The few clips of the repository itself, and a run of a minute."""
    listing = smoke_data(places.work / "clips")
    torch.set_num_threads(min(2, torch.get_num_threads()))
    fixed = {
        "train": [listing],
        "dev": [listing],
        "no_synthesis": True,
        "phrases_by": None,
        "teacher": None,
        "minutes": None,
        "steps": asked.steps or 40,
        "workers": 0,
        "processes": 1,
        "log_every": 5,
        "context": [OFFLINE, "balanced", "cached balanced"],
        "limit": 8,
        "wordless_s": 5.0,
    }
    return Asked(**(vars(asked) | fixed))


def _weight(text: str) -> tuple[str, float]:
    corpus, _, weight = text.partition("=")
    return corpus, float(weight)


def _share(text: str) -> tuple[Path, float]:
    path, _, weight = text.rpartition("=")
    return Path(path), float(weight)


def read_options(arguments: Sequence[str] | None, stages: Sequence[str]) -> Asked:
    """The options; `stages` are the names of those that can be asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m training", description="Trains, exports and judges the built-in model."
    )
    parser.add_argument("stage", choices=[*stages, "all"])
    parser.add_argument(
        "--work", type=Path, default=Path("build/training"), help="folder of the run (%(default)s)"
    )
    parser.add_argument("--smoke", action="store_true", help="a tiny run of everything, as a test")
    parser.add_argument("--seed", type=int, default=1)
    _add_data(parser.add_argument_group("data"))
    training = parser.add_argument_group("training")
    _add_run(training)
    _add_recipe(training)
    _add_evaluation(parser.add_argument_group("evaluation"))
    return parser.parse_args(arguments)


def _add_data(texts: Group) -> None:
    texts.add_argument("--train", type=Path, action="append", metavar="LIST")
    texts.add_argument("--dev", type=Path, action="append", metavar="LIST")
    texts.add_argument("--sentences", type=Path, metavar="TEXT", help="for synthetic speech")
    texts.add_argument("--utterances", type=int, default=20_000, help="of synthetic speech")
    texts.add_argument(
        "--kokoro", type=Path, metavar="FOLDER", help="natural voices beside the installed ones"
    )
    texts.add_argument("--people", type=int, default=1000, help="voices to make, for `people`")
    texts.add_argument("--hours", type=float, default=12.0, help="that they read")
    texts.add_argument(
        "--leave-out", type=Path, action="append", metavar="LIST", help="clips that `doubts` found"
    )
    texts.add_argument("--no-synthesis", action="store_true", help="real recordings alone")
    texts.add_argument(
        "--phrases-by",
        metavar="MODEL",
        help="cut clips at pauses; a name or folder that hears them",
    )
    texts.add_argument(
        "--teacher",
        type=Path,
        metavar="FOLDER",
        help="Whisper as faster-whisper reads it, whose encoder teaches the model's",
    )
    texts.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    texts.add_argument(
        "--weight", type=_weight, action="append", metavar="CORPUS=W", help="how often it is drawn"
    )


def _add_run(training: Group) -> None:
    workers = max(1, min(12, (os.cpu_count() or 1) - 1))
    training.add_argument("--minutes", type=float, help="length of the run, over all sittings")
    training.add_argument("--steps", type=int, help="length of the run, instead")
    training.add_argument("--device", default="auto", help="auto, cpu or cuda")
    training.add_argument("--workers", type=int, default=workers)
    training.add_argument("--save-every", type=float, default=5.0, metavar="MINUTES")
    training.add_argument("--log-every", type=int, default=20, metavar="STEPS")
    training.add_argument(
        "--from",
        dest="start_from",
        type=Path,
        metavar="WEIGHTS",
        help="fine-tune a checkpoint.pt or weights.pt, with the tokenizer.model beside it",
    )
    training.add_argument(
        "--of",
        type=_share,
        action="append",
        metavar="CHECKPOINT=WEIGHT",
        help="for `average`: what to take the mean of, each with its tokenizer.model beside it",
    )


def _add_recipe(training: Group) -> None:
    training.add_argument("--batch-s", type=float, help="seconds of audio in a step")
    training.add_argument(
        "--pool", type=int, metavar="BATCHES", help="sorted by length together; 1 for few clips"
    )
    training.add_argument("--rate", type=float, help="highest learning rate")
    training.add_argument("--warmup", type=int, metavar="STEPS")
    training.add_argument(
        "--augmentation", type=float, metavar="0-1", help="how likely and strong, in the last phase"
    )
    training.add_argument("--no-augmentation", action="store_true", help="clean, single clips")
    training.add_argument("--windowed", type=float, help="part of the steps on random windows")
    training.add_argument("--cached", type=float, help="part of the steps as cached streams")
    training.add_argument("--dropout", type=float, help="once augmentation is full")
    training.add_argument("--tdt-from", type=float, help="part of the run with CTC alone")
    training.add_argument("--ema", type=float, help="decay of the mean of the weights")
    for size in ("width", "layers", "heads", "channels"):
        training.add_argument(f"--{size}", type=int, help="of the encoder")


def _add_evaluation(judging: Group) -> None:
    judging.add_argument(
        "--context", action="append", help='offline, a preset, 5-0.5-0.5, or "cached 5-0.5-0.5"'
    )
    judging.add_argument("--limit", type=int, help="about this many of the recordings")
    judging.add_argument("--wordless-s", type=float, default=60.0, help="of sounds without words")
    judging.add_argument("--threads", type=int, default=1)
