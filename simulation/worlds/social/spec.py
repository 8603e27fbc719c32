"""The social world: comments, posts and video calls among friends."""

from dataclasses import dataclass

from infra.contracts.worlds import World
from simulation.worlds.spec import WorldSpec, by_hours


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Rates a minute in the world, log-odds and durations. Chosen for a few exposures every ten minutes."""

    # As many as make a day's worth of notifications (row 10), with those at work.
    comments: float = 0.36
    looks: float = 0.10
    clicks: float = 0.45
    posts: float = 0.018
    calls: float = 0.006
    answer: float = -0.2
    rub_off: float = 0.02
    post_seconds: float = 180.0
    call_minutes: float = 18.0
    # A scene of twelve circles hears of the same things: comments come by up to half more often, or less.
    group_circles: int = 12
    group_swing: float = 0.5


SPEC = WorldSpec(
    world=World.SOCIAL,
    parameters=Parameters(),
    exposures="comments",
    hours=by_hours({0: 0.5, 7: 0.9, 9: 0.6, 12: 1.2, 14: 0.6, 18: 1.3, 20: 1.7, 23: 1.0}),
)
