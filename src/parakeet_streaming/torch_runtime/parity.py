"""Networks and the graphs that they were read from in; nothing out: refuses those that differ.

Rules of this file:

1. Both hear the same two seconds, and score the same frames after the same tokens.
2. Where weights are stored in fewer bits, graphs round activations too, and the networks do not:
   they differ by what rounding costs. A weight in a wrong place differs by much more.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import torch
from torch import Tensor

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.model.features import log_mel
from parakeet_streaming.model.numpy_networks import DecoderJoint
from parakeet_streaming.model.transducer import FrameEncoder
from parakeet_streaming.ports import EncoderInput, Floats
from parakeet_streaming.timeline import SAMPLE_RATE_HZ
from parakeet_streaming.torch_model.transducer import Transducer

EXACT: Final = 2e-4
"""Of the deviation of the graphs' answers: in float32 two runtimes differ by about 1e-6."""
ROUNDED: Final = 0.1
"""The same where activations are rounded: the built-in model differs by 0.012."""

_SECONDS: Final = 2
_TOKENS: Final = (0, 1, 2)


def require_parity(
    model: Transducer, encoder: FrameEncoder, decoder: DecoderJoint, *, rounded: bool, origin: str
) -> None:
    """Refuses networks that do not compute what the graphs do.

    Args:
        model: in evaluation, on the processor.
        encoder: the encoder's graph.
        decoder: the graphs of prediction network and joint.
        rounded: whether those round.
        origin: what messages call the model.

    Raises:
        ModelFormatError: they differ.
    """
    sound = _sound()
    with torch.inference_mode():
        (frames,) = _numpy_frames(encoder, sound)
        features = torch.from_numpy(log_mel(sound, model.config.encoder.mel_bins))[None]
        found, _ = model.encoder(features, torch.tensor([features.shape[2]]))
        parts = {"the encoder": (found[0].numpy(), frames)} | _decoder(model, decoder, frames)
    most = ROUNDED if rounded else EXACT
    for part, (ours, theirs) in parts.items():
        apart = _apart(ours, theirs)
        if not apart <= most:
            raise ModelFormatError(
                f"{origin}: {part} answers otherwise in torch than in its own graph (by "
                f"{apart:.2g} of its deviation; {most:g} is allowed), so it is no network that is "
                "known here; use the runtime onnxruntime, or the model's own weights"
            )


def _numpy_frames(encoder: FrameEncoder, sound: Floats) -> list[Floats]:
    frames = encoder.encode([EncoderInput(sound)]).frames
    assert isinstance(frames, list)
    return frames


def _decoder(
    model: Transducer, decoder: DecoderJoint, frames: Floats
) -> dict[str, tuple[Floats, Floats]]:
    """States and logits after the start symbol and a few tokens, ours and theirs."""
    output, hidden, cell = decoder.start()
    ours: Tensor = torch.zeros(hidden.shape)
    state = (ours, torch.zeros(cell.shape))
    answers: list[tuple[Floats, Floats]] = []
    states: list[tuple[Floats, Floats]] = []
    heard = torch.from_numpy(frames)[None]
    for token in (model.config.blank_id, *_TOKENS):
        histories, *after = model.predictor(torch.tensor([[token]]), *state)
        state = (after[0], after[1])
        if token != model.config.blank_id:
            output, hidden, cell = decoder.advance([token], hidden, cell)
        tokens, durations = decoder.score(frames[None], output)
        theirs = tokens if durations is None else np.concatenate((tokens, durations), axis=-1)
        answers.append((model.joint(heard, histories)[0, :, 0].numpy(), theirs[0]))
        states += [(state[0].numpy(), hidden), (state[1].numpy(), cell)]
    return {
        name: (
            np.concatenate([a.ravel() for a, _ in each]),
            np.concatenate([b.ravel() for _, b in each]),
        )
        for name, each in (("the prediction network", states), ("the joint", answers))
    }


def _apart(ours: Floats, theirs: Floats) -> float:
    """The root of the mean square of the difference, in deviations of `theirs`."""
    if ours.shape != theirs.shape:
        return math.inf
    deviation = float(theirs.std()) or 1.0
    return math.sqrt(float(np.square(ours - theirs).mean())) / deviation


def _sound() -> Floats:
    """Noise that grows and fades, (n,) at 16 kHz."""
    random = np.random.default_rng(0)
    count = _SECONDS * SAMPLE_RATE_HZ
    loudness = 0.1 * np.abs(np.sin(np.arange(count) * (3 * np.pi / count)))
    sound: Floats = (random.standard_normal(count) * loudness).astype(np.float32)
    return sound
