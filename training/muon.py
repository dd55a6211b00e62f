"""Gradients of matrices in; updates along their orthogonalised momentum out.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024); updates are scaled
to the size of AdamW's, so that both share a learning rate (Liu et al., "Muon is Scalable for LLM
Training", 2025). PyTorch's own Muon multiplies in bfloat16 whatever the processor: one without
such arithmetic takes a hundred times as long.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

MOMENTUM = 0.95
UPDATE_RMS = 0.2
# The quintic iteration of the first paper.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_QUINTIC_STEPS = 5


class Muon(torch.optim.Optimizer):
    """For the matrices of hidden layers; all else belongs to another optimizer."""

    def __init__(
        self, matrices: Iterable[Tensor], lr: float, weight_decay: float, dtype: torch.dtype
    ) -> None:
        """`dtype` is what the iteration computes in: float32, or bfloat16 where it is quick."""
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})
        self._dtype = dtype

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # torch's takes and returns a closure's loss
        """Moves every matrix that has a gradient."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = {}
            for matrix in group["params"]:
                if matrix.grad is not None:
                    alike.setdefault(matrix.shape, []).append(matrix)
            for shape, matrices in alike.items():
                ahead = torch.stack([self._ahead(matrix) for matrix in matrices])
                updates = orthogonal(ahead.to(self._dtype)).to(matrices[0].dtype)
                torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
                scale = group["lr"] * UPDATE_RMS * max(shape) ** 0.5
                torch._foreach_sub_(matrices, list(updates.unbind()), alpha=scale)

    def _ahead(self, matrix: Tensor) -> Tensor:
        """Nesterov's momentum: the moving mean of gradients, moved by the last one once more."""
        state, gradient = self.state[matrix], matrix.grad
        assert gradient is not None
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(matrix)
        momentum: Tensor = state["momentum"].lerp_(gradient, 1 - MOMENTUM)
        return gradient.lerp(momentum, MOMENTUM)


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices (n, rows, columns) with all singular values brought near 1."""
    wide = matrices.shape[1] <= matrices.shape[2]
    nearing = matrices if wide else matrices.transpose(1, 2)
    nearing = nearing / (nearing.norm(dim=(1, 2), keepdim=True) + 1e-7)
    first, third, fifth = _QUINTIC
    for _ in range(_QUINTIC_STEPS):
        gram = nearing @ nearing.transpose(1, 2)
        polynomial = third * gram + fifth * gram @ gram
        nearing = first * nearing + polynomial @ nearing
    return nearing if wide else nearing.transpose(1, 2)
