"""An encoder in float32 in; the same one, made to compute in bfloat16, out.

Rules of this file:

1. Weights and what flows between layers are bfloat16. Torch takes sums of products, statistics of
   norms and softmax in float32 all the same.
2. A batch norm becomes its factor and summand first, in float32: a variance in bfloat16 would be
   off by up to half a per cent.
3. Features before it, and joint, prediction network and probabilities after it, stay float32.
"""

from __future__ import annotations

import torch

from parakeet_streaming.torch_model.fastconformer import Encoder, MaskedBatchNorm


def halve(encoder: Encoder) -> None:
    """Changes the encoder, which is in evaluation."""
    for module in encoder.modules():
        if isinstance(module, MaskedBatchNorm):
            _simplify(module)
    encoder.to(torch.bfloat16)


def _simplify(norm: MaskedBatchNorm) -> None:
    """Puts all that a batch norm does into its weight and bias."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    shift = norm.bias - norm.running_mean * scale
    norm.weight.data.copy_(scale)
    norm.bias.data.copy_(shift)
    norm.running_mean.zero_()
    norm.running_var.fill_(1.0 - norm.eps)
