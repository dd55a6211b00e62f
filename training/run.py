"""A recipe in; the model, its optimizer and counters, kept in one checkpoint, out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from parakeet_streaming.errors import ModelFormatError, OptionError
from parakeet_streaming.export.transducer import Transducer
from training.settings import Recipe


class Run:
    """Model, optimizer and counters."""

    def __init__(self, recipe: Recipe, pieces: int, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        if pieces + 1 != recipe.model.vocabulary:
            raise OptionError(
                f"the tokenizer has {pieces} pieces, the model is made for "
                f"{recipe.model.vocabulary - 1}; train the tokenizer again"
            )
        self.recipe = recipe
        self.device = device
        self.model = Transducer(recipe.model).to(device).train()
        self.mean = {name: each.clone() for name, each in self.model.state_dict().items()}
        """Exponential mean of all weights and statistics; this is what is exported."""
        self.optimizer = torch.optim.AdamW(
            _weight_groups(self.model, recipe.optimisation.weight_decay),
            lr=recipe.optimisation.peak_rate,
            betas=(0.9, 0.98),
            fused=True,
        )
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.step = 0
        self.spent_s = 0.0
        self.audio_s = 0.0
        self.bad_steps = 0
        self.stopped = False
        """Whether it was asked to stop before its end."""

    def save(self, path: Path) -> None:
        """Replaces the checkpoint in one move."""
        partial = path.with_suffix(".partial")
        torch.save(
            {
                "model": self.model.state_dict(),
                "mean": self.mean,
                "optimizer": self.optimizer.state_dict(),
                "generator": self.generator.get_state(),
                "step": self.step,
                "spent_s": self.spent_s,
                "audio_s": self.audio_s,
            },
            partial,
        )
        partial.replace(path)

    def resume(self, path: Path) -> None:
        """Takes everything from a checkpoint."""
        saved = read_checkpoint(path)
        self.model.load_state_dict(saved["model"])
        self.mean = {name: each.to(self.device) for name, each in saved["mean"].items()}
        self.optimizer.load_state_dict(saved["optimizer"])
        self.generator.set_state(saved["generator"])
        self.step, self.spent_s = saved["step"], saved["spent_s"]
        self.audio_s = saved["audio_s"]

    @torch.no_grad()
    def follow(self) -> None:
        """Moves the mean of the weights towards the weights; early on, faster."""
        decay = min(self.recipe.optimisation.ema_decay, (1 + self.step) / (10 + self.step))
        state = self.model.state_dict()
        moving = [name for name, each in state.items() if each.is_floating_point()]
        torch._foreach_lerp_(
            [self.mean[name] for name in moving], [state[name] for name in moving], 1 - decay
        )

    def begin_from(self, path: Path) -> None:
        """Takes the mean weights of another run's checkpoint, nothing else."""
        self.model.load_state_dict(read_checkpoint(path)["mean"])
        self.mean = {name: each.clone() for name, each in self.model.state_dict().items()}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What `Run.save` wrote, on the processor.

    Raises:
        ModelFormatError: a file that is no checkpoint.
    """
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        raise ModelFormatError(f"{path} is no checkpoint of this recipe: {error}") from error
    return saved


def _weight_groups(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Matrices decay; biases, norms and embeddings of positions do not."""
    matrices = [each for each in model.parameters() if each.ndim > 1]
    vectors = [each for each in model.parameters() if each.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
