"""The control: importances that know nothing of the model."""

import numpy as np

from models.evaluation.explanation.catalog import Method
from models.evaluation.explanation.subject import Doubles, Subject


def importance(subject: Subject, random: np.random.Generator) -> Doubles:
    """(n,) uniform numbers."""
    return random.random(subject.past)


METHOD = Method(title="random order", meaning="the control: knows nothing", signed=False, importance=importance)
