"""The events that ways which train may learn from: those of training and validation people."""

from dataclasses import replace

import numpy as np

from infra.contracts.draws import Purpose, uniform
from infra.contracts.errors import BadInput
from models.training.dataset import Dataset
from models.training.finetuning.fit import needed
from models.training.split import Role


def learnable(dataset: Dataset, context: int, share: float, seed: int) -> Dataset:
    """The rows of `dataset` that train or validate, with the past that they depend on; nobody who tests.

    context: tokens of past that a score depends on, its own included. share: of the people, whose labels are used; who
    is a hash of `seed` and their pseudonym. Raises BadInput where a head is left with one class, or no label.
    """
    known = dataset.known
    if share < 1:
        drawn = uniform(seed, int(Purpose.SPLIT), dataset.person, 4, 0)
        known = known & (drawn < share)[:, None]
    lean = needed(replace(dataset, known=known), context)
    counted = lean.known & (lean.role == Role.TRAIN)[:, None]
    for index, head in enumerate(dataset.heads):
        labels = lean.value[counted[:, index], index]
        if len(np.unique(labels)) < 2:
            raise BadInput(
                f"the labels of '{head}' of a share of {share:g} of the people have one class: --people more"
            )
    return lean
