"""What a comparison measured, as its page reads it."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

from infra.contracts.metrics import METRICS
from infra.pages import Outcome, charts, numbers


@dataclass(frozen=True)
class Contrast:
    """A policy less its baseline on one measure: paired differences with a 95% interval, in the measure's unit."""

    policy: str
    baseline: str
    metric: str
    difference: float
    low: float
    high: float
    better: str

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.better == "higher" else -1

    @property
    def gain(self) -> float:
        """How much better than the baseline; below every number where it is not known."""
        return self.sign * self.difference if isfinite(self.difference) else float("-inf")

    @property
    def outcome(self) -> Outcome:
        """Whether the policy is better than the baseline; an interval with zero in it leaves it open."""
        if charts.covers_zero(self.low, self.high):
            return Outcome.UNKNOWN
        return Outcome.of(self.gain > 0)

    @property
    def estimate(self) -> str:
        """The difference with its interval."""
        return numbers.estimate(self.difference, self.low, self.high)


@dataclass(frozen=True)
class Comparison:
    """The result of `calmverse compare`, in the shape that `compare_page.build_compare_page` documents."""

    result: dict[str, Any]

    @property
    def policies(self) -> list[str]:
        """Names in the order to show."""
        return list(self.result["policies"])

    @property
    def seeds(self) -> list[int]:
        """Seeds that every policy was run on."""
        return list(self.result["seeds"])

    @property
    def primary(self) -> str:
        """The measure that the verdict is about."""
        return str(self.result.get("primary") or next(iter(self.result["metrics"])))

    @property
    def metrics(self) -> list[str]:
        """Measures that anybody was measured on, the primary one first."""
        found = {row["metric"] for row in self.result["values"] if is_finite(row["value"])}
        names = [name for name in self.result["metrics"] if name in found]
        return sorted(names, key=lambda name: name != self.primary)

    @property
    def contrasts(self) -> list[Contrast]:
        """All differences of the measures that are described."""
        return [self._contrast(row) for row in self.result["differences"] if row["metric"] in self.result["metrics"]]

    @property
    def pairing(self) -> str:
        """What is paired: with one seed there is nothing but its people."""
        return "person" if len(self.seeds) == 1 else "seed"

    def title(self, metric: str) -> str:
        """A measure as people call it."""
        given = self.result["metrics"][metric].get("title")
        return str(given or (METRICS[metric].title if metric in METRICS else metric.replace("_", " ").capitalize()))

    def unit(self, metric: str) -> str:
        """A measure's unit, with true minus signs."""
        return str(self.result["metrics"][metric]["unit"]).replace("-", numbers.MINUS)

    def of_metric(self, metric: str) -> list[Contrast]:
        """The differences on one measure."""
        return [contrast for contrast in self.contrasts if contrast.metric == metric]

    def values(self, metric: str, policy: str) -> dict[int, float]:
        """Seed → mean over people, where there is one."""
        return {
            row["seed"]: float(row["value"])
            for row in self.result["values"]
            if row["metric"] == metric and row["policy"] == policy and is_finite(row["value"])
        }

    def mean(self, metric: str, policy: str) -> float | None:
        """Mean over seeds; None where nothing was measured."""
        values = self.values(metric, policy)
        return sum(values.values()) / len(values) if values else None

    def pairs(self, contrast: Contrast) -> tuple[float, ...]:
        """One difference a seed."""
        policy, baseline = (self.values(contrast.metric, name) for name in (contrast.policy, contrast.baseline))
        return tuple(policy[seed] - baseline[seed] for seed in self.seeds if seed in policy and seed in baseline)

    def _contrast(self, row: dict[str, Any]) -> Contrast:
        return Contrast(
            policy=str(row["policy"]),
            baseline=str(row["baseline"]),
            metric=str(row["metric"]),
            difference=_number(row.get("difference")),
            low=_number(row.get("ci_low")),
            high=_number(row.get("ci_high")),
            better=str(self.result["metrics"][row["metric"]]["better"]),
        )


def is_finite(value: object) -> bool:
    """Whether a value of a result is a number."""
    return isinstance(value, int | float) and isfinite(value)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
