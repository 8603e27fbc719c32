"""The social world as a Mesa agent."""

from simulation.core.world_agent import WorldAgent
from simulation.worlds.social.kernel import act, act_all
from simulation.worlds.social.spec import SPEC


class Social(WorldAgent):
    """Steps the people who are in the social world."""

    spec = SPEC
    act = staticmethod(act)
    act_all = staticmethod(act_all)
