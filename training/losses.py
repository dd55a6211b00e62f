"""Logits of a transducer, or of a CTC head, and targets in; a loss with its own gradient out.

The TDT loss (Xu et al., 2023) sums over all paths through a lattice of nodes (t, n): t frames
passed, n tokens emitted. From a node before the last frame,

```
(t, n) ── blank, duration d ≥ 1 ──→ (t + d, n)          up to (T, N), where every path ends
(t, n) ── token n, duration d ≥ 0 ──→ (t + d, n + 1)    as long as t + d < T
```

and an arc's score is that of its token plus that of its duration. Without durations it is the RNN-T
loss: a blank passes one frame, a token none.

Rules of this file:

1. All nodes of one anti-diagonal t + n are computed together: arcs only lead to later ones. Rows of
   a batch and both directions never wait for each other.
2. Only a node's blank, its next token and its durations are kept in float32. The gradient is
   written some rows at a time into a tensor of the logits' own type: softmax times the
   probability of passing through the node, minus the probability of each arc.
3. Lengths beyond the tensors, or of no frame, are the caller's error and not checked here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx
from torch.nn import functional

# Log of nothing; finite, so that differences of two of them are no NaN.
NEVER = -1e30
_GPU_VALUES_AT_ONCE = 1 << 28
"""Logits of as many rows as hold no more values than this are taken together on a GPU, where many
small calls cost more than memory; on a processor it is one row, which stays in the cache.
"""


def tdt_loss(
    logits: Tensor,
    targets: Tensor,
    frame_lengths: Tensor,
    target_lengths: Tensor,
    durations: int,
    sigma: float = 0.0,
) -> Tensor:
    """Negative log-likelihood (B,) of each row's targets.

    Args:
        logits: (B, T, N + 1, V + durations) raw, float or bfloat16; the blank is token V - 1.
        targets: (B, N) integer; values after a row's length are not tokens.
        frame_lengths: (B,), at least 1.
        target_lengths: (B,), from 0.
        durations: how many of the logits are durations of 0, 1, ... frames; 0 for RNN-T.
        sigma: how much each token's log-probability is lowered, which favours long durations.
    """
    loss: Tensor = _Transducer.apply(  # type: ignore[no-untyped-call]  # torch's own
        logits, targets, frame_lengths, target_lengths, durations, sigma
    )
    return loss


def ctc_loss(
    logits: Tensor, targets: Tensor, frame_lengths: Tensor, target_lengths: Tensor
) -> Tensor:
    """Negative log-likelihood (B,) by CTC of logits (B, T, V); 0 where a row has too few frames."""
    scores = logits.float().log_softmax(dim=-1).transpose(0, 1)
    return functional.ctc_loss(
        scores,
        targets,
        frame_lengths,
        target_lengths,
        blank=logits.shape[-1] - 1,
        reduction="none",
        zero_infinity=True,
    )


@dataclass(frozen=True)
class _Arcs:
    """Scores of arcs by the node they leave, (B, T, N + 1, steps); NEVER where there is none."""

    blank: Tensor
    """Of durations 1, 2, ..."""
    token: Tensor
    """Of durations 0, 1, ..."""


class _Transducer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        logits: Tensor,
        targets: Tensor,
        frame_lengths: Tensor,
        target_lengths: Tensor,
        durations: int,
        sigma: float,
    ) -> Tensor:
        kept = torch.float64 if logits.dtype == torch.float64 else torch.float32
        tokens = logits.shape[-1] - durations
        token_sums = _log_sums(logits[..., :tokens], kept)
        labels = functional.pad(targets, (0, 1)).clamp(0, tokens - 1).long()
        blank = logits[..., tokens - 1].to(kept) - token_sums - sigma
        index = labels[:, None, :, None].expand(-1, logits.shape[1], -1, 1)
        token = logits.gather(3, index)[..., 0].to(kept) - token_sums - sigma
        lasting = logits[..., tokens:].to(kept).log_softmax(dim=-1)
        arcs = _arcs(blank, token, lasting, frame_lengths, target_lengths)
        forward = _forward_scores(arcs)
        rows = torch.arange(logits.shape[0], device=logits.device)
        total = forward[rows, frame_lengths, target_lengths]
        ctx.save_for_backward(
            logits, labels, token_sums, lasting, arcs.blank, arcs.token, forward, total,
            frame_lengths, target_lengths,
        )  # fmt: skip
        return -total

    @staticmethod
    def backward(ctx: BackwardCFunction, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (logits, labels, token_sums, lasting, blank, token, forward, total, frames, targets) = (
            ctx.saved_tensors
        )
        backward = _backward_scores(_Arcs(blank, token), frames, targets)
        reached = forward[:, :-1] - total[:, None, None]
        blank = _probabilities(blank, reached, backward, first=1, tokens=0)
        token = _probabilities(token, reached, backward, first=0, tokens=1)
        factor = gradients[0][:, None, None].to(blank.dtype)
        grad = _logit_gradient(
            logits,
            labels,
            token_sums,
            lasting,
            blank * factor[..., None],
            token * factor[..., None],
        )
        return grad, None, None, None, None, None


def _some_rows(logits: Tensor) -> Iterator[slice]:
    """The rows of a batch, some at a time, so that no second copy of all logits is held."""
    rows = 1 if logits.device.type == "cpu" else max(1, _GPU_VALUES_AT_ONCE // logits[0].numel())
    for first in range(0, logits.shape[0], rows):
        yield slice(first, first + rows)


def _log_sums(logits: Tensor, kept: torch.dtype) -> Tensor:
    """Log-sum-exp over the last axis."""
    return torch.cat([logits[some].to(kept).logsumexp(dim=-1) for some in _some_rows(logits)])


def _arcs(
    blank: Tensor, token: Tensor, lasting: Tensor, frame_lengths: Tensor, target_lengths: Tensor
) -> _Arcs:
    """Scores of all arcs of scores (B, T, N + 1) of blank and next token and of durations."""
    frames, nodes = blank.shape[1], blank.shape[2]
    time = torch.arange(frames, device=blank.device)[None, :, None, None]
    count = torch.arange(nodes, device=blank.device)[None, None, :, None]
    end = frame_lengths[:, None, None, None]
    last = target_lengths[:, None, None, None]
    if lasting.shape[-1]:
        blanks, tokens = blank[..., None] + lasting[..., 1:], token[..., None] + lasting
    else:
        blanks, tokens = blank[..., None], token[..., None]
    passed = time + 1 + torch.arange(blanks.shape[-1], device=blank.device)
    may_blank = (passed < end) & (count <= last) | (passed == end) & (count == last)
    passed = time + torch.arange(tokens.shape[-1], device=blank.device)
    may_speak = (passed < end) & (count < last)
    return _Arcs(blanks.masked_fill(~may_blank, NEVER), tokens.masked_fill(~may_speak, NEVER))


def _skewed(values: Tensor, fill: float) -> Tensor:
    """(B, T, N, ...) by node as (T + N - 1, B, N, ...) by anti-diagonal: [t + n, b, n]."""
    batch, frames, nodes = values.shape[:3]
    skewed = values.new_full((frames + nodes, batch, nodes, *values.shape[3:]), fill)
    for node in range(nodes):
        skewed[node : node + frames, :, node] = values[:, :, node].transpose(0, 1)
    return skewed[:-1]


def _straight(skewed: Tensor, frames: int) -> Tensor:
    """The inverse of `_skewed`: (B, frames, N)."""
    columns = [skewed[n : n + frames, :, n] for n in range(skewed.shape[2])]
    return torch.stack(columns, dim=-1).transpose(0, 1)


def _forward_scores(arcs: _Arcs) -> Tensor:
    """Log of the sum over all paths from the start to each node, (B, T + 1, N + 1)."""
    batch, frames, nodes, blanks = arcs.blank.shape
    tokens = arcs.token.shape[3]
    blank = _skewed(functional.pad(arcs.blank, (0, 0, 0, 0, 0, 1), value=NEVER), NEVER)
    token = _skewed(functional.pad(arcs.token, (0, 0, 0, 0, 0, 1), value=NEVER), NEVER)
    diagonals = blank.shape[0]
    # Arcs by the node that they reach: [diagonal, arc, b, n]; below, by the node they come from.
    arriving = blank.new_full((diagonals, blanks + tokens, batch, nodes), NEVER)
    for step in range(blanks):
        arriving[step + 1 :, step] = blank[: diagonals - step - 1, ..., step]
    for step in range(tokens):
        arriving[step + 1 :, blanks + step, :, 1:] = token[: diagonals - step - 1, :, :-1, step]
    before = max(blanks, tokens)
    scores = blank.new_full((before + diagonals, batch, 1 + nodes), NEVER)
    scores[before, :, 1] = 0.0
    for diagonal in range(1, diagonals):
        row = before + diagonal
        passed = scores[row - blanks : row, :, 1:].flip(0)
        spoken = scores[row - tokens : row, :, :-1].flip(0)
        scores[row, :, 1:] = (torch.cat((passed, spoken)) + arriving[diagonal]).logsumexp(dim=0)
    return _straight(scores[before:, :, 1:], frames + 1)


def _backward_scores(arcs: _Arcs, frame_lengths: Tensor, target_lengths: Tensor) -> Tensor:
    """Log of the sum over all paths from each node to the end, (B, T + 1, N + 1)."""
    batch, frames, nodes, blanks = arcs.blank.shape
    tokens = arcs.token.shape[3]
    leaving = torch.cat((arcs.blank, arcs.token), dim=3)
    leaving = _skewed(functional.pad(leaving, (0, 0, 0, 0, 0, 1), value=NEVER), NEVER)
    leaving = leaving.permute(0, 3, 1, 2).contiguous()
    diagonals = leaving.shape[0]
    ends = leaving.new_full((batch, frames + 1, nodes), NEVER)
    ends[torch.arange(batch, device=ends.device), frame_lengths, target_lengths] = 0.0
    ends = _skewed(ends, NEVER)
    after = max(blanks, tokens)
    scores = leaving.new_full((diagonals + after, batch, nodes + 1), NEVER)
    for diagonal in range(diagonals - 1, -1, -1):
        passed = scores[diagonal + 1 : diagonal + 1 + blanks, :, :-1]
        spoken = scores[diagonal + 1 : diagonal + 1 + tokens, :, 1:]
        onward = (torch.cat((passed, spoken)) + leaving[diagonal]).logsumexp(dim=0)
        scores[diagonal, :, :-1] = torch.maximum(onward, ends[diagonal])
    return _straight(scores[:diagonals, :, :-1], frames + 1)


def _probabilities(
    arcs: Tensor, reached: Tensor, backward: Tensor, first: int, tokens: int
) -> Tensor:
    """Probability (B, T, N + 1, steps) that a path takes each arc.

    Args:
        arcs: scores by the node they leave, (B, T, N + 1, steps).
        reached: forward scores minus the total, (B, T, N + 1).
        backward: backward scores, (B, T + 1, N + 1).
        first: duration of the first of the steps.
        tokens: tokens that an arc adds.
    """
    frames, steps = arcs.shape[1], arcs.shape[3]
    onward = functional.pad(backward, (0, tokens, 0, first + steps), value=NEVER)
    onward = onward[:, :, tokens:]
    shifted = [onward[:, first + step : first + step + frames] for step in range(steps)]
    return (arcs + reached[..., None] + torch.stack(shifted, dim=-1)).exp()


def _logit_gradient(
    logits: Tensor,
    labels: Tensor,
    token_sums: Tensor,
    lasting: Tensor,
    blank: Tensor,
    token: Tensor,
) -> Tensor:
    """Gradient of the loss in the logits, from the probabilities of arcs."""
    tokens = logits.shape[-1] - lasting.shape[-1]
    by_blank, by_token = blank.sum(dim=-1), token.sum(dim=-1)
    through = by_blank + by_token
    grad = torch.empty_like(logits)
    for some in _some_rows(logits):
        soft = (
            logits[some, ..., :tokens].to(token_sums.dtype) - token_sums[some, ..., None]
        ).exp_()
        soft *= through[some, ..., None]
        soft[..., tokens - 1] -= by_blank[some]
        index = labels[some, None, :, None].expand(-1, logits.shape[1], -1, 1)
        soft.scatter_add_(3, index, -by_token[some, ..., None])
        grad[some, ..., :tokens] = soft
    if lasting.shape[-1]:
        lasted = token.clone()
        lasted[..., 1:] += blank
        grad[..., tokens:] = lasting.exp() * through[..., None] - lasted
    return grad
