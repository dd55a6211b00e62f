"""The parts of a model in; all that its graphs and files say about it out, cross-checked.

Rules of this file:

1. Numbers come from the graphs where these fix them, else from config.json, else from the metadata
   that sherpa-onnx writes. If two sources disagree, that is an error; none of them wins.
2. Every number has a bound (`limits.py`): what it decides is allocated, or counted up to.
3. The decoder's output is V token logits, then n duration logits. V is the size of the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from parakeet_streaming.catalog.file_reading import (
    reading,
)
from parakeet_streaming.catalog.graph import TensorSpec
from parakeet_streaming.catalog.limits import (
    MOST_LSTM_LAYERS,
    MOST_MEL_BINS,
    MOST_TOKENS_A_FRAME,
    MOST_WIDTH,
    refuse_beyond,
    whole_number,
)
from parakeet_streaming.catalog.model_folder import ModelParts, Part
from parakeet_streaming.catalog.roles import TensorNames, tensor_names
from parakeet_streaming.catalog.vocabulary import Vocabulary, read_vocabulary
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.plain_text import shown
from parakeet_streaming.timeline import SUBSAMPLING

DEFAULT_MEL_BINS: Final = 128
DEFAULT_MAX_SYMBOLS: Final = 10
MAX_DURATIONS: Final = 16
_MOST_SUBSAMPLING: Final = 64

# These operators scale by the range of the whole call, so a row depends on the other rows.
_SCALED_BY_CALL: Final = "DynamicQuantize"
_FOREIGN_FAMILIES: Final = ("gigaam", "kaldi", "whisper", "t-one")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a model is, in numbers."""

    name: str
    kind: Literal["tdt", "rnnt"]
    mel_bins: int
    """F."""
    encoder_width: int
    """D."""
    subsampling_factor: int
    durations: tuple[int, ...]
    """Frames to skip for each duration logit; empty for RNN-T."""
    vocabulary: Vocabulary
    predictor_layers: int
    """L."""
    predictor_width: int
    """H."""
    max_symbols: int
    """Tokens after which the decoder must leave a frame."""
    max_frames: int | None
    """Encoder frames that the position table allows in one call; None where nothing limits it."""
    rows_independent: bool
    """Whether a row of a decoder or joint call gives the same result as alone."""
    encoder_rows_independent: bool
    """Whether a row of an encoder call gives the same result as alone."""
    predictor_batch_one: bool
    """Whether the prediction network declares a batch of exactly one."""
    names: TensorNames = field(repr=False)


def read_spec(parts: ModelParts) -> ModelSpec:
    """What the model in `parts` is.

    Raises:
        ModelFormatError: graphs, vocabulary, config and metadata that do not fit together.
        ModelPartMissingError: the vocabulary is gone.
    """
    with reading(parts.folder):
        return _read_spec(parts)


def _read_spec(parts: ModelParts) -> ModelSpec:
    _check_family(parts)
    joiner = parts.joiner.graph if parts.joiner else None
    names = tensor_names(parts.encoder.graph, parts.decoder.graph, joiner)
    vocabulary = read_vocabulary(parts.vocabulary)
    durations = _durations(parts, names, vocabulary)
    width = _encoder_width(parts, names)
    layers, predictor_width = _predictor_shape(parts, names)
    tokens_a_frame = _from_config(parts, "max_tokens_per_step")
    max_symbols = _agreed(parts, "tokens per frame", tokens_a_frame, MOST_TOKENS_A_FRAME)
    decoders = [part for part in parts.onnx if part is not parts.encoder]
    return ModelSpec(
        name=name_of(parts.folder),
        kind="tdt" if durations else "rnnt",
        mel_bins=_mel_bins(parts, names),
        encoder_width=width,
        subsampling_factor=_subsampling(parts),
        durations=durations,
        vocabulary=vocabulary,
        predictor_layers=layers,
        predictor_width=predictor_width,
        max_symbols=DEFAULT_MAX_SYMBOLS if max_symbols is None else max_symbols,
        max_frames=_max_frames(parts.encoder, width),
        rows_independent=all(_independent_rows(part) for part in decoders),
        encoder_rows_independent=_independent_rows(parts.encoder),
        predictor_batch_one=_batch_of_one(parts.decoder, names),
        names=names,
    )


def name_of(folder: Path) -> str:
    """What to call the model in a folder: its hub id in the hub's cache, else the folder's name."""
    for parent in folder.absolute().parents:
        if parent.name.startswith("models--"):
            return parent.name.removeprefix("models--").replace("--", "/")
    return folder.resolve().name


def _check_family(parts: ModelParts) -> None:
    family = str(parts.config.get("model_type", "")).lower()
    if family.startswith(_FOREIGN_FAMILIES):
        raise ModelFormatError(
            f"config.json in {parts.folder} calls this a {shown(family)} model; use a Parakeet "
            "export"
        )
    normalised = parts.encoder.graph.metadata.get("normalize_type", "per_feature")
    if normalised != "per_feature":
        raise ModelFormatError(
            f"{parts.encoder.path} wants features normalised as {shown(normalised)}, like "
            "streaming models; use a full-attention Parakeet, whose features are normalised "
            "per_feature"
        )


def _named(specs: tuple[TensorSpec, ...], name: str) -> TensorSpec:
    return next(spec for spec in specs if spec.name == name)


