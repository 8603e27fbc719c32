"""A look inside: what is shown is so, and looking changes nothing."""

from typing import Any

import numpy as np
import pytest

from simulation.core.model import Metaverse
from simulation.live.app import create_app
from simulation.live.running import SAMPLE_EVERY_S, Look, RunningPopulation
from simulation.live.snapshot import contagion, snapshot
from simulation.scenarios import load
from simulation.trials.offering import Offers, half_of_each, offer_to
from tests.support.asgi import Web

CHANGES = {"days": "0.1", "warmup_days": "0"}


@pytest.fixture(scope="module")
def over() -> RunningPopulation:
    """A population that has run to its end."""
    running = RunningPopulation(Look(scenario=load("tiny", CHANGES), seed=7, offers=Offers(every=30)))
    running.start()
    running.join()
    return running


def test_a_snapshot_counts_everybody_in_a_world_once() -> None:
    model = Metaverse(load("tiny", CHANGES))
    for _ in range(90):
        model.step()
    treated = half_of_each(model.people["circle"], 7)
    seen = snapshot(model, treated)
    inside = int((model.people["world"] > 0).sum())
    assert sum(world["people"] for world in seen["worlds"].values()) == inside > 0
    assert sum(half["people"] for half in seen["halves"].values()) == inside
    work = model.people[model.people["world"] == 3]
    assert seen["worlds"]["work"]["focus"] == pytest.approx(work["focus"].mean(), abs=1e-4)


def test_circles_that_move_together_show_as_contagion_and_strangers_do_not() -> None:
    circles = np.repeat(np.arange(50), 4)
    shared = np.repeat(np.random.default_rng(1).normal(size=50), 4)
    own = np.random.default_rng(2).normal(size=200)
    together, apart = contagion(circles, shared + 0.1 * own), contagion(circles, own)
    assert together is not None
    assert apart is not None
    assert together > 0.9
    assert abs(apart) < 0.25
    assert contagion(np.arange(5), own[:5]) is None
    assert contagion(np.zeros(0, np.int64), np.zeros(0)) is None


def test_looking_changes_nothing(over: RunningPopulation) -> None:
    scenario = load("tiny", CHANGES)
    twin = Metaverse(scenario, 7)
    treated = half_of_each(twin.people["circle"], 7)
    for tick in range(scenario.ticks):
        if tick % 30 == 0:
            offer_to(twin, treated, Offers(every=30))
        twin.step()
    expected = snapshot(twin, treated)
    assert expected["interventions"]["offers"] > 0
    assert {name: over.latest[name] for name in expected} == expected
    assert over.latest["over"]


def test_it_looks_twice_a_second_at_most(over: RunningPopulation) -> None:
    assert SAMPLE_EVERY_S >= 0.5
    assert 1 <= over.looks < 144


def test_the_page_and_its_state_are_served(over: RunningPopulation) -> None:
    web = Web(create_app(over).router)
    page, state = web.get("/"), web.get("/state")
    body: dict[str, Any] = state.json()
    assert page.headers["content-type"].startswith("text/html")
    assert "http" not in page.text.replace("http://www.w3.org/2000/svg", "")
    assert body["scenario"] == "tiny"
    assert set(body["worlds"]) == {"social", "learning", "work", "gaming", "medical"}
