"""A second control: the latest tokens first. It knows nothing of the model, but that what is recent tends to matter."""

import numpy as np

from models.evaluation.explanation.catalog import Method
from models.evaluation.explanation.subject import Doubles, Subject


def importance(subject: Subject, _: np.random.Generator) -> Doubles:
    """(n,) places in the sequence."""
    return np.arange(subject.past, dtype=np.float64)


METHOD = Method(
    title="latest first", meaning="a control: knows the order of events alone", signed=False, importance=importance
)
