"""A torch transducer and its pieces in; a folder that `load()` accepts out.

```
encoder-model.onnx         audio_signal (B, F, T), length (B,)
                           → outputs (B, D, U), encoded_lengths (B,)
decoder_joint-model.onnx   encoder_outputs (B, D, U), targets (B, n), target_length (B,),
                           input_states_1 and _2 (L, B, H)
                           → outputs (B, U, n, V + durations), prednet_lengths (B,),
                           output_states_1 and _2 (L, B, H)
vocab.txt, pieces.json     pieces by id (`vocabulary_files.py`)
config.json                kind, mel bins, subsampling, tokens on one frame at most
```
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from parakeet_streaming.errors import OptionError
from parakeet_streaming.export.external_weights import gather_weights
from parakeet_streaming.export.vocabulary_files import write_vocabulary
from parakeet_streaming.timeline import SUBSAMPLING
from parakeet_streaming.torch_model.cached import CachedEncoder
from parakeet_streaming.torch_model.transducer import Transducer

OPSET: Final = 17
ENCODER_FILE: Final = "encoder-model.onnx"
CACHED_ENCODER_FILE: Final = "encoder-cached-model.onnx"
DECODER_FILE: Final = "decoder_joint-model.onnx"

# Sizes of the inputs that the graphs are traced with; these axes are free afterwards.
_TRACED_FRAMES: Final = 97
_TRACED_BATCH: Final = 2
_TRACED_SLOTS: Final = 5


def write_model(
    model: Transducer, pieces: Sequence[str], folder: Path, *, cached: bool = False
) -> None:
    """Writes `model` in float32 with its `pieces` (without the blank) into `folder`.

    Only `Pieces` say how they become text; of others, readers guess it by their names.

    `cached` writes the encoder as a graph of one step; it encodes whole windows too.

    Raises:
        OptionError: pieces that do not fit the model's vocabulary.
    """
    if len(pieces) + 1 != model.config.vocabulary:
        raise OptionError(
            f"{len(pieces)} pieces for a model of {model.config.vocabulary}, blank included; use "
            "the tokenizer that the model was trained with"
        )
    folder.mkdir(parents=True, exist_ok=True)
    was_training = model.training
    model.eval()
    if cached:
        _write_cached_encoder(model, folder / CACHED_ENCODER_FILE)
    else:
        _write_encoder(model, folder / ENCODER_FILE)
    write_decoder(model, folder / DECODER_FILE)
    model.train(was_training)
    write_vocabulary(pieces, folder)
    config = {
        "model_type": "nemo-conformer-tdt",
        "features_size": model.config.encoder.mel_bins,
        "subsampling_factor": SUBSAMPLING,
        "max_tokens_per_step": model.config.max_symbols,
    }
    (folder / "config.json").write_text(json.dumps(config) + "\n", encoding="utf-8")


class _EncoderGraph(nn.Module):
    """The encoder with its frames on the last axis, as NeMo exports it."""

    def __init__(self, model: Transducer) -> None:
        super().__init__()
        self.encoder = model.encoder

    def forward(self, audio_signal: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        frames, lengths = self.encoder(audio_signal, length)
        return frames.transpose(1, 2), lengths


class _CachedGraph(nn.Module):
    """One step of the encoder with its frames on the last axis."""

    def __init__(self, model: Transducer) -> None:
        super().__init__()
        self.encoder = CachedEncoder(model.encoder)

    def forward(self, *step: Tensor) -> tuple[Tensor, ...]:
        frames, lengths, *kept = self.encoder(*step)
        return frames.transpose(1, 2), lengths, *kept


class _DecoderGraph(nn.Module):
    """Prediction network and joint in one graph; they meet in the LSTM's output alone."""

    def __init__(self, model: Transducer) -> None:
        super().__init__()
        self.predictor = model.predictor
        self.joint = model.joint

    def forward(
        self, frames: Tensor, targets: Tensor, lengths: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, ...]:
        histories, hidden, cell = self.predictor(targets, hidden, cell)
        return self.joint(frames.transpose(1, 2), histories), lengths + 0, hidden, cell


