"""The world of work: tasks, messages that interrupt them, meetings, and errors."""

from dataclasses import dataclass

from infra.contracts.worlds import World
from simulation.worlds.spec import WorldSpec, by_hours


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Rates a minute in the world, log-odds and durations. Chosen for a few exposures every ten minutes."""

    # One in three minutes: as many as make a day's worth of notifications (row 10), with those of the social world.
    messages: float = 0.36
    tasks: float = 0.25
    meetings: float = 0.008
    looks: float = 0.06
    clicks: float = 0.5
    errors: float = 0.010
    error_wandering: float = 2.5
    error_fatigue: float = 3.0
    answer: float = 0.1
    task_minutes: float = 24.0
    meeting_minutes: float = 20.0
    # A team is a circle of colleagues: before a deadline up to six tenths more messages, after it as many fewer.
    group_circles: int = 1
    group_swing: float = 0.6


SPEC = WorldSpec(
    world=World.WORK,
    parameters=Parameters(),
    exposures="messages",
    weekend=0.25,
    hours=by_hours({0: 0.1, 7: 0.8, 9: 2.2, 12: 0.9, 13: 2.1, 18: 0.8, 20: 0.4, 22: 0.2}),
)
