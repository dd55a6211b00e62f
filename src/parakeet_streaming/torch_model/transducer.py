"""Tokens and encoder frames in; logits of tokens and durations out: the transducer, in torch.

A Token-and-Duration Transducer (Xu et al., "Efficient Sequence Transduction by Jointly Predicting
Tokens and Durations", 2023): an LSTM reads the tokens so far, a joint network scores every pair of
an encoder frame and a token history.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import DEFAULT_SYMBOLS
from parakeet_streaming.plain_text import shown
from parakeet_streaming.torch_model.fastconformer import Dropout, Encoder, EncoderConfig
from parakeet_streaming.torch_model.sizes import MOST_DURATIONS, check_part, check_size

_SIZES = ("vocabulary", "predictor_width", "predictor_layers", "joint_width", "max_symbols")


@dataclass(frozen=True, slots=True)
class TransducerConfig:
    """The size of a model, and how it is decoded.

    Raises:
        OptionError: a size out of its bounds, or durations other than 0, 1, 2, ...
    """

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    vocabulary: int = 257
    """V: pieces and, last, the blank."""
    durations: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Frames that each duration logit skips; 0, 1, 2, ..."""
    predictor_width: int = 256
    """H."""
    predictor_layers: int = 1
    """L."""
    joint_width: int = 256
    dropout: float = 0.1
    """Of the prediction network and the joint; training sets one for all."""
    max_symbols: int = DEFAULT_SYMBOLS
    """Tokens after which decoding leaves a frame."""

    def __post_init__(self) -> None:
        for name in _SIZES:
            check_size(name, getattr(self, name))
        check_part("dropout", self.dropout)
        durations = self.durations
        known = isinstance(durations, tuple) and len(durations) <= MOST_DURATIONS
        if not known or durations != tuple(range(len(durations))):
            raise OptionError(
                f"durations are {shown(durations)}; 0, 1, 2, ... are possible, {MOST_DURATIONS} of "
                "them at most"
            )

    @property
    def blank_id(self) -> int:
        return self.vocabulary - 1


class Transducer(nn.Module):
    """Encoder, prediction network and joint; and a CTC head, which only training uses."""

    def __init__(self, config: TransducerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.encoder)
        self.predictor = Predictor(config)
        self.joint = Joint(config)
        self.ctc = nn.Linear(config.encoder.width, config.vocabulary)


class Predictor(nn.Module):
    """The LSTM over tokens; its start symbol is the blank."""

    def __init__(self, config: TransducerConfig) -> None:
        super().__init__()
        self.blank_id = config.blank_id
        self.embedding = nn.Embedding(config.vocabulary, config.predictor_width)
        self.lstm = nn.LSTM(
            config.predictor_width,
            config.predictor_width,
            config.predictor_layers,
            batch_first=True,
            dropout=config.dropout if config.predictor_layers > 1 else 0.0,
        )
        self.dropout = Dropout(config.dropout)

    def forward(self, tokens: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, ...]:
        """Reads tokens (B, n) from states (L, B, H): outputs (B, n, H) and the next states."""
        embedded = self.dropout(self.embedding(tokens))
        outputs, (hidden, cell) = self.lstm(embedded, (hidden, cell))
        return outputs, hidden, cell

    def histories(self, targets: Tensor) -> Tensor:
        """Outputs (B, n + 1, H) after the start symbol and after each of the targets (B, n)."""
        batch = targets.shape[0]
        shape = (self.lstm.num_layers, batch, self.lstm.hidden_size)
        zeros = torch.zeros(shape, device=targets.device)
        start = targets.new_full((batch, 1), self.blank_id)
        outputs: Tensor = self.forward(torch.cat((start, targets), dim=1), zeros, zeros)[0]
        return outputs


class Joint(nn.Module):
    """Frames and token histories to logits."""

    def __init__(self, config: TransducerConfig) -> None:
        super().__init__()
        self.frames = nn.Linear(config.encoder.width, config.joint_width)
        self.histories = nn.Linear(config.predictor_width, config.joint_width)
        self.dropout = Dropout(config.dropout)
        self.out = nn.Linear(config.joint_width, config.vocabulary + len(config.durations))

    def forward(self, frames: Tensor, histories: Tensor) -> Tensor:
        """Raw logits (B, U, n, V + durations) of frames (B, U, D) and histories (B, n, H)."""
        return self.logits(self.frames(frames)[:, :, None], self.histories(histories)[:, None])

    def logits(self, frames: Tensor, histories: Tensor) -> Tensor:
        """Raw logits (..., V + durations) of projected frames and histories (..., J)."""
        logits: Tensor = self.out(self.dropout(functional.relu(frames + histories)))
        return logits
