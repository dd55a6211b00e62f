"""A size in; a model of it with random weights on a device out, and a recognizer of it.

It recognises nothing, and costs what a trained one costs: its joint is set so that about as many
frames give tokens as in speech. Weights are made on the device, so nothing is read.
"""

from __future__ import annotations

import copy
import math
import time
from typing import Final

import numpy as np
import torch
from torch import nn

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.boosting.phrases import checked_phrases
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import ContextConfig
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig
from parakeet_streaming.torch_runtime.mel import LogMel, normalised
from parakeet_streaming.torch_runtime.transducer import TorchTransducer

TOKENS_PER_VISIT: Final = 0.65
"""Share of the visited frames that give a token: 3 to 4 a second with mixed durations."""
SECONDS: Final = 60

FULL: Final = TransducerConfig(
    EncoderConfig(
        mel_bins=128,
        subsampling_channels=256,
        width=1024,
        layers=24,
        heads=8,
        feed_forward=4,
        kernel=9,
        bias=False,
    ),
    vocabulary=8193,
    predictor_width=640,
    predictor_layers=2,
    joint_width=640,
)
"""Parakeet TDT 0.6B v3."""
SMALL: Final = TransducerConfig(
    EncoderConfig(mel_bins=128, subsampling_channels=8, width=32, layers=2, heads=2, bias=False),
    vocabulary=65,
    predictor_width=16,
    joint_width=24,
)
"""To try the program out."""


def boosted(first: int = 0, boost: float = 1.0) -> Boosting:
    """Forty phrases of three pieces, of a vocabulary whose pieces are numbers.

    Args:
        first: piece of the first phrase; each begins with the next one.
        boost: how strongly.
    """
    texts = [f"{each} {each + 1} {each + 2}" for each in range(first, first + 40)]
    return Boosting(checked_phrases(texts), boost)


class Numbered:
    """A vocabulary whose pieces are numbers."""

    def __init__(self, size: int) -> None:
        self.size = size

    def text_of(self, token_id: int) -> str:
        return f" {token_id}"


def sound(seconds: float = SECONDS, seed: int = 0) -> Floats:
    """Noise whose loudness changes as that of speech, (n,) at 16 kHz."""
    random = np.random.default_rng(seed)
    count = int(seconds * 16_000)
    loudness = np.repeat(random.uniform(0.001, 0.3, count // 1600 + 1), 1600)[:count]
    noise: Floats = (random.standard_normal(count) * loudness).astype(np.float32)
    return noise


def random_model(config: TransducerConfig, device: torch.device) -> Transducer:
    """The networks, in evaluation."""
    torch.manual_seed(0)
    with torch.device(device):
        model = Transducer(config).eval()
    with torch.no_grad():
        for module in (model.predictor, model.joint):
            for values in module.parameters():
                if values.dim() > 1:
                    nn.init.normal_(values, std=1 / math.sqrt(values.shape[1]))
        nn.init.normal_(model.predictor.embedding.weight)
        _set_joint(model, device)
    return model


def _set_joint(model: Transducer, device: torch.device) -> None:
    """Sets the joint on frames of sound, as `benchmarks/models/random_model.py` does."""
    samples = torch.from_numpy(sound(15)).to(device)[None]
    sizes = torch.tensor([samples.shape[1]], device=device)
    raw = LogMel(model.config.encoder.mel_bins, device).raw(samples, sizes)
    counts = torch.tensor([raw.shape[1]], device=device)
    frames = model.encoder(normalised(raw, counts, counts).transpose(1, 2), counts)[0][0]
    joint, blank, stay = model.joint, model.config.blank_id, model.config.vocabulary
    joint.frames.weight.div_(frames.std(dim=0) + 1e-6)
    joint.frames.bias.copy_(-(joint.frames.weight @ frames.mean(dim=0)))
    joint.out.bias.zero_()
    tokens = torch.arange(7, device=device)[None]
    histories = model.predictor.histories(tokens)[0]
    histories = histories[torch.arange(len(frames), device=device) % 8]
    logits = joint.logits(joint.frames(frames), joint.histories(histories))
    bias = -logits.mean(dim=0)
    scores = logits[:, :stay] + bias[:stay]
    lead = scores[:, :blank].amax(dim=1) - scores[:, blank]
    bias[blank] += torch.quantile(lead, 1 - TOKENS_PER_VISIT)
    bias[stay] -= 2 * logits[:, stay].std()
    joint.out.bias.copy_(bias)


def recognizer_of(
    model: Transducer, device: torch.device, *, bfloat16: bool, graphs: bool = False
) -> Recognizer:
    """A recognizer; in bfloat16 it has a copy of the networks.

    `graphs`: whether `make_ready` makes steps of fixed shapes ready, captured where there is a GPU.
    """
    networks = copy.deepcopy(model) if bfloat16 else model
    transducer = TorchTransducer(networks, device, bfloat16=bfloat16, fixed_shapes=graphs)
    return Recognizer(transducer, Numbered(model.config.vocabulary), name="random")


def make_ready(
    recognizer: Recognizer, context: ContextConfig, rows: int, streams: int, *, cached: bool
) -> float:
    """Makes steps of up to so many rows ready for so many streams; the seconds that it took."""
    model = recognizer.snapshots.transducer
    assert isinstance(model, TorchTransducer)
    began_s = time.perf_counter()
    for _ in model.prepare_steps([context], most_rows=rows, most_streams=streams, cached=cached):
        pass
    return time.perf_counter() - began_s
