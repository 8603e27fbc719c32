"""How one worker finds its place among several: rank, device, and shared gradients."""

import torch
from torch import nn

from models.training.loop import Place


def place_of_worker() -> Place:
    """The place of the Ray Train worker that this process is. Must be called inside a training function."""
    from ray import train  # noqa: PLC0415  heavy: only where Ray is used
    from ray.train.torch import get_device  # noqa: PLC0415

    context = train.get_context()
    workers = int(context.get_world_size())
    device = get_device()
    if workers == 1:
        return Place(device=device)
    return Place(rank=int(context.get_world_rank()), workers=workers, device=device, wrap=_shared_gradients, mean=_mean)


def _shared_gradients(module: nn.Module) -> nn.Module:
    """The same module, with its gradients averaged over workers at each step."""
    return nn.parallel.DistributedDataParallel(module)


def _mean(number: float) -> float:
    total = torch.tensor([number], dtype=torch.float64)
    torch.distributed.all_reduce(total)
    return float(total[0]) / torch.distributed.get_world_size()
