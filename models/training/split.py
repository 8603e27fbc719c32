"""Who and what trains, validates and tests.

By person: a hash of the pseudonym and the seed puts 70% of the people in training, 10% in validation, 20% in the test
(shares by config). Everything of a test person is test: unseen people. By time: events of training people after a cut
(the `time_share` quantile of all events' times) validate too, so that early stopping also looks at later behaviour of
known people. A training event whose label looks past the cut carries no loss (role NONE), else later outcomes would
leak into training.

By label, with another hash: of a `label_share` of the people that train and validate the labels are known. Shares are
nested: the people of 1% are among those of 10%. What the others do trains as UNLABELLED, and validates nothing.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from infra.contracts.draws import Purpose, uniform
from infra.contracts.split import PeopleSplit
from models.attention.heads.lapse import WINDOW_US
from models.training.settings import TrainingConfig


class Role(IntEnum):
    """What an event is used for; NONE is context only, UNLABELLED would train if its label were known."""

    NONE = 0
    TRAIN = 1
    VALIDATION = 2
    TEST = 3
    UNLABELLED = 4


def roles(
    person: npt.NDArray[np.uint64], occurred_at: npt.NDArray[np.int64], config: TrainingConfig
) -> npt.NDArray[np.int8]:
    """(n,) the role of each event of `person` (n,) at `occurred_at` (n,) µs."""
    split = PeopleSplit(seed=config.seed, train_share=config.train_share, validation_share=config.validation_share)
    role = np.where(split.unseen(person), Role.TEST, Role.VALIDATION).astype(np.int8)
    training = split.draw(person) < config.train_share
    cut = int(np.quantile(occurred_at, config.time_share)) if len(person) else 0
    looks_ahead = max(config.horizon_us or 0, WINDOW_US)
    role[training] = Role.VALIDATION
    role[training & (occurred_at <= cut)] = Role.NONE
    role[training & (occurred_at <= cut - looks_ahead)] = Role.TRAIN
    hidden = ~labelled(person, config)
    role[hidden & (role == Role.TRAIN)] = Role.UNLABELLED
    role[hidden & (role == Role.VALIDATION)] = Role.NONE
    return role


def labelled(person: npt.NDArray[np.uint64], config: TrainingConfig) -> npt.NDArray[np.bool_]:
    """(n,) whose labels may be looked at in training and validation; the test has all of its own."""
    known: npt.NDArray[np.bool_] = uniform(config.start_seed, int(Purpose.LABELLED), person, 0, 0) < config.label_share
    return known
