"""The command line: `python -m training STAGE`."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from parakeet_streaming.errors import OptionError, ParakeetError
from parakeet_streaming.export.onnx_files import write_model
from parakeet_streaming.export.quantise import write_int8
from parakeet_streaming.torch_model.transducer import Transducer
from training.card import card, write_averaged, write_evaluation
from training.evaluate import OFFLINE, evaluate
from training.kokoro import kokoro_voices
from training.manifest import read_manifest, write_manifest
from training.phrases import cut
from training.run import read_checkpoint, read_config, write_average, write_weights
from training.settings import Places, Recipe, full_recipe, smoke_recipe
from training.smoke import smoke_data
from training.store import Store, pack
from training.synthesis import read_sentences, synthesise
from training.teacher import teach
from training.tokenizer import Tokenizer, train_tokenizer
from training.train import Length, Session, train
from training.voices import installed_voices

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""
TDT_RISE = 0.1
"""Part of the run over which the transducer's loss comes in."""

TUNABLES = "GLIBC_TUNABLES"

Asked = argparse.Namespace


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the stages the command line asks for; 0, or 1 after a message about what is wrong."""
    asked = _parser().parse_args(arguments)
    _take_large_pages()
    places = Places(asked.work)
    places.work.mkdir(parents=True, exist_ok=True)
    try:
        recipe = smoke_recipe() if asked.smoke else _recipe(asked)
        if asked.smoke:
            asked = _smoke_options(asked, places)
        for name in STAGES if asked.stage == "all" else [asked.stage]:
            stage = (STAGES | STEPS_ASIDE)[name]
            print(f"{name}: {stage(asked, recipe, places)}", flush=True)
    except ParakeetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _take_large_pages() -> None:
    """Starts Python anew with large pages, which glibc gives only to those who ask at the start.

    Clearing small pages took a quarter of a step on a virtual machine.
    """
    if sys.platform == "linux" and TUNABLES not in os.environ:
        os.environ[TUNABLES] = "glibc.malloc.hugetlb=1"
        os.execv(sys.executable, sys.orig_argv)


def _synthesise(asked: Asked, recipe: Recipe, places: Places) -> str:
    if asked.no_synthesis:
        return "left out"
    if asked.sentences is None:
        raise OptionError("give --sentences, a text of one sentence a line, or --no-synthesis")
    clips = synthesise(
        read_sentences(asked.sentences),
        (*installed_voices(), *(kokoro_voices(asked.kokoro) if asked.kokoro else ())),
        places.synthetic,
        asked.utterances,
        asked.processes,
        recipe.seed,
    )
    hours = sum(clip.duration_s or 0 for clip in clips) / 3600
    return f"{len(clips)} clips, {hours:.2f} h, in {places.synthetic}"


def _phrases(asked: Asked, recipe: Recipe, places: Places) -> str:
    if asked.phrases_by is None:
        return "left out"
    clips = [clip for each in asked.train or [] for clip in read_manifest(each)]
    found = cut(clips, asked.phrases_by, asked.processes, recipe.seed)
    write_manifest(places.phrases_manifest, found)
    hours = sum(phrase.duration_s or 0 for phrase in found) / 3600
    return f"{len(found)} of {len(clips)} clips, {hours:.2f} h, in {places.phrases_manifest}"


def _prepare(asked: Asked, recipe: Recipe, places: Places) -> str:
    lists = list(asked.train or [])
    if places.synthetic_manifest.is_file() and not asked.no_synthesis:
        lists.append(places.synthetic_manifest)
    if places.phrases_manifest.is_file() and asked.phrases_by is not None:
        lists.append(places.phrases_manifest)
    if not lists:
        raise OptionError("give --train, a list of recordings (JSON lines), at least once")
    clips = [clip for each in lists for clip in read_manifest(each)]
    longest_s = recipe.curriculum[-1].longest_s
    packed = pack(clips, places.train, longest_s, asked.processes)
    for reason in packed.unreadable[:10]:
        print(f"left out: {reason}", file=sys.stderr)
    return (
        f"{packed.clips} clips, {packed.hours:.2f} h; left out {packed.too_long} longer than "
        f"{longest_s:g} s and {len(packed.unreadable)} unreadable"
    )


def _teach(asked: Asked, recipe: Recipe, places: Places) -> str:
    if asked.teacher is None:
        return "left out"
    # Only a run with a teacher needs it installed.
    from training.whisper import whisper_encoder

    encode = whisper_encoder(asked.teacher, asked.processes)
    vectors = teach(Store(places.train), places.train, encode)
    return f"{vectors} vectors of {asked.teacher}"


def _tokenizer(asked: Asked, recipe: Recipe, places: Places) -> str:
    if asked.start_from is not None:
        places.tokenizer.write_bytes((asked.start_from.parent / places.tokenizer.name).read_bytes())
        return f"that of {asked.start_from.parent}"
    train_tokenizer(
        (clip.text for clip in Store(places.train).clips), recipe.pieces, places.tokenizer
    )
    return f"{len(Tokenizer(places.tokenizer).pieces)} pieces"


def _train(asked: Asked, recipe: Recipe, places: Places) -> str:
    session = Session(
        length=Length(asked.minutes, asked.steps),
        device=asked.device,
        workers=asked.workers,
        save_every_s=asked.save_every * 60,
        log_every=asked.log_every,
        start_from=asked.start_from,
    )
    run = train(_fitted(recipe, places), places, session)
    told = f"step {run.step} after {run.spent_s / 60:.1f} min, {run.audio_s / 3600:.1f} h heard"
    if run.stopped:
        print(f"stopped at {told}; the same command goes on from there", file=sys.stderr)
        raise SystemExit(STOPPED)
    return told


def _average(asked: Asked, recipe: Recipe, places: Places) -> str:
    parts = asked.of or []
    write_average(parts, places.checkpoint)
    first = parts[0][0].parent / places.tokenizer.name
    places.tokenizer.write_bytes(first.read_bytes())
    write_averaged(places.averaged, parts)
    return f"{places.checkpoint}, of {len(parts)}"


def _export(asked: Asked, recipe: Recipe, places: Places) -> str:
    model = Transducer(read_config(places.checkpoint))
    model.load_state_dict(read_checkpoint(places.checkpoint)["mean"])
    write_model(model, Tokenizer(places.tokenizer).pieces, places.export)
    write_int8(places.export, places.export_int8)
    write_weights(places.checkpoint, places.weights)
    return f"{places.export}, {places.export_int8} and {places.weights}"


def _evaluate(asked: Asked, recipe: Recipe, places: Places) -> str:
    if not asked.dev:
        raise OptionError("give --dev, a list of recordings kept for judging, at least once")
    clips = [clip for each in asked.dev for clip in read_manifest(each)]
    clips = clips[:: max(1, len(clips) // asked.limit)] if asked.limit else clips
    folders = {"fp32": places.export, "int8": places.export_int8}
    contexts = asked.context or [OFFLINE]
    scores, imagined = evaluate(folders, clips, contexts, asked.threads, asked.wordless_s)
    write_evaluation(places.evaluation, scores, imagined)
    lines = [f"{s.precision} {s.context} {s.corpus}: {s.rate:.1%} of {s.words}" for s in scores]
    return "\n  " + "\n  ".join(lines)


def _card(asked: Asked, recipe: Recipe, places: Places) -> str:
    clips = Store(places.train).clips
    text = card(_fitted(recipe, places), places, clips, asked.start_from is not None)
    places.card.write_text(text, encoding="utf-8")
    for folder in (places.export, places.export_int8):
        (folder / "README.md").write_text(text, encoding="utf-8")
    return str(places.card)


Stage = Callable[[Asked, Recipe, Places], str]
STAGES: dict[str, Stage] = {
    "synthesise": _synthesise,
    "phrases": _phrases,
    "prepare": _prepare,
    "teach": _teach,
    "tokenizer": _tokenizer,
    "train": _train,
    "export": _export,
    "evaluate": _evaluate,
    "card": _card,
}
STEPS_ASIDE: dict[str, Stage] = {"average": _average}
"""Not among those of `all`."""


def _fitted(recipe: Recipe, places: Places) -> Recipe:
    """The recipe with the vocabulary of the tokenizer as it came out; few texts give few pieces."""
    vocabulary = len(Tokenizer(places.tokenizer).pieces) + 1
    return dataclasses.replace(
        recipe, model=dataclasses.replace(recipe.model, vocabulary=vocabulary)
    )


def _recipe(asked: Asked) -> Recipe:
    recipe = full_recipe()
    encoder, optimisation = recipe.model.encoder, recipe.optimisation
    sizes = {
        "width": asked.width,
        "layers": asked.layers,
        "heads": asked.heads,
        "subsampling_channels": asked.channels,
    }
    encoder = dataclasses.replace(encoder, **_given(sizes))
    model = dataclasses.replace(recipe.model, encoder=encoder, **_given({"dropout": asked.dropout}))
    numbers = {
        "batch_s": asked.batch_s,
        "pool_batches": asked.pool,
        "peak_rate": asked.rate,
        "warmup_steps": asked.warmup,
        "ema_decay": asked.ema,
        "tdt_from": asked.tdt_from,
        "tdt_full": None if asked.tdt_from is None else asked.tdt_from + TDT_RISE,
        "windowed": asked.windowed,
    }
    weights = dict(recipe.corpus_weights) | dict(asked.weight or [])
    curriculum = recipe.curriculum
    if asked.start_from is not None:
        model = dataclasses.replace(read_config(asked.start_from), dropout=model.dropout)
        # Weights that hear already need no easy beginning, and CTC alone only if asked.
        curriculum = curriculum[-1:]
        if asked.tdt_from is None:
            numbers |= {"tdt_from": 0.0, "tdt_full": 0.0}
    if asked.augmentation is not None:
        last = dataclasses.replace(curriculum[-1], augmentation=asked.augmentation)
        curriculum = (*curriculum[:-1], last)
    if asked.no_augmentation:
        curriculum = tuple(dataclasses.replace(phase, augmentation=0.0) for phase in curriculum)
    return dataclasses.replace(
        recipe,
        model=model,
        curriculum=curriculum,
        optimisation=dataclasses.replace(optimisation, **_given(numbers)),
        corpus_weights=tuple(weights.items()),
        joined=0.0 if asked.no_augmentation else recipe.joined,
        seed=asked.seed,
    )


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _smoke_options(asked: Asked, places: Places) -> Asked:
    """The few clips of the repository itself, and a run of a minute."""
    listing = smoke_data(places.work / "clips")
    torch.set_num_threads(min(2, os.cpu_count() or 1))
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
        "context": [OFFLINE, "balanced"],
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


def _parser() -> argparse.ArgumentParser:
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(
        prog="python -m training", description="Trains, exports and judges the built-in model."
    )
    parser.add_argument("stage", choices=[*STAGES, *STEPS_ASIDE, "all"])
    parser.add_argument(
        "--work", type=Path, default=Path("build/training"), help="folder of the run (%(default)s)"
    )
    parser.add_argument("--smoke", action="store_true", help="a tiny run of everything, as a test")
    parser.add_argument("--seed", type=int, default=1)
    texts = parser.add_argument_group("data")
    texts.add_argument("--train", type=Path, action="append", metavar="LIST")
    texts.add_argument("--dev", type=Path, action="append", metavar="LIST")
    texts.add_argument("--sentences", type=Path, metavar="TEXT", help="for synthetic speech")
    texts.add_argument("--utterances", type=int, default=20_000, help="of synthetic speech")
    texts.add_argument(
        "--kokoro", type=Path, metavar="FOLDER", help="natural voices beside the installed ones"
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
    texts.add_argument("--processes", type=int, default=cores)
    texts.add_argument(
        "--weight", type=_weight, action="append", metavar="CORPUS=W", help="how often it is drawn"
    )
    training = parser.add_argument_group("training")
    training.add_argument("--minutes", type=float, help="length of the run, over all sittings")
    training.add_argument("--steps", type=int, help="length of the run, instead")
    training.add_argument("--device", default="auto", help="auto, cpu or cuda")
    training.add_argument("--workers", type=int, default=max(1, min(12, cores - 1)))
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
    training.add_argument("--dropout", type=float, help="once augmentation is full")
    training.add_argument("--tdt-from", type=float, help="part of the run with CTC alone")
    training.add_argument("--ema", type=float, help="decay of the mean of the weights")
    for size in ("width", "layers", "heads", "channels"):
        training.add_argument(f"--{size}", type=int, help="of the encoder")
    judging = parser.add_argument_group("evaluation")
    judging.add_argument("--context", action="append", help="offline, a preset, or 5-0.5-0.5")
    judging.add_argument("--limit", type=int, help="about this many of the recordings")
    judging.add_argument("--wordless-s", type=float, default=60.0, help="of sounds without words")
    judging.add_argument("--threads", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
