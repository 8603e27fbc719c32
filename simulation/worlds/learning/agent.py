"""The learning world as a Mesa agent."""

from simulation.core.world_agent import WorldAgent
from simulation.worlds.learning.kernel import act, act_all
from simulation.worlds.learning.spec import SPEC


class Learning(WorldAgent):
    """Steps the people who are in the learning world."""

    spec = SPEC
    act = staticmethod(act)
    act_all = staticmethod(act_all)
