"""What a policy sees and what it answers.

Shape legend: n decision points, a actions (`commands.Practice`: no offer, or a kind of practice).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from infra.contracts.commands import Practice
from infra.contracts.errors import BadInput

ACTIONS = len(Practice)


@dataclass(frozen=True, kw_only=True)
class Points:
    """The decision points of a tick, one a person, ascending by person; every array has shape (n,).

    `valence` and `arousal` are the person's last reading of emotion (-1 to 1), NaN where there is none.
    """

    person: NDArray[np.uint64]
    occurred_at: NDArray[np.int64]  # µs UTC, simulated
    lapse: NDArray[np.float32]  # probability of a failed check, 0 to 1
    world: NDArray[np.uint8]  # worlds.World
    local_hour: NDArray[np.int64]  # 0 to 23
    valence: NDArray[np.float32]
    arousal: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.person)


class Policy(Protocol):
    """A frozen dataclass whose fields are the policy's parameters, validated when it is made."""

    name: ClassVar[str]

    def probabilities(self, points: Points) -> NDArray[np.float64]:
        """Probability of each action at each point that is open, shape (n, a); rows sum to 1."""
        ...


def parameters_of(policy: Policy) -> dict[str, Any]:
    """The policy's parameters by name, in alphabetical order."""
    names = sorted(field.name for field in fields(policy))  # type: ignore[arg-type]  # a Protocol cannot say "is a dataclass"
    return {name: getattr(policy, name) for name in names}


def policy_id(policy: Policy) -> str:
    """What a decision records: the policy's name and parameters, e.g. `random(probability=0.02)`."""
    inside = ",".join(f"{name}={value}" for name, value in parameters_of(policy).items())
    return f"{policy.name}({inside})"


def require_share(policy: str, parameters: Mapping[str, float], *, inner: bool = False) -> None:
    """Raise BadInput unless every value is in [0, 1], or in (0, 1) when `inner`."""
    for name, value in parameters.items():
        if not ((0 < value < 1) if inner else (0 <= value <= 1)):
            span = "strictly between 0 and 1" if inner else "from 0 to 1"
            raise BadInput(f"policy {policy}: {name}={value} is out of range; give a number {span}")
