"""Relative biases: the time bias, a learned number per attention head for each log-bucket of the time between two
tokens, and where it and the order bias start.

Buckets are read off the bits of a float32, so they are exact, fast, and the same on every machine.
"""

import math

import torch
from torch import Tensor

TIME_BUCKETS = 44
"""Two buckets an octave of (1 + time in units of 2^20 µs): the last one starts at about 25 days."""
HIDDEN = TIME_BUCKETS
"""Bucket of pairs that must not see each other."""

HIDDEN_BIAS = -1e9
"""What is added to the logit of such a pair: its weight becomes exactly 0."""


def time_bucket(difference_us: Tensor) -> Tensor:
    """int32 bucket of each time difference (int64 µs; negative counts as 0), shape as given.

    The upper 10 bits below the sign of a float32 are its exponent and the first bit of its fraction: for x >= 1
    they count half octaves.
    """
    seconds = difference_us.clamp(min=0).to(torch.float32) * 2.0**-20
    half_octaves = ((seconds + 1).view(torch.int32) >> 22) - (127 << 1)
    return half_octaves.clamp_(max=TIME_BUCKETS - 1)


class LookUp(torch.autograd.Function):
    """table (H, TIME_BUCKETS), bucket (N, S, K) -> bias (H, N, S, K); HIDDEN gives a bias that hides the pair.

    The gradient is a weighted count per bucket: torch's own scatter is several times slower on a CPU.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, table_hb: Tensor, bucket_nsk: Tensor) -> Tensor:
        """The bias of each pair."""
        ctx.save_for_backward(bucket_nsk)
        hidden_h1 = table_hb.new_full((table_hb.shape[0], 1), HIDDEN_BIAS)
        table = torch.cat([table_hb, hidden_h1], dim=1)
        bias = torch.index_select(table, 1, bucket_nsk.reshape(-1))
        return bias.view(table.shape[0], *bucket_nsk.shape)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        """Gradient of the table; buckets have none."""
        (bucket_nsk,) = ctx.saved_tensors  # type: ignore[attr-defined]  # set by save_for_backward
        (gradient_hnsk,) = gradients
        flat = bucket_nsk.reshape(-1)
        counts = [torch.bincount(flat, row.reshape(-1), TIME_BUCKETS + 1) for row in gradient_hnsk]
        return torch.stack(counts)[:, :TIME_BUCKETS].to(gradient_hnsk.dtype), None


def forgetting(heads: int) -> Tensor:
    """(H, TIME_BUCKETS) where the time bias starts: head 0 forgets nothing, the others by an exponential of the time
    between two tokens with constants of an hour, a quarter of it, and so on, down to a weight of e^-6.
    """
    seconds = 2.0 ** ((torch.arange(TIME_BUCKETS) + 0.5) / 2) - 1
    constant = torch.tensor([math.inf, *(3600.0 / 4**head for head in range(heads - 1))])[:heads]
    return -(seconds / constant[:, None]).clamp(max=6)


def recency(heads: int, window: int) -> Tensor:
    """(H, W) where the order bias starts: 0, then ever steeper slopes, so that heads begin as averages of all W
    tokens down to the last few (slopes 2^(1-h), as Press, Smith & Lewis 2022 fix them; here they are learned).
    """
    slope = torch.tensor([0.0, *(2.0 ** (1 - head) for head in range(1, heads))])[:heads]
    return -slope[:, None] * torch.arange(window)
