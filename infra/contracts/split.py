"""Which people a model is trained on: a function of a seed and of who they are, so that everybody agrees on it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import Purpose, uniform
from infra.contracts.errors import BadInput

CHECKPOINT_FILE = "checkpoint.json"
"""What a checkpoint says of itself; `training` in it has the fields of `PeopleSplit`."""


@dataclass(frozen=True, kw_only=True)
class PeopleSplit:
    """The first `train_share` of people train, the next `validation_share` validate; the model never sees the rest."""

    seed: int
    train_share: float
    validation_share: float

    @classmethod
    def of_checkpoint(cls, folder: Path) -> Self:
        """The split that the checkpoint in `folder` was trained with. Raises BadInput where that is not told."""
        try:
            training = json.loads((folder / CHECKPOINT_FILE).read_text())["training"]
            return cls(**{name: training[name] for name in ("seed", "train_share", "validation_share")})
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise BadInput(
                f"{folder} does not say whom a model was trained on ({type(problem).__name__}: {problem}): give the "
                "folder of a checkpoint, such as runs/latest/model"
            ) from problem

    def draw(self, person: NDArray[np.uint64]) -> NDArray[np.float64]:
        """(n,) each person's place in [0, 1), by pseudonym."""
        return uniform(self.seed, int(Purpose.SPLIT), person, 0, 0)

    def unseen(self, person: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """(n,) who is neither trained on nor validated on."""
        unseen: NDArray[np.bool_] = self.draw(person) >= self.train_share + self.validation_share
        return unseen
