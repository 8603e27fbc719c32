"""The learning world: lessons of some difficulty, with quizzes in between."""

from dataclasses import dataclass

from infra.contracts.worlds import World
from simulation.worlds.spec import WorldSpec, by_hours


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Rates a minute in the world, log-odds and durations. Chosen for a few exposures every ten minutes."""

    lessons: float = 0.30
    quizzes: float = 0.24
    looks: float = 0.07
    clicks: float = 0.5
    answer: float = 0.9
    stretch: float = 3.0
    lesson_minutes: float = 20.0
    # A class of three circles: its lessons are up to so much harder, or easier.
    group_circles: int = 3
    group_swing: float = 0.2


SPEC = WorldSpec(
    world=World.LEARNING,
    parameters=Parameters(),
    exposures="quizzes",
    weekend=0.6,
    hours=by_hours({0: 0.1, 8: 0.9, 10: 1.3, 12: 0.5, 14: 1.2, 17: 0.6, 19: 1.0, 22: 0.4}),
)
