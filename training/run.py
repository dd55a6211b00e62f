"""A recipe in; the model, its optimizer and counters, kept in one checkpoint, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from parakeet_streaming.errors import ModelFormatError, OptionError
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig
from training.muon import Muon
from training.settings import Optimisation, Recipe


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 itself; where it does not, float32 is far quicker."""
    if device.type != "cpu":
        return True
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


class Run:
    """Model, optimizer and counters."""

    def __init__(
        self, recipe: Recipe, pieces: int, device: torch.device, taught_width: int | None = None
    ) -> None:
        """A model before its first step; `taught_width` is that of a teacher's vectors, if any."""
        torch.manual_seed(recipe.seed)
        if pieces + 1 != recipe.model.vocabulary:
            raise OptionError(
                f"the tokenizer has {pieces} pieces, the model is made for "
                f"{recipe.model.vocabulary - 1}; train the tokenizer again"
            )
        self.recipe = recipe
        self.device = device
        self.bfloat16 = multiplies_bfloat16(device)
        self.model = Transducer(recipe.model).to(device).train()
        self.mean = {name: each.clone() for name, each in self.model.state_dict().items()}
        """Exponential mean of all weights and statistics; this is what is exported."""
        self.pupil: nn.Linear | None = None
        """Predicts a teacher's vectors from the encoder's frames; not exported."""
        if taught_width is not None:
            self.pupil = nn.Linear(recipe.model.encoder.width, taught_width).to(device)
        self.optimizers = _optimizers(self.model, self.pupil, recipe.optimisation, self.bfloat16)
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.step = 0
        self.spent_s = 0.0
        self.audio_s = 0.0
        self.bad_steps = 0
        self.stopped = False
        """Whether it was asked to stop before its end."""

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All that is trained."""
        return [*self.model.parameters(), *(self.pupil.parameters() if self.pupil else ())]

    @property
    def device_name(self) -> str:
        """The device of the training: the name of a GPU, or how many threads of a processor."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"{torch.get_num_threads()} processor cores"

    def save(self, path: Path) -> None:
        """Replaces the checkpoint in one move."""
        partial = path.with_suffix(".partial")
        torch.save(
            {
                "config": asdict(self.recipe.model),
                "model": self.model.state_dict(),
                "mean": self.mean,
                "pupil": self.pupil.state_dict() if self.pupil else None,
                "optimizers": [each.state_dict() for each in self.optimizers],
                "generator": self.generator.get_state(),
                "step": self.step,
                "spent_s": self.spent_s,
                "audio_s": self.audio_s,
            },
            partial,
        )
        partial.replace(path)

    def resume(self, path: Path) -> None:
        """Restores all state from a checkpoint.

        Raises:
            OptionError: one of a run with a teacher where there is none now, or without one.
        """
        saved = read_checkpoint(path)
        self.model.load_state_dict(saved["model"])
        if (self.pupil is None) != (saved.get("pupil") is None):
            raise OptionError(
                f"{path} began {'without' if self.pupil else 'with'} a teacher; go on as it began, "
                "or give another --work"
            )
        if self.pupil:
            self.pupil.load_state_dict(saved["pupil"])
        self.mean = {name: each.to(self.device) for name, each in saved["mean"].items()}
        for optimizer, state in zip(self.optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
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
        """Takes the mean weights of another run's checkpoint or `write_weights`, nothing else."""
        self.model.load_state_dict(read_checkpoint(path)["mean"])
        self.mean = {name: each.clone() for name, each in self.model.state_dict().items()}


def write_weights(checkpoint: Path, path: Path) -> None:
    """Keeps the mean weights of a checkpoint and the model's size: what fine-tuning begins with.

    In float16, which loses far less than a step of training moves.
    """
    saved = read_checkpoint(checkpoint)
    halves = {
        name: each.half() if each.is_floating_point() else each
        for name, each in saved["mean"].items()
    }
    torch.save({"config": saved["config"], "mean": halves}, path)


def write_average(parts: Sequence[tuple[Path, float]], path: Path) -> None:
    """A checkpoint of the weighted mean of other checkpoints' mean weights, to export.

    Runs that began from the same weights mostly lie in one valley, and the mean of two is good at
    what either is good at (Wortsman et al., "Model soups", 2022).

    Raises:
        OptionError: no checkpoints, or weights that do not add up to more than 0.
        ModelFormatError: models of different sizes, or files that are no checkpoints.
    """
    total = sum(weight for _, weight in parts)
    if total <= 0:
        raise OptionError("give --of CHECKPOINT=WEIGHT at least once, with weights above 0")
    read = [(read_checkpoint(each), weight / total) for each, weight in parts]
    sizes = [replace(_config(saved), dropout=0.0) for saved, _ in read]
    if any(each != sizes[0] for each in sizes):
        raise ModelFormatError("the checkpoints are of models of different sizes; give equal ones")
    mean = {
        name: torch.stack([saved["mean"][name].float() * part for saved, part in read]).sum(dim=0)
        if each.is_floating_point()
        else each
        for name, each in read[0][0]["mean"].items()
    }
    torch.save({"config": read[0][0]["config"], "mean": mean}, path)


def read_config(path: Path) -> TransducerConfig:
    """The size of the model in a checkpoint or a file of weights."""
    return _config(read_checkpoint(path))


def _config(saved: dict[str, Any]) -> TransducerConfig:
    """The size in what was read; numbers that an older file lacks are as they were then."""
    config = saved["config"]
    return TransducerConfig(**config | {"encoder": EncoderConfig(**config["encoder"])})


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


def _optimizers(
    model: Transducer, pupil: nn.Linear | None, settings: Optimisation, bfloat16: bool
) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the matrices of the encoder's layers, AdamW for all else.

    Matrices decay; biases and norms do not.
    """
    hidden = [each for each in model.encoder.layers.parameters() if each.ndim == 2]
    rest = {id(each) for each in model.parameters()} - {id(each) for each in hidden}
    others = [each for each in model.parameters() if id(each) in rest]
    others += pupil.parameters() if pupil else ()
    groups = [
        {"params": [each for each in others if each.ndim > 1]},
        {"params": [each for each in others if each.ndim <= 1], "weight_decay": 0.0},
    ]
    rate, decay = settings.peak_rate, settings.weight_decay
    return (
        Muon(hidden, rate, decay, torch.bfloat16 if bfloat16 else torch.float32),
        torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), weight_decay=decay, fused=True),
    )
