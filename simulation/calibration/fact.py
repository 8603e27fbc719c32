"""What a fact is: a published finding, how its simulated counterpart is measured, and when the two agree."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulation.calibration.lab import Lab

OVERLAP = "the 95% interval of the simulated value overlaps the published one"
SIGN = "the 95% interval of the simulated value lies on the published side of zero"


@dataclass(frozen=True)
class Estimate:
    """A simulated value with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Published:
    """A published value with its interval; a direction is an interval with one end at zero."""

    value: float | None
    low: float
    high: float

    @classmethod
    def above(cls, bound: float = 0.0) -> "Published":
        """Something positive."""
        return cls(None, bound, inf)

    @property
    def text(self) -> str:
        """As people read it."""
        if not isfinite(self.high):
            return f"above {self.low:g}"
        interval = f"[{self.low:g}, {self.high:g}]"
        return interval if self.value is None else f"{self.value:g} {interval}"


@dataclass(frozen=True)
class Part:
    """One number of a fact beside what was published. Where `direction`, the whole interval must lie inside."""

    name: str
    unit: str
    simulated: Estimate
    published: Published
    direction: bool = False

    @property
    def passed(self) -> bool:
        """Whether the intervals overlap, or, for a direction, whether the simulated one lies inside the published."""
        one, other = self.simulated, self.published
        if not (isfinite(one.low) and isfinite(one.high)):
            return False
        if self.direction:
            return other.low < one.low and one.high < other.high
        return one.low <= other.high and one.high >= other.low


@dataclass(frozen=True)
class Curve:
    """Something drawn beside the numbers: lines by name over one axis, the published one among them where there is."""

    title: str
    x: str
    y: str
    lines: dict[str, tuple[tuple[float, ...], tuple[float, ...]]]


@dataclass(frozen=True)
class Finding:
    """What a measurement gave: the parts (the first is the headline), and a curve where one says more."""

    parts: tuple[Part, ...]
    curve: Curve | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One row of the table. `recalled` values were not re-read, they are ranges; `held_out` rows are never fitted."""

    id: str
    row: int
    title: str
    source: str
    protocol: str
    rule: str
    measure: "Callable[[Lab], Finding]"
    recalled: bool = False
    held_out: bool = False


@dataclass(frozen=True)
class Result:
    """A fact with what was found."""

    fact: Fact
    finding: Finding
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """All parts agree."""
        return all(part.passed for part in self.finding.parts)

    def as_json(self) -> dict[str, Any]:
        """One entry of the scorecard; the headline's numbers at the top, all parts below."""
        head = self.finding.parts[0]
        return {
            "id": self.fact.id,
            "row": self.fact.row,
            "title": self.fact.title,
            "simulated": head.simulated.value,
            "ci_low": head.simulated.low,
            "ci_high": head.simulated.high,
            "published": head.published.text,
            "pass": self.passed,
            "unit": head.unit,
            "source": self.fact.source,
            "recalled": self.fact.recalled,
            "held_out": self.fact.held_out,
            "protocol": self.fact.protocol,
            "rule": self.fact.rule,
            "note": self.finding.note,
            "parts": [_part(part) for part in self.finding.parts],
        }


def _part(part: Part) -> dict[str, Any]:
    one = part.simulated
    return {
        "name": part.name,
        "unit": part.unit,
        "simulated": one.value,
        "ci_low": one.low,
        "ci_high": one.high,
        "published": part.published.text,
        "pass": part.passed,
    }
