"""The fixed shapes that cross from the scorer to the forward pass, whoever runs it.

A score must not depend on who else is scored, so the forward pass only ever sees whole chunks of (B, T) with B and T
from the configuration: rows that are missing in the last chunk are padding.

Shape legend: B rows of a chunk, T tokens a row, F features, S last tokens that are scored, N = B * chunks, O outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from infra.contracts.errors import BadInput
from models.features.tokens import FEATURE_COUNT


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """The shapes in use: `context` tokens decide one score (its own included), `rows` people go in a chunk.

    `steps`, ascending: how many last tokens a row may score; a row goes into the smallest that holds its new tokens,
    and a person with more than the largest is scored in several passes.
    """

    context: int
    rows: int = 32
    steps: tuple[int, ...] = (2, 4, 8)

    def __post_init__(self) -> None:
        if self.context < 1 or self.rows < 1 or not self.steps or sorted(set(self.steps)) != list(self.steps):
            raise BadInput(f"serving shapes need positive sizes and ascending steps, not {self}")
        if self.steps[0] < 1:
            raise BadInput(f"serving shapes: a step scores at least one token, not {self.steps[0]}")

    def tokens(self, step: int) -> int:
        """T of the rows that score `step` tokens."""
        return self.context - 1 + step


@dataclass(frozen=True)
class PaddedBatch:
    """N rows of T tokens, the last `step` of each to be scored; tokens stand at the right, padding at the left.

    kind (N, T) int16, time_us (N, T) int64, features (N, T, F) float32, item (N, T) int32, mask (N, T) bool.
    N is a multiple of the rows of a chunk.
    """

    step: int
    rows: int
    kind: NDArray[np.int16]
    time_us: NDArray[np.int64]
    features: NDArray[np.float32]
    item: NDArray[np.int32]
    mask: NDArray[np.bool_]

    @classmethod
    def empty(cls, people: int, step: int, shapes: Shapes) -> "PaddedBatch":
        """All padding, for `people` rows rounded up to whole chunks."""
        rows, tokens = -(-people // shapes.rows) * shapes.rows, shapes.tokens(step)
        return cls(
            step,
            shapes.rows,
            np.zeros((rows, tokens), dtype=np.int16),
            np.zeros((rows, tokens), dtype=np.int64),
            np.zeros((rows, tokens, FEATURE_COUNT), dtype=np.float32),
            np.zeros((rows, tokens), dtype=np.int32),
            np.zeros((rows, tokens), dtype=np.bool_),
        )

    def chunks(self) -> list[tuple[NDArray[Any], ...]]:
        """(kind, features, item, time_us, mask) of each chunk of exactly B rows, as views."""
        columns = (self.kind, self.features, self.item, self.time_us, self.mask)
        starts = range(0, len(self.kind), self.rows)
        return [tuple(column[start : start + self.rows] for column in columns) for start in starts]


Scores = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What the scorer must know of a model: its version, its outputs in the order of the last axis of its answers,
    how many tokens one score depends on (its own included), and how items become tokens.
    """

    version: str
    outputs: tuple[str, ...]
    context: int
    item_buckets: int = 0


class Forward(Protocol):
    """The forward pass on padded arrays: a tick's batches in one call."""

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        ...

    def __call__(self, batches: Sequence[PaddedBatch], traceparent: str | None = None) -> list[Scores]:
        """Probabilities (N, S, O) of each batch's last S tokens; numbers in padding mean nothing."""
        ...
