"""What is noted of a population in the course of a run, whatever the number of shards."""

import numpy as np
import pytest

from infra.contracts.commands import Practice
from infra.contracts.kinds import EventKind
from infra.contracts.worlds import World
from services.experiments.course import LOOK_EVERY, STATES, Course
from services.experiments.pages_facts import SERIES_COLUMNS
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput
from simulation.scenarios import load

TICKS = 300
SCENARIO = load("tiny", {"people": "240", "start": "2026-03-02T06:00:00Z"})


def lived(shards: int) -> tuple[Course, list[TickOutput], list[Metaverse]]:
    """The course of five hours, and all that the shards wrote in them."""
    models = [Metaverse(SCENARIO, 3, shard=(index, shards)) for index in range(shards)]
    courses = [Course() for _ in models]
    outputs = []
    for _ in range(TICKS):
        for model, course in zip(models, courses, strict=True):
            model.step()
            parts = list(model.drain_parts().values())
            course.add(model.tick - 1, parts, model)
            outputs += parts
        if shards > 1:
            sums = np.sum([model.circle_sums() for model in models], axis=0)
            for model in models:
                model.exchange(sums)
    whole = Course()
    for course in courses:
        whole.merge(course)
    return whole, outputs, models


@pytest.fixture(scope="module")
def alone() -> tuple[Course, list[TickOutput], list[Metaverse]]:
    return lived(1)


def test_every_event_is_counted_in_its_world_and_minute(
    alone: tuple[Course, list[TickOutput], list[Metaverse]],
) -> None:
    course, outputs, _ = alone
    table = course.table()
    assert tuple(table.columns) == SERIES_COLUMNS
    assert table.height == TICKS * (len(World) - 1)
    for world in (World.WORK, World.MEDICAL):
        written = sum(int((output.events.column("world").to_numpy() == world).sum()) for output in outputs)
        assert table.filter(world=world.label)["events"].sum() == written > 0


def test_states_are_means_over_the_people_of_a_world(alone: tuple[Course, list[TickOutput], list[Metaverse]]) -> None:
    course, _, (model,) = alone
    looked = course.table().filter(tick=model.tick - 1)
    if (model.tick - 1) % LOOK_EVERY:
        assert looked["people"].is_null().all()
    model.step()
    while (model.tick - 1) % LOOK_EVERY:
        model.step()
    seen = Course()
    seen.add(model.tick - 1, list(model.drain_parts().values()), model)
    for row in seen.table().iter_rows(named=True):
        here = model.people[model.residents(World[row["world"].upper()])]
        assert row["people"] == len(here)
        for state in STATES:
            expected = here[state].mean() if len(here) else None
            assert row[f"{state}_mean"] == (pytest.approx(expected, abs=1e-5) if len(here) else None)


def test_practices_are_counted_by_kind_and_end(alone: tuple[Course, list[TickOutput], list[Metaverse]]) -> None:
    course, outputs, _ = alone
    written = {EventKind.PRACTICE_COMPLETED: 0, EventKind.PRACTICE_ABANDONED: 0}
    for output in outputs:
        kinds = output.events.column("kind").to_numpy()
        for kind in written:
            written[kind] += int((kinds == kind).sum())
    counted = course.practices_by_kind()
    assert set(counted) <= {practice.label for practice in Practice}
    assert sum(counts["completed"] for counts in counted.values()) == written[EventKind.PRACTICE_COMPLETED] > 0
    assert sum(counts["broken_off"] for counts in counted.values()) == written[EventKind.PRACTICE_ABANDONED] > 0
    assert sum(counts["offered"] for counts in counted.values()) == 0


def test_shards_add_up_to_the_same_course(alone: tuple[Course, list[TickOutput], list[Metaverse]]) -> None:
    course, _, _ = alone
    cut, _, _ = lived(2)
    assert cut.table().equals(course.table())
    assert cut.practices_by_kind() == course.practices_by_kind()
