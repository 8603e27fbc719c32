"""What every world must be, whatever it is about: found by discovery, held to the same rules."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import simulation.worlds
from infra.contracts.kinds import EXPOSURES, KINDS, RESPONSES, EventKind, Role
from infra.contracts.worlds import World
from simulation.core.model import Metaverse
from simulation.scenarios import load
from simulation.worlds import discover

WORLDS = [world for world in World if world is not World.NONE]
FILES = {"__init__.py", "spec.py", "kernel.py", "agent.py", "watch.py"}


@cache
def kinds_alone(world: World) -> Counter[EventKind]:
    """How often each kind happens when only this world is open: 80 people for eight hours."""
    model = Metaverse(load("tiny", {"people": "80", "worlds": f"{{{world.label}: 1}}"}))
    counted: Counter[EventKind] = Counter()
    for _ in range(480):
        model.step()
        events = model.drain().events
        assert set(events.column("world").to_pylist()) <= {int(world)}
        counted.update(EventKind(kind) for kind in events.column("kind").to_pylist())
    return counted


def test_every_world_of_the_contracts_is_found() -> None:
    assert list(discover()) == WORLDS


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.label)
def test_a_world_is_a_folder_of_files_with_the_usual_names(world: World) -> None:
    folder = Path(simulation.worlds.__file__).parent / world.label
    assert {path.name for path in folder.glob("*.py")} >= FILES


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.label)
def test_a_world_emits_its_own_kinds_and_those_of_everywhere(world: World) -> None:
    assert {KINDS[kind].world for kind in kinds_alone(world)} <= {world, None}


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.label)
def test_a_world_emits_every_kind_that_the_contracts_give_it(world: World) -> None:
    expected = {kind for kind, spec in KINDS.items() if spec.world is world}
    assert expected <= set(kinds_alone(world))


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.label)
def test_a_world_has_exposures_of_which_some_are_answered(world: World) -> None:
    kinds = kinds_alone(world)
    shown = sum(kinds[kind] for kind in EXPOSURES if KINDS[kind].world is world)
    answered = sum(kinds[kind] for kind in RESPONSES if KINDS[kind].world is world)
    assert 0.1 < answered / shown < 0.8


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.label)
def test_people_browse_click_and_are_sensed_in_every_world(world: World) -> None:
    everywhere = {EventKind.SESSION_STARTED, EventKind.SESSION_ENDED, EventKind.WORLD_ENTERED}
    seen = {EventKind.PAGE_BROWSED, EventKind.ITEM_CLICKED, EventKind.GAZE_SAMPLED, EventKind.EMOTION_READ}
    assert everywhere | seen <= set(kinds_alone(world))


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.label)
def test_checks_are_never_events_of_a_world(world: World) -> None:
    assert not [kind for kind in kinds_alone(world) if KINDS[kind].role is Role.CHECK]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.label)
def test_a_world_says_how_much_it_draws_people_at_each_hour(world: World) -> None:
    hours = discover()[world].spec.hours
    assert len(hours) == 24
    assert min(hours) >= 0.0
    assert max(hours) > 0.0
    assert 0.0 <= discover()[world].spec.weekend <= 2.0
