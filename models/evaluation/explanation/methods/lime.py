"""LIME (Ribeiro, Singh & Guestrin 2016) over the presence of tokens, by Captum: a ridge regression around the score.

Each token is kept or masked by a fair coin; samples count by an exponential kernel of their cosine distance to the
whole past.
"""

import numpy as np
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import Lime
from torch import Tensor

from models.evaluation.explanation.catalog import Method
from models.evaluation.explanation.subject import Doubles, Subject

SAMPLES = 256


def importance(subject: Subject, random: np.random.Generator) -> Doubles:
    """(n,) coefficients, in the logit."""
    lime = Lime(
        lambda present: torch.from_numpy(subject.logits(present.numpy() > 0.5)),
        interpretable_model=SkLearnRidge(alpha=1.0),
    )
    with torch.random.fork_rng():
        torch.manual_seed(int(random.integers(2**31)))
        found: Tensor = lime.attribute(
            torch.ones(1, subject.past), n_samples=SAMPLES, perturbations_per_eval=SAMPLES, return_input_shape=False
        )
    return found.flatten().double().numpy()


METHOD = Method(
    title="LIME",
    meaning=f"a ridge regression on {SAMPLES} random deletions (Captum)",
    signed=True,
    importance=importance,
)
