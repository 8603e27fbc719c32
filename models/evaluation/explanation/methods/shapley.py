"""Shapley values by sampled permutations (Castro, Gómez & Tejada 2009), by Captum: SHAP over the presence of tokens.

A token's importance is the mean change of the logit when it joins those before it in a random order, absent tokens
masked. The sum is exactly the logit with the whole past less that without it. KernelSHAP estimates the same values by
a regression; with some sixty tokens and a few hundred evaluations it has hardly more equations than unknowns.
"""

import numpy as np
import torch
from captum.attr import ShapleyValueSampling
from torch import Tensor

from models.evaluation.explanation.catalog import Method
from models.evaluation.explanation.subject import Doubles, Subject

PERMUTATIONS = 8


def importance(subject: Subject, random: np.random.Generator) -> Doubles:
    """(n,) in the logit."""
    sampling = ShapleyValueSampling(lambda present: torch.from_numpy(subject.logits(present.numpy() > 0.5)))
    with torch.random.fork_rng():
        torch.manual_seed(int(random.integers(2**31)))
        found: Tensor = sampling.attribute(
            torch.ones(1, subject.past), n_samples=PERMUTATIONS, perturbations_per_eval=subject.past
        )
    return found[0].double().numpy()


def gap(subject: Subject, importances: Doubles) -> float:
    """What the importances add up to, less the difference that the past makes."""
    whole, none = subject.ends()
    return float(importances.sum()) - (whole - none)


METHOD = Method(
    title="Shapley values",
    meaning=f"mean change when a token joins others in {PERMUTATIONS} random orders (SHAP, by Captum)",
    signed=True,
    importance=importance,
    gap=gap,
)
