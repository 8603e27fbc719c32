"""What a world declares about itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.contracts.worlds import World


@dataclass(frozen=True, kw_only=True)
class WorldSpec:
    """A world: its code, its frozen parameters, how much it draws people in each local hour of a weekday
    (24 values), and the factor on that at weekends.

    `exposures` names the parameter that says how often a minute something arrives that can be answered.
    """

    world: World
    parameters: Any
    exposures: str
    hours: tuple[float, ...]
    weekend: float = 1.0


def by_hours(changes: Mapping[int, float]) -> tuple[float, ...]:
    """24 hourly values from the hours at which the value changes; hour 0 must be among them."""
    values: list[float] = []
    for hour in range(24):
        values.append(changes[hour] if hour in changes else values[-1])
    return tuple(values)
