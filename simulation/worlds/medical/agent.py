"""The medical world as a Mesa agent."""

from simulation.core.world_agent import WorldAgent
from simulation.worlds.medical.kernel import act, act_all
from simulation.worlds.medical.spec import SPEC


class Medical(WorldAgent):
    """Steps the people who are in the medical world."""

    spec = SPEC
    act = staticmethod(act)
    act_all = staticmethod(act_all)
