"""The caps that hold for every policy: what closes a decision point.

Where several hold, the first of these is named: a running practice, quiet hours, the daily cap, the cool-down.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from infra.contracts.decisions import Reason
from infra.contracts.errors import BadInput

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

_RANGES = (
    ("daily_cap", 0, 1000),
    ("quiet_start_hour", 0, 23),
    ("quiet_end_hour", 0, 23),
    ("cool_down_minutes", 0, 10_000),
    ("practice_minutes", 0.1, 1000),
    ("expiry_minutes", 0.1, 10_000),
)


@dataclass(frozen=True, kw_only=True)
class DecisionRules:
    """Caps and lengths. Hours are the person's local time; equal hours mean no quiet time."""

    daily_cap: int = 4  # offers a person and local day
    quiet_start_hour: int = 22
    quiet_end_hour: int = 7
    cool_down_minutes: float = 60.0  # between two offers
    practice_minutes: float = 5.0
    expiry_minutes: float = 10.0  # after which an offer is void

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadInput(f"rules: {name}={value} is out of range; give a number from {low} to {high}")

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Self:
        """Rules from names and numbers, the others at their defaults; raises BadInput for an unknown name."""
        known = {field.name: field.type for field in fields(cls)}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise BadInput(f"rules: there is no {', '.join(unknown)}; known are {', '.join(known)}")
        numbers: dict[str, Any] = {
            name: int(value) if known[name] is int else float(value) for name, value in values.items()
        }
        return cls(**numbers)

    def quiet(self, local_hour: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether it is quiet time, for local hours 0 to 23, shape as given."""
        start, end = self.quiet_start_hour, self.quiet_end_hour
        if start <= end:
            return (local_hour >= start) & (local_hour < end)
        return (local_hour >= start) | (local_hour < end)


@dataclass(frozen=True, kw_only=True)
class Burden:
    """What a person has had already, at their decision point; every array has shape (n,)."""

    offers_today: NDArray[np.int64]
    since_offer_us: NDArray[np.int64]  # simulated time since the last offer
    practising: NDArray[np.bool_]
    local_hour: NDArray[np.int64]


def reasons(rules: DecisionRules, burden: Burden) -> NDArray[np.uint8]:
    """What closes each point (`decisions.Reason`), shape (n,); OPEN where nothing does."""
    cool_down_us = round(rules.cool_down_minutes * MINUTE_US)
    conditions = [
        burden.practising,
        rules.quiet(burden.local_hour),
        burden.offers_today >= rules.daily_cap,
        burden.since_offer_us < cool_down_us,
    ]
    names = [Reason.IN_PRACTICE, Reason.QUIET_HOURS, Reason.DAILY_CAP, Reason.COOL_DOWN]
    return np.select(conditions, [int(name) for name in names], int(Reason.OPEN)).astype(np.uint8)


def local_days_and_hours(
    occurred_at: NDArray[np.int64], offset_minutes: NDArray[np.int16]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Local day number and local hour (0 to 23) of times in µs UTC, shapes as given."""
    local = occurred_at + offset_minutes.astype(np.int64) * MINUTE_US
    return local // DAY_US, (local % DAY_US) // HOUR_US
