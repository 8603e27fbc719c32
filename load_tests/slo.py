"""Service level objectives as data: `p99=250ms`, `decisions.p95=1s`, `lag=2000events`, `lost=0`."""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from infra.contracts.errors import BadInput

_MS_PER_UNIT: Final = {"": 1.0, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4}
_EVENT_UNITS: Final = ("", "event", "events")
_LATENCY: Final = re.compile(r"(decisions\.)?(max|p(\d{1,2}(\.\d+)?))")
_FORM: Final = re.compile(r"\s*([A-Za-z_.0-9]+)\s*=\s*([0-9.]+(?:[eE]\d+)?)\s*(\S*)\s*")
_COUNTS: Final = ("lag", "lost", "duplicated")
_KNOWN: Final = ("p50", "p95", "p99", "max", "decisions.p99", *_COUNTS)

ValueOf = Callable[[str], float | None]
"""The measured value of a metric, in ms or events; None where nothing was measured."""


@dataclass(frozen=True, kw_only=True)
class Slo:
    """An upper limit: the metric's value must not be above it.

    Latency metrics (`p50`, `p99.9`, `max`, of scores; `decisions.p99`, … of decisions) have limits in ms. `lag` (the
    highest mean of a second), `lost` and `duplicated` have limits in events.
    """

    metric: str
    limit: float

    @property
    def unit(self) -> str:
        """Unit of the limit and of the value."""
        return "events" if self.metric in _COUNTS else "ms"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """An SLO and what was measured."""

    slo: Slo
    value: float | None

    @property
    def ok(self) -> bool | None:
        """Whether it holds; None where nothing could be measured."""
        return None if self.value is None else self.value <= self.slo.limit

    def document(self) -> dict[str, Any]:
        """As `summary.json` has it."""
        return {
            "name": self.slo.metric,
            "limit": self.slo.limit,
            "unit": self.slo.unit,
            "value": self.value,
            "ok": self.ok,
        }

    def __str__(self) -> str:
        value = "nothing measured" if self.value is None else f"{self.value:,.6g} {self.slo.unit}"
        return f"{self.slo.metric} {value}, limit {self.slo.limit:,.6g} {self.slo.unit}"


ALWAYS: Final = (Slo(metric="lost", limit=0.0), Slo(metric="duplicated", limit=0.0))
"""What every load test asks for, unless it is given a limit of its own."""


def parse(text: str) -> Slo:
    """The SLO in `METRIC=LIMIT[UNIT]`; a latency without a unit is in ms. Raises BadInput that says what is wrong."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise BadInput(f"--slo {text!r} is not METRIC=LIMIT: write for example p99=250ms, lag=2000events or lost=0")
    metric, number, unit = found.groups()
    try:
        limit = float(number)
    except ValueError:
        raise BadInput(f"--slo {text!r}: {number!r} is not a number") from None
    if _LATENCY.fullmatch(metric):
        if unit not in _MS_PER_UNIT:
            raise BadInput(f"--slo {text!r}: the unit {unit!r} is unknown: give us, ms, s or min")
        return Slo(metric=metric, limit=limit * _MS_PER_UNIT[unit])
    if metric not in _COUNTS:
        close = difflib.get_close_matches(metric, _KNOWN, n=1)
        hint = f"did you mean {close[0]}?" if close else f"choose one of {', '.join(_KNOWN)}"
        raise BadInput(f"--slo {text!r}: the metric {metric!r} is unknown: {hint}")
    if unit not in _EVENT_UNITS:
        raise BadInput(f"--slo {text!r}: {metric} is counted in events, not in {unit!r}")
    return Slo(metric=metric, limit=limit)


def parse_all(texts: Sequence[str]) -> tuple[Slo, ...]:
    """The SLOs given, then those of ALWAYS that were not; raises BadInput also for a metric given twice."""
    given = [parse(text) for text in texts]
    metrics = [slo.metric for slo in given]
    for metric in metrics:
        if metrics.count(metric) > 1:
            raise BadInput(f"--slo {metric} is given twice: give one limit for it")
    return (*given, *(slo for slo in ALWAYS if slo.metric not in metrics))


def check(slos: Sequence[Slo], value_of: ValueOf) -> tuple[Checked, ...]:
    """Every SLO with its value, in order."""
    return tuple(Checked(slo=slo, value=value_of(slo.metric)) for slo in slos)
