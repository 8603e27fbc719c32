"""The gaming world: quests that are taken when they suit one's skill, and matches."""

from dataclasses import dataclass

from infra.contracts.worlds import World
from simulation.worlds.spec import WorldSpec, by_hours


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Rates a minute in the world, log-odds and durations. Chosen for a few exposures every ten minutes."""

    quests: float = 0.19
    matches: float = 0.07
    looks: float = 0.09
    clicks: float = 0.6
    answer: float = 0.7
    flow: float = 9.0
    quest_minutes: float = 7.0
    match_minutes: float = 6.0
    # A guild of five circles: quests come by up to half more often while it is on the move.
    group_circles: int = 5
    group_swing: float = 0.5


SPEC = WorldSpec(
    world=World.GAMING,
    parameters=Parameters(),
    exposures="quests",
    hours=by_hours({0: 0.9, 2: 0.5, 7: 0.2, 12: 0.7, 13: 0.4, 17: 1.0, 19: 1.6, 23: 1.2}),
)
