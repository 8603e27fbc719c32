"""The work world as a Mesa agent."""

from simulation.core.world_agent import WorldAgent
from simulation.worlds.work.kernel import act, act_all
from simulation.worlds.work.spec import SPEC


class Work(WorldAgent):
    """Steps the people who are in the work world."""

    spec = SPEC
    act = staticmethod(act)
    act_all = staticmethod(act_all)