def _write_encoder(model: Transducer, path: Path) -> None:
    features = torch.randn(_TRACED_BATCH, model.config.encoder.mel_bins, _TRACED_FRAMES)
    lengths = torch.tensor([_TRACED_FRAMES, _TRACED_FRAMES - 20])
    _trace(
        _EncoderGraph(model),
        (features, lengths),
        path,
        inputs={"audio_signal": {0: "batch", 2: "feature_frames"}, "length": {0: "batch"}},
        outputs={"outputs": {0: "batch", 2: "frames"}, "encoded_lengths": {0: "batch"}},
    )


def _write_cached_encoder(model: Transducer, path: Path) -> None:
    encoder = model.config.encoder
    layers, width, reach = encoder.layers, encoder.width, encoder.kernel // 2
    past = torch.zeros(layers, _TRACED_BATCH, _TRACED_SLOTS, width)
    lengths = torch.tensor([_TRACED_FRAMES, _TRACED_FRAMES - 20])
    _trace(
        _CachedGraph(model),
        (
            torch.randn(_TRACED_BATCH, encoder.mel_bins, _TRACED_FRAMES),
            lengths,
            torch.tensor([SUBSAMPLING, 0]),
            past,
            past,
            torch.zeros(layers, _TRACED_BATCH, reach, width),
            torch.tensor([_TRACED_SLOTS, 0]),
        ),
        path,
        inputs={
            "audio_signal": {0: "batch", 2: "feature_frames"},
            "length": {0: "batch"},
            "look_back": {0: "batch"},
            "past_keys": {1: "batch", 2: "slots"},
            "past_values": {1: "batch", 2: "slots"},
            "past_convolved": {1: "batch"},
            "past_filled": {0: "batch"},
        },
        outputs={
            "outputs": {0: "batch", 2: "frames"},
            "encoded_lengths": {0: "batch"},
            "keys": {1: "batch", 2: "frames"},
            "values": {1: "batch", 2: "frames"},
            "convolved": {1: "batch", 2: "reach_and_frames"},
        },
    )


def write_decoder(model: Transducer, path: Path) -> None:
    """Writes prediction network and joint alone, as one graph."""
    config = model.config
    state = torch.zeros(config.predictor_layers, _TRACED_BATCH, config.predictor_width)
    frames = torch.randn(_TRACED_BATCH, config.encoder.width, 3)
    targets = torch.zeros(_TRACED_BATCH, 2, dtype=torch.int64)
    lengths = torch.full((_TRACED_BATCH,), 2, dtype=torch.int64)
    _trace(
        _DecoderGraph(model),
        (frames, targets, lengths, state, state),
        path,
        inputs={
            "encoder_outputs": {0: "batch", 2: "frames"},
            "targets": {0: "batch", 1: "tokens"},
            "target_length": {0: "batch"},
            "input_states_1": {1: "batch"},
            "input_states_2": {1: "batch"},
        },
        outputs={
            "outputs": {0: "batch", 1: "frames", 2: "tokens"},
            "prednet_lengths": {0: "batch"},
            "output_states_1": {1: "batch"},
            "output_states_2": {1: "batch"},
        },
    )


def _trace(
    graph: nn.Module,
    arguments: tuple[Tensor, ...],
    path: Path,
    inputs: dict[str, dict[int, str]],
    outputs: dict[str, dict[int, str]],
) -> None:
    """Traces `graph` into an ONNX file whose named axes are free."""
    with warnings.catch_warnings(), torch.no_grad():
        # Only the tracing exporter writes opset 17; torch warns that it is old.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.eval().cpu().float(),
            arguments,
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=inputs | outputs,
            opset_version=OPSET,
            dynamo=False,
        )
    gather_weights(path)
