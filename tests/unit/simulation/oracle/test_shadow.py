"""A supposition that is the person themselves follows them through the day: what is imposed is what the simulator does.

This is what keeps the oracle from drifting away from the simulator: one particle with the person's own record, number
and seed draws the same random numbers, so its hidden state must stay theirs, minute by minute.
"""

import numpy as np
import pytest

from simulation.core.model import Metaverse
from simulation.core.population import born
from simulation.core.rows import Rows
from simulation.core.witness import HIDDEN
from simulation.oracle.cloud import Cloud, View
from simulation.oracle.filter import PersonFilter
from simulation.oracle.laws import LawBook
from simulation.oracle.past import Past
from simulation.oracle.tastes import Memory
from simulation.oracle.timeline import Timeline
from simulation.scenarios.model import Scenario
from tests.unit.simulation.oracle.conftest import Consulted

FOLLOWED = (
    *("world", "focus", "fatigue", "stress", "mood", "wandering", "load", "momentum", "doing", "open", "debt"),
    *("memory", "attended"),
)


class Shadow(Cloud):
    """A cloud of one: the person."""

    def __init__(self, scenario: Scenario, number: int) -> None:
        self.seed, self.ahead, self.lives = scenario.seed, 1, 0
        self.people = born(scenario, scenario.seed, np.array([number]))
        self.hidden = np.zeros(1, HIDDEN)
        self.weights = np.zeros(1)
        self.scores = np.zeros((1, 99))
        self.likelihood = np.zeros(1)
        self.memory, self.past = Memory(1), Past(self.people)

    def view(self, item: int = -1, more: float = 0.0) -> View:  # noqa: ARG002  a person needs no supposed interests
        return View(self.people, self.hidden, np.zeros(1), self.weights)

    def refresh(self, tick: int, waited: int) -> bool:  # noqa: ARG002  one is never too few
        """Nothing."""
        return False


class Following(PersonFilter):
    """Notes the state after each minute, and does not look ahead."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]  # passed through
        self.states: dict[int, Rows] = {}

    def _minute(self, tick: int, places: range) -> None:
        super()._minute(tick, places)
        self.states[tick] = self._cloud.people[0].copy()

    def _predict(self, place: int, kind: int, now: object) -> None:
        """Nothing."""


def follow(consulted: Consulted, line: Timeline, number: int) -> dict[int, Rows]:
    """The person's state after each minute in which they are in a session, as the filter has it."""
    recording = consulted.recording
    around = recording.around[line.person]
    following = Following(LawBook(consulted.scenario), Shadow(consulted.scenario, number), line, recording.span, around)
    following.run()
    return following.states


@pytest.fixture(scope="module")
def lived(consulted: Consulted) -> tuple[Metaverse, dict[int, Rows]]:
    """The population lived again: its people after each tick."""
    model, states = Metaverse(consulted.scenario), {}
    for tick in consulted.recording.span:
        model.step()
        states[tick] = model.people.copy()
    return model, states


def test_whoever_is_themselves_stays_so(consulted: Consulted, lived: tuple[Metaverse, dict[int, Rows]]) -> None:
    model, states = lived
    followed, minutes = 0, 0
    for line in consulted.recording.lines:
        number = int(model.pseudonyms.decode(np.array([line.person], np.uint64))[0])
        if np.isin(line.rows["kind"], (30, 33, 34)).any():
            continue  # a practice that nobody offered is seen at its end only
        found = follow(consulted, line, number)
        for tick, mine in found.items():
            own = states[tick][number]
            for name in FOLLOWED:
                assert mine[name] == pytest.approx(own[name], abs=2e-3), (number, tick, name)
        followed, minutes = followed + 1, minutes + len(found)
    assert followed >= 5
    assert minutes > 500
