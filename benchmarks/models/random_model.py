"""A size in; a folder with a model of that shape and random weights out, in one form or in both.

It recognises nothing, but its graphs cost what the real ones cost: they are written from the torch
modules that `parakeet export` fills with real weights. Needs torch.

Rules of this file:

1. Weights are float32, seeded, and different in every layer: as many bytes are read as of a real
   model.
2. The encoder for whole windows and the one that keeps its past have the same weights. Where both
   are written, the latter stands in the folder `cached`, with a decoder of its own.
3. The joint is set on encoder frames of speech, so that tokens and blanks alternate as often as in
   real speech, and durations are mixed.
4. A random encoder's frames hardly differ, so rounding changes them visibly: the joint beside int8
   encoders has the same weights, and is set on their own frames. A trained model needs no such.
"""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.models.sizes import BOTH, CACHED, WINDOW, Size
from benchmarks.report.tables import say
from parakeet_streaming import load
from parakeet_streaming.export.block_scales import scale_blocks
from parakeet_streaming.export.onnx_files import DECODER_FILE, write_decoder, write_model
from parakeet_streaming.export.quantise import write_int8
from parakeet_streaming.model.features import log_mel
from parakeet_streaming.runtime.session import Session
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.transducer import Joint, Transducer, TransducerConfig

TOKENS_PER_VISIT: Final = 0.65
"""Share of the visited frames that give a token: 3 to 4 tokens a second with mixed durations."""

_CALIBRATION_TOKENS = 8


def write_random_model(
    folder: Path,
    size: Size,
    speech: NDArray[np.float32],
    *,
    form: str = WINDOW,
    int8: bool = False,
    seed: int = 0,
) -> None:
    """Writes a model in one form, or in both, the cached one then in the folder `cached`.

    Args:
        folder: made if need be; files of the same names are replaced.
        size: of the model.
        speech: (n,) at 16 kHz, some seconds, on which the joint is set.
        form: one of `sizes.FORMS`.
        int8: write each encoder in int8 too, and a joint that belongs to these.
        seed: of the weights.
    """
    say(f"making the weights: {size.layers} layers of width {size.width}")
    torch.manual_seed(seed)
    model = Transducer(_config(size)).eval()
    with torch.no_grad():
        _scale_decoder(model)
        joint = copy.deepcopy(model.joint)
        say("setting the joint on speech")
        features = torch.from_numpy(log_mel(speech, size.mel_bins))[None]
        calibrate(model, model.encoder(features, torch.tensor([features.shape[2]]))[0][0])
    pieces = [f"\u2581p{each}" for each in range(size.vocabulary - 1)]
    folders = {WINDOW: folder, CACHED: folder / CACHED if form == BOTH else folder}
    forms = (WINDOW, CACHED) if form == BOTH else (form,)
    for each in forms:
        say(f"writing the {each} form")
        write_model(model, pieces, folders[each], cached=each == CACHED)
    if int8:
        say("writing int8")
        for each in forms:
            write_int8(folders[each], folders[each], scale="row")
        model.joint = joint
        _write_int8_decoders(model, [folders[each] for each in forms], speech)


class OutputKeeper:
    """A session that keeps a copy of what its last call gave first: an encoder's frames."""

    def __init__(self, session: Session) -> None:
        self.inputs = session.inputs
        self.outputs = session.outputs
        self.providers = session.providers
        self.threads = session.threads
        self.kept: NDArray[np.float32] | None = None
        """(B, D, U)."""
        self._session = session

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """As the session."""
        outputs = self._session.run(feeds)
        self.kept = outputs[next(iter(self.outputs))].copy()
        return outputs


def encoder_frames_of(
    folder: Path, speech: NDArray[np.float32], precision: str = "auto"
) -> NDArray[np.float32]:
    """The encoder frames (U, D) of speech (n,), as the model in `folder` makes them."""
    keepers: list[OutputKeeper] = []

    def wrap(session: Session, role: str) -> Session:
        if role != "encoder":
            return session
        keepers.append(OutputKeeper(session))
        return keepers[0]

    load(folder, precision=precision, runtime="onnxruntime", wrap=wrap).transcribe(speech)
    kept = keepers[0].kept
    assert kept is not None
    return np.ascontiguousarray(kept[0].T)


def _write_int8_decoders(
    model: Transducer, folders: Sequence[Path], speech: NDArray[np.float32]
) -> None:
    frames = encoder_frames_of(folders[0], speech, "int8")
    with torch.no_grad():
        calibrate(model, torch.from_numpy(frames))
    with tempfile.TemporaryDirectory() as scratch:
        decoder = Path(scratch) / DECODER_FILE
        write_decoder(model, decoder)
        for folder in folders:
            scale_blocks(decoder, folder / f"{decoder.stem}.int8.onnx")


def calibrate(model: Transducer, frames: Tensor) -> None:
    """Sets the joint's biases, and scales what it reads of the encoder's frames (U, D) of speech.

    Once for a joint: what it has scaled it would scale again.
    """
    joint = model.joint
    # A random encoder makes frames that hardly differ: only their differences count here.
    joint.frames.weight.div_(frames.std(dim=0) + 1e-6)
    joint.frames.bias.copy_(-(joint.frames.weight @ frames.mean(dim=0)))
    joint.out.bias.zero_()
    logits = _logits(joint, frames, _histories(model, len(frames)))
    bias = -logits.mean(dim=0)
    blank, stay = model.config.blank_id, model.config.vocabulary
    tokens = logits[:, :stay] + bias[:stay]
    lead = tokens[:, :blank].amax(dim=1) - tokens[:, blank]
    bias[blank] += torch.quantile(lead, 1 - TOKENS_PER_VISIT)
    # Trained models rarely emit two tokens on one frame.
    bias[stay] -= 2 * logits[:, stay].std()
    joint.out.bias.copy_(bias)


def _config(size: Size) -> TransducerConfig:
    encoder = EncoderConfig(
        mel_bins=size.mel_bins,
        subsampling_channels=size.channels,
        width=size.width,
        layers=size.layers,
        heads=size.heads,
        feed_forward=size.feed_forward,
        kernel=size.kernel,
        bias=False,
    )
    return TransducerConfig(
        encoder,
        vocabulary=size.vocabulary,
        durations=tuple(range(size.durations)),
        predictor_width=size.predictor_width,
        predictor_layers=size.predictor_layers,
        joint_width=size.joint_width,
    )


def _scale_decoder(model: Transducer) -> None:
    """Gives the decoder weights that keep the size of what they multiply; PyTorch's shrink it."""
    for module in (model.predictor, model.joint):
        for values in module.parameters():
            if values.dim() > 1:
                nn.init.normal_(values, std=1 / math.sqrt(values.shape[1]))
    nn.init.normal_(model.predictor.embedding.weight)


def _histories(model: Transducer, count: int) -> Tensor:
    """Outputs (count, H) of the prediction network along a few tokens, over and over."""
    tokens = torch.arange(_CALIBRATION_TOKENS - 1)[None]
    outputs = model.predictor.histories(tokens)[0]
    return outputs[torch.arange(count) % _CALIBRATION_TOKENS]


def _logits(joint: Joint, frames: Tensor, histories: Tensor) -> Tensor:
    """What the joint gives, (U, V + n), for frames (U, D) and as many histories (U, H)."""
    logits: Tensor = joint(frames[:, None], histories[:, None])[:, 0, 0]
    return logits
