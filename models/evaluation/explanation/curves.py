"""Deletion and insertion curves: how soon the score moves when tokens go, or come, in the order of their importance.

The past moves a score from its logit without any past token to the logit with all of them. Deletion takes the tokens
that push that way hardest first, and counts how far the logit has gone back; insertion starts from nothing and counts
how far it has come (both as in Petsiuk, Das & Saenko 2018, in the logit and towards what the past has done to it). The
area under either is higher, the sooner it moves.

Shape legend: n past tokens, k points of a curve, r explained scores.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from models.evaluation.explanation.subject import Doubles, Indices, Subject
from models.evaluation.resampling import Resampling

POINTS = 17
"""Points of a curve: shares of the past tokens from 0 to 1."""
SHARES: Doubles = np.linspace(0, 1, POINTS)
FAITHFUL = 0.01
"""A method is faithful where its deletion area is better than a random order's with p below this, adjusted."""


@dataclass(frozen=True)
class Curve:
    """Both curves of one score and order: (k,) changes of the logit, at `SHARES` of the past tokens."""

    deletion: Doubles
    insertion: Doubles

    def areas(self) -> tuple[float, float]:
        """Areas under deletion and insertion: mean changes of the logit."""
        return float(np.trapezoid(self.deletion, SHARES)), float(np.trapezoid(self.insertion, SHARES))


def order_of(importance: Doubles, direction: float, random: np.random.Generator) -> Indices:
    """(n,) tokens from the most to the least important towards `direction` (-1 or 1); ties fall at random."""
    return np.lexsort((random.permutation(len(importance)), -direction * importance))


def direction_of(subject: Subject) -> float:
    """1 where the past raises the logit, -1 where it lowers it."""
    whole, none = subject.ends()
    return 1.0 if whole >= none else -1.0


def curve(subject: Subject, order: Indices) -> Curve:
    """The curves of a score for an order (n,) of its past tokens."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    taken = rank < np.round(SHARES * len(order))[:, None]
    logits = subject.logits(np.concatenate([~taken, taken]))
    without, only = logits[:POINTS], logits[POINTS:]
    direction = 1.0 if without[0] >= only[0] else -1.0
    return Curve(direction * (without[0] - without), direction * (only - only[0]))


def mean_curve(curves: list[Curve]) -> Curve:
    """Mean over orders, or over scores."""
    return Curve(
        np.mean([each.deletion for each in curves], axis=0), np.mean([each.insertion for each in curves], axis=0)
    )


@dataclass(frozen=True)
class Areas:
    """(r,) areas of the same scores under one method."""

    deletion: Doubles
    insertion: Doubles

    @classmethod
    def of(cls, curves: list[Curve]) -> "Areas":
        """Areas of r curves."""
        deletion, insertion = np.array([each.areas() for each in curves]).T
        return cls(deletion, insertion)


def compared(
    methods: dict[str, Areas], random: Areas, recency: Areas, person: npt.NDArray[np.uint64], seed: int
) -> dict[str, dict[str, Any]]:
    """Each method beside both controls on the same scores, whose people are `person` (r,).

    Differences are paired and above 0 where the method is better; their intervals resample people. `p` is of a
    one-sided Wilcoxon signed-rank test over people's mean differences to random orders in deletion, `p_adjusted` after
    Holm (1979) for the number of methods, `faithful` says whether that is below `FAITHFUL`, and `beats_recency` whether
    the interval of the difference to taking the latest first lies above 0.
    """
    drawn = Resampling(person, seed)
    found: dict[str, dict[str, Any]] = {}
    for name, areas in methods.items():
        deletion, insertion = areas.deletion - random.deletion, areas.insertion - random.insertion
        to_recency = drawn.mean(areas.deletion - recency.deletion)
        found[name] = {
            **means(areas, drawn),
            "deletion_difference": drawn.mean(deletion).as_dict(),
            "insertion_difference": drawn.mean(insertion).as_dict(),
            "recency_difference": to_recency.as_dict(),
            "beats_recency": to_recency.ci_low > 0,
            "p": p_value(deletion, person),
            "insertion_p": p_value(insertion, person),
        }
    adjusted = holm([each["p"] for each in found.values()])
    for each, p in zip(found.values(), adjusted, strict=True):
        each.update(p_adjusted=p, faithful=p < FAITHFUL)
    return found


def means(areas: Areas, drawn: Resampling) -> dict[str, Any]:
    """Mean areas with their intervals."""
    return {"deletion": drawn.mean(areas.deletion).as_dict(), "insertion": drawn.mean(areas.insertion).as_dict()}


def p_value(difference: Doubles, person: npt.NDArray[np.uint64]) -> float:
    """That people's mean differences (r rows) lie no higher than 0: one-sided, 1 where all are 0."""
    _, whose = np.unique(person, return_inverse=True)
    means = np.bincount(whose, difference) / np.bincount(whose)
    if not means.any():
        return 1.0
    return float(stats.wilcoxon(means, alternative="greater").pvalue)


def holm(p_values: list[float]) -> list[float]:
    """Adjusted for their number, step down: any below a level is then significant at it for all together."""
    order = np.argsort(p_values)
    raised = np.array(p_values)[order] * (len(p_values) - np.arange(len(p_values)))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(raised))
    return [float(each) for each in adjusted]
