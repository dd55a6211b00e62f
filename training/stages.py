"""Options, a recipe and the places of a run in; the stages of the command line, by name, out.

A stage does its work in those places and gives one line about it.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

from parakeet_streaming.errors import OptionError
from parakeet_streaming.export.onnx_files import write_model
from parakeet_streaming.export.quantise import write_int8
from parakeet_streaming.torch_model.transducer import Transducer
from training.card import card, write_averaged, write_evaluation
from training.doubts import doubtful, parakeet_hearer, without, write_doubts
from training.evaluate import OFFLINE, Exported, evaluate
from training.kokoro import kokoro_voices
from training.manifest import read_manifest, write_manifest
from training.options import Asked
from training.people import people
from training.phrases import cut
from training.reading import Reading
from training.run import read_checkpoint, read_config, write_average, write_weights
from training.settings import Places, Recipe
from training.store import Store, pack
from training.synthesis import MANIFEST_NAME, read_sentences, synthesise
from training.teacher import teach
from training.tokenizer import Tokenizer, train_tokenizer
from training.train import Length, Session, train
from training.voices import installed_voices

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""


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
    synthetic = places.synthetic / MANIFEST_NAME
    if synthetic.is_file() and not asked.no_synthesis:
        lists.append(synthetic)
    if places.phrases_manifest.is_file() and asked.phrases_by is not None:
        lists.append(places.phrases_manifest)
    if not lists:
        raise OptionError("give --train, a list of recordings (JSON lines), at least once")
    clips = [clip for each in lists for clip in read_manifest(each)]
    for listing in asked.leave_out or []:
        clips = without(clips, listing)
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


def _doubts(asked: Asked, recipe: Recipe, places: Places) -> str:
    if not asked.train or asked.teacher is None:
        raise OptionError("give --train, the lists to look at, and --teacher, a folder of Whisper")
    from training.whisper import whisper_hearer

    model = asked.phrases_by or "tiny-en"
    hearers = (
        (Path(model).name, parakeet_hearer(model)),
        (f"whisper-{asked.teacher.name}", whisper_hearer(asked.teacher, asked.threads)),
    )
    clips = [clip for each in asked.train for clip in read_manifest(each)]
    found = doubtful(clips, hearers, places.heard)
    write_doubts(found, places.heard, places.doubts)
    return f"{len(found)} of {len(clips)} clips, in {places.doubts}"


def _people(asked: Asked, recipe: Recipe, places: Places) -> str:
    if asked.sentences is None or asked.kokoro is None:
        raise OptionError("give --sentences, a text of one sentence a line, and --kokoro")
    voices = people(asked.kokoro, asked.people, recipe.seed)
    reading = Reading(asked.kokoro, places.people, asked.hours, asked.processes, recipe.seed)
    hours, clips = reading.read(read_sentences(asked.sentences), voices)
    return f"{clips} clips of {len(voices)} made voices, {hours:.2f} h, in {places.people}"


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
    pieces = Tokenizer(places.tokenizer).pieces
    write_model(model, pieces, places.export)
    write_int8(places.export, places.export_int8)
    write_model(model, pieces, places.export_cached, cached=True)
    write_int8(places.export_cached, places.export_cached_int8)
    write_weights(places.checkpoint, places.weights)
    return f"{places.export}, {places.export_int8} and {places.weights}"


def _evaluate(asked: Asked, recipe: Recipe, places: Places) -> str:
    if not asked.dev:
        raise OptionError("give --dev, a list of recordings kept for judging, at least once")
    clips = [clip for each in asked.dev for clip in read_manifest(each)]
    clips = clips[:: max(1, len(clips) // asked.limit)] if asked.limit else clips
    folders = {
        "fp32": Exported(places.export, places.export_cached),
        "int8": Exported(places.export_int8, places.export_cached_int8),
    }
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


def _fitted(recipe: Recipe, places: Places) -> Recipe:
    """The recipe with the size of the trained tokenizer, which few texts make small."""
    vocabulary = len(Tokenizer(places.tokenizer).pieces) + 1
    return dataclasses.replace(
        recipe, model=dataclasses.replace(recipe.model, vocabulary=vocabulary)
    )


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
STEPS_ASIDE: dict[str, Stage] = {"average": _average, "doubts": _doubts, "people": _people}
"""Not among those of `all`."""