def _durations(parts: ModelParts, names: TensorNames, vocabulary: Vocabulary) -> tuple[int, ...]:
    """One duration for each output beyond the vocabulary: 0 to n - 1 frames; none for RNN-T."""
    joint = parts.joiner or parts.decoder
    scored = _named(joint.graph.outputs, names.logits).fixed(3)
    if scored is None:
        raise ModelFormatError(
            f"{joint.path} does not declare the width of its output {names.logits}; export it "
            "again with that axis fixed"
        )
    _check_pieces(parts, vocabulary)
    count = scored - vocabulary.size
    if count == 1 or not 0 <= count <= MAX_DURATIONS:
        raise ModelFormatError(
            f"{parts.vocabulary} has {vocabulary.size} pieces, but {joint.path.name} scores "
            f"{scored} outputs: they are not of one model, or the vocabulary lacks its last line, "
            "<blk>; fetch both from the same place"
        )
    return tuple(range(count))


def _check_pieces(parts: ModelParts, vocabulary: Vocabulary) -> None:
    """Refuses a vocabulary of another size than the decoder's embedding or the metadata say."""
    pieces = _from_metadata(parts, "vocab_size")["metadata"]
    known = parts.decoder.graph.embedding_rows or (None if pieces is None else pieces + 1)
    if known is not None and known != vocabulary.size:
        hint = "; its last line, <blk>, is missing" if known == vocabulary.size + 1 else ""
        raise ModelFormatError(
            f"{parts.vocabulary} has {vocabulary.size} pieces, but {parts.decoder.path.name} knows "
            f"{known}, blank included{hint}; fetch both from the same place"
        )


def _mel_bins(parts: ModelParts, names: TensorNames) -> int:
    declared = {"encoder": _named(parts.encoder.graph.inputs, names.features).fixed(1)}
    sources = declared | _from_config(parts, "features_size") | _from_metadata(parts, "feat_dim")
    return _agreed(parts, "mel bins", sources, MOST_MEL_BINS) or DEFAULT_MEL_BINS


def _subsampling(parts: ModelParts) -> int:
    key = "subsampling_factor"
    sources = _from_config(parts, key) | _from_metadata(parts, key)
    factor = _agreed(parts, key, sources, _MOST_SUBSAMPLING) or SUBSAMPLING
    if factor != SUBSAMPLING:
        raise ModelFormatError(
            f"{parts.folder}: one frame per {factor} feature frames, but every Parakeet has one "
            f"per {SUBSAMPLING}; use a Parakeet export"
        )
    return factor


def _encoder_width(parts: ModelParts, names: TensorNames) -> int:
    joint = parts.joiner or parts.decoder
    sources = {
        "encoder": _named(parts.encoder.graph.outputs, names.frames).fixed(1),
        joint.path.name: _named(joint.graph.inputs, names.joint_frames).fixed(1),
    }
    return _required(parts, "encoder width", sources, MOST_WIDTH)


def _predictor_shape(parts: ModelParts, names: TensorNames) -> tuple[int, int]:
    """Layers and width of the prediction network."""
    hidden = _named(parts.decoder.graph.inputs, names.hidden)
    layers = {"decoder": hidden.fixed(0)} | _from_metadata(parts, "pred_rnn_layers")
    width = {"decoder": hidden.fixed(2)} | _from_metadata(parts, "pred_hidden")
    return (
        _required(parts, "LSTM layers", layers, MOST_LSTM_LAYERS),
        _required(parts, "LSTM width", width, MOST_WIDTH),
    )


def _max_frames(encoder: Part, width: int) -> int | None:
    """Frames n of a table of 2n - 1 relative positions; None where the graph has no such table."""
    tables = [
        (rows + 1) // 2
        for rows, columns in encoder.graph.sliced_tables
        if columns == width and rows % 2 == 1 and rows > 1
    ]
    return min(tables, default=None)


def _independent_rows(part: Part) -> bool:
    return not any(name.startswith(_SCALED_BY_CALL) for name in part.graph.operators)


def _batch_of_one(decoder: Part, names: TensorNames) -> bool:
    inputs = decoder.graph.inputs
    batches = [_named(inputs, names.targets).fixed(0)]
    batches += [_named(inputs, name).fixed(1) for name in (names.hidden, names.cell)]
    return 1 in batches


def _from_config(parts: ModelParts, key: str) -> dict[str, int | None]:
    value = parts.config.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ModelFormatError(
            f"config.json in {parts.folder}: {key} must be a whole number above 0, not "
            f"{shown(value)}"
        )
    return {"config.json": value}


def _from_metadata(parts: ModelParts, key: str) -> dict[str, int | None]:
    value = parts.encoder.graph.metadata.get(key)
    if value is not None and not (value.isascii() and value.isdecimal()):
        raise ModelFormatError(
            f"{parts.encoder.path}: its metadata has {key} {shown(value)}, which is no whole number"
        )
    return {"metadata": None if value is None else whole_number(value)}


def _required(parts: ModelParts, what: str, sources: dict[str, int | None], most: int) -> int:
    value = _agreed(parts, what, sources, most)
    if value is None:
        raise ModelFormatError(
            f"{parts.folder}: no graph declares the {what}; export the model again with that axis "
            "fixed"
        )
    return value


def _agreed(parts: ModelParts, what: str, sources: dict[str, int | None], most: int) -> int | None:
    """The number on which all sources agree, of those that have one; from 1 to `most`."""
    named = {source: value for source, value in sources.items() if value is not None}
    for source, value in named.items():
        refuse_beyond(f"{parts.folder}: {what}, by {source},", value, most)
    if len(set(named.values())) > 1:
        claims = ", ".join(f"{value} by {source}" for source, value in named.items())
        raise ModelFormatError(
            f"the files disagree on {what}: {claims}; they are not of one model, fetch them again"
        )
    return next(iter(named.values()), None)
