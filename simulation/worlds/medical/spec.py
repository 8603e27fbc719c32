"""The medical world: check-ins on mood and worry, symptom scales, therapy and homework."""

from dataclasses import dataclass

from infra.contracts.worlds import World
from simulation.worlds.spec import WorldSpec, by_hours


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Rates a minute in the world, log-odds and durations. Chosen for a few exposures every ten minutes."""

    prompts: float = 0.19
    therapy: float = 0.020
    homework: float = 0.040
    looks: float = 0.10
    clicks: float = 0.4
    reports: float = 0.35
    answer: float = 0.5
    answer_state: float = 2.5
    therapy_minutes: float = 20.0
    # A clinic of twenty circles: check-ins by up to three tenths more often on its busy hours.
    group_circles: int = 20
    group_swing: float = 0.3


SPEC = WorldSpec(
    world=World.MEDICAL,
    parameters=Parameters(),
    exposures="prompts",
    hours=by_hours({0: 0.3, 7: 0.9, 11: 0.7, 18: 1.0, 22: 0.6}),
)
