"""Groups that a world puts people into: circles that hear of the same things, classes, teams, guilds, clinics.

A group consists of whole circles of friends. What goes on in it, its *heat*, moves over hours and is the same for all
its members: a heated topic, a hard week's lesson, a deadline, a raid, a full waiting room. Heat is a function of
(seed, world, group, time) and nothing else, so any shard knows it without asking the others.
"""

from infra.contracts.worlds import World
from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import uniform
from simulation.core.moment import Moment
from simulation.core.person import Person

KNOT_MINUTES = 60
"""Heat is drawn afresh for every so many minutes, and changes evenly in between. Chosen."""

NAMES = {
    World.SOCIAL: "scene",
    World.LEARNING: "class",
    World.WORK: "team",
    World.GAMING: "guild",
    World.MEDICAL: "clinic",
}
"""What a group is called in each world."""


@kernel
def group_of(p: Person, circles: int) -> int:
    """Number of the group of a world whose groups hold so many circles."""
    return p.circle // circles


@kernel
def heat(now: Moment, world: int, group: int) -> float:
    """What goes on in a group now, -1 (quiet) to 1 (heated), 0 on average."""
    knot = now.tick // KNOT_MINUTES
    share = (now.tick - knot * KNOT_MINUTES) / KNOT_MINUTES
    before = uniform(now.seed, purposes.GROUP, group, knot, world)
    after = uniform(now.seed, purposes.GROUP, group, knot + 1, world)
    return 2.0 * (before + (after - before) * share) - 1.0


@kernel
def group_heat(p: Person, now: Moment, circles: int) -> float:
    """Heat of the person's group in the world they are in."""
    return heat(now, p.world, group_of(p, circles))
