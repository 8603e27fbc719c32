"""How fast several forward passes are, beside each other: one thread, the same batches, round by round in turn.

Shape legend: K rounds.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from models.evaluation.resampling import figure

RESAMPLES: Final = 1_000
ROUNDS: Final = 15
TOKENS: Final = 16_384
"""Padded tokens that one round gives to each forward pass, at least one batch."""
Inputs = tuple[Tensor, ...]
ForwardPass = Callable[..., Tensor]


@dataclass(frozen=True)
class Rates:
    """Real tokens per second of each forward pass in each round, by name: (K,)."""

    of: dict[str, list[float]]

    def median(self, name: str) -> float:
        """Of one forward pass."""
        return statistics.median(self.of[name])

    def ratio(self, name: str, base: str, seed: int) -> dict[str, Any]:
        """The median over rounds of its rate over that of `base` in the same round, with a 95% interval (rounds drawn
        anew).
        """
        ratios = np.array(self.of[name]) / np.array(self.of[base])
        drawn = np.random.default_rng(seed).integers(len(ratios), size=(RESAMPLES, len(ratios)))
        resamples = np.asarray(np.median(ratios[drawn], axis=1), dtype=np.float64)
        return figure(float(np.median(ratios)), resamples).as_dict()


def measure(passes: Mapping[str, ForwardPass], inputs: list[Inputs], rounds: int = ROUNDS) -> Rates:
    """Rates of `passes` over `inputs`, (kind, features, item, time_us, mask) each; sets torch to one thread.

    The first round warms up and does not count; the order turns by one in each, so that nobody always comes first.
    """
    torch.set_num_threads(1)
    tokens = sum(int(each[-1].sum()) for each in inputs)
    names, found = list(passes), Rates({name: [] for name in passes})
    with torch.inference_mode():
        for number in range(rounds + 1):
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                began = time.perf_counter()
                for each in inputs:
                    passes[name](*each)
                if number:
                    found.of[name].append(tokens / (time.perf_counter() - began))
    return found
