"""The gaming world as a Mesa agent."""

from simulation.core.world_agent import WorldAgent
from simulation.worlds.gaming.kernel import act, act_all
from simulation.worlds.gaming.spec import SPEC


class Gaming(WorldAgent):
    """Steps the people who are in the gaming world."""

    spec = SPEC
    act = staticmethod(act)
    act_all = staticmethod(act_all)
