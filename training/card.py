"""Packed clips, a training log and an evaluation in; the model's card, as Markdown, out.

All numbers in it were counted or measured in this run; none is typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from parakeet_streaming.errors import ModelPartMissingError
from parakeet_streaming.torch_model.transducer import Transducer
from training.evaluate import Score
from training.settings import Places, Recipe
from training.store import StoredClip
from training.teacher import Lessons

_MEGABYTE = 1_000_000


def write_evaluation(
    path: Path, scores: Sequence[Score], imagined: dict[str, dict[str, str]]
) -> None:
    """Saves an evaluation for the card."""
    found = {"scores": [vars(score) for score in scores], "imagined": imagined}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def write_averaged(path: Path, parts: Sequence[tuple[Path, float]]) -> None:
    """Saves for the card of which checkpoints a checkpoint is the mean."""
    named = [(f"{each.parent.name}/{each.name}", weight) for each, weight in parts]
    path.write_text(json.dumps(named) + "\n", encoding="utf-8")


def card(
    recipe: Recipe, places: Places, clips: Sequence[StoredClip], begun_from: bool = False
) -> str:
    """The card's text.

    Args:
        recipe: of the run.
        places: with the files of its stages.
        clips: what it was trained on.
        begun_from: whether it began with the weights of an earlier run.

    Raises:
        ModelPartMissingError: nothing was evaluated or trained yet.
    """
    for needed, stage in ((places.evaluation, "evaluate"), (places.log, "train")):
        if not needed.is_file():
            raise ModelPartMissingError(f"{needed} is missing; run the stage `{stage}` first")
    evaluation = json.loads(places.evaluation.read_text(encoding="utf-8"))
    scores = [Score(**score) for score in evaluation["scores"]]
    parts = [
        _what(recipe),
        _trained(places, recipe, begun_from),
        "## Data\n\n" + _data_table(clips),
        "## Word error rate\n\nGreedy, on speakers that were not trained on where the list has "
        "such.\n\n" + _score_table(scores),
        "## Sounds without words\n\n" + _imagined_table(evaluation["imagined"]),
        "## Size and speed\n\n" + _size_table(places, scores),
    ]
    return "\n\n".join(parts) + "\n"


def _what(recipe: Recipe) -> str:
    encoder, model = recipe.model.encoder, recipe.model
    parameters = sum(each.numel() for each in Transducer(model).parameters()) / 1e6
    return (
        f"# A small English FastConformer-TDT\n\n"
        f"{parameters:.1f} M parameters: {encoder.layers} layers of width {encoder.width} with "
        f"{encoder.heads} heads, subsampling by 8 with {encoder.subsampling_channels} channels, "
        f"{encoder.mel_bins} log-mels; {model.predictor_layers} LSTM layer of "
        f"{model.predictor_width}; {model.vocabulary - 1} pieces; durations "
        f"{model.durations[0]}–{model.durations[-1]}. Lower-case English without punctuation. "
        "Positions are computed in the graph, so no table limits a window's length."
    )


def _trained(places: Places, recipe: Recipe, begun_from: bool) -> str:
    last = json.loads(places.log.read_text(encoding="utf-8").splitlines()[-1])
    settings = recipe.optimisation
    begun = "Begun from the weights of an earlier run. " if begun_from else ""
    return (
        f"## Training\n\n{begun}{last['step']} steps in {last['minutes']:.0f} min on "
        f"{last['device']} with PyTorch {last['torch']}, {last['hours_heard']:.0f} h of augmented "
        "audio heard. "
        f"TDT loss beside {settings.ctc_weight:g} of CTC, Muon and AdamW up to "
        f"{settings.peak_rate:g}, {_weights(settings.ema_decay)}. The whole recipe is in "
        f"`training/`.{_taught(places.train, recipe)}{_averaged(places.averaged)}"
    )


def _taught(folder: Path, recipe: Recipe) -> str:
    if not Lessons.are_in(folder):
        return ""
    return (
        " Beside these losses it learnt, with weight "
        f"{recipe.optimisation.taught_weight:g}, to predict what the encoder of a larger "
        "recogniser makes of the same sound."
    )


def _averaged(path: Path) -> str:
    if not path.is_file():
        return ""
    parts = json.loads(path.read_text(encoding="utf-8"))
    told = " and ".join(f"{weight:g} of `{name}`" for name, weight in parts)
    return f"\n\nThese weights are a mean, {told}; the run above is the first's."


def _weights(decay: float) -> str:
    return f"mean of the weights with decay {decay:g}" if decay else "the weights of the last step"


def _data_table(clips: Iterable[StoredClip]) -> str:
    by_source: dict[tuple[str, str], list[StoredClip]] = {}
    for clip in clips:
        by_source.setdefault((clip.corpus, clip.licence), []).append(clip)
    rows = [
        (corpus, f"{sum(each.duration_s for each in found) / 3600:.2f}", len(found),
         len({each.speaker for each in found}), licence)
        for (corpus, licence), found in sorted(by_source.items())
    ]  # fmt: skip
    return _table(("corpus", "hours", "clips", "speakers", "licence"), rows)


def _score_table(scores: Sequence[Score]) -> str:
    corpora = list(dict.fromkeys(score.corpus for score in scores))
    by_row: dict[tuple[str, str], dict[str, Score]] = {}
    for score in scores:
        by_row.setdefault((score.precision, score.context), {})[score.corpus] = score
    rows = [
        (
            precision,
            context,
            *(f"{found[name].rate:.1%}" if name in found else "–" for name in corpora),
        )
        for (precision, context), found in by_row.items()
    ]
    words = {score.corpus: score.words for score in scores}
    head = ("weights", "context", *(f"{name} ({words[name]} words)" for name in corpora))
    return _table(head, rows)


def _imagined_table(imagined: dict[str, dict[str, str]]) -> str:
    sounds = list(next(iter(imagined.values()), {}))
    rows = [
        (precision, *(str(len(heard[sound].split())) for sound in sounds))
        for precision, heard in imagined.items()
    ]
    return "Words heard.\n\n" + _table(("weights", *sounds), rows)


def _size_table(places: Places, scores: Sequence[Score]) -> str:
    rows = []
    for precision, folder in (("fp32", places.export), ("int8", places.export_int8)):
        offline = [
            each for each in scores if (each.precision, each.context) == (precision, "offline")
        ]
        took_s = sum(each.processing_s for each in offline)
        speed = f"{sum(each.audio_s for each in offline) / took_s:.0f}" if took_s else "–"
        rows.append((precision, f"{_size(folder) / _MEGABYTE:.1f} MB", speed))
    return _table(("weights", "size", "times real time, offline"), rows)


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.glob("*") if each.is_file())


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
