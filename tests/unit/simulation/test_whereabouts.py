"""Who is visited, and who is skipped: the same people as if everybody were looked at."""

import mesa
import numpy as np

from infra.contracts.worlds import World
from simulation.core.life import NEVER, REST
from simulation.core.model import Metaverse
from simulation.core.whereabouts import BLOCK
from simulation.scenarios import load


def busy(ticks: int = 60, **changes: str) -> Metaverse:
    """A small population some time into its morning."""
    model = Metaverse(load("tiny", changes))
    for _ in range(ticks):
        model.step()
    return model


def test_places_are_where_the_records_say() -> None:
    model = busy()
    for world in World:
        assert np.array_equal(model.residents(world), np.flatnonzero(model.people["world"] == world))


def test_everybody_outside_is_visited_once_in_so_many_minutes_and_nobody_in_a_session() -> None:
    model = busy()
    seen = np.zeros(len(model.people), np.int64)
    start = model.people["world"].copy()
    for _ in range(REST):
        waiting = model.whereabouts.await_visit((0, len(model.people)), model.tick)
        assert not model.people["world"][waiting].any()
        seen[waiting] += 1
        model.step()
    assert (seen[(start == 0) & (model.people["world"] == 0)] >= 1).all()


def test_a_population_of_several_blocks_is_stepped_whole() -> None:
    people = BLOCK + 500
    model = busy(20, people=str(people), start="2026-03-02T10:00:00Z")
    assert model.whereabouts.blocks() == [(0, BLOCK), (BLOCK, people)]
    shares = [float((model.people["world"][first:end] > 0).mean()) for first, end in model.whereabouts.blocks()]
    assert shares[0] > 0.05
    assert abs(shares[0] - shares[1]) < 0.1
    alone = Metaverse(model.scenario)
    assert model.tick < NEVER
    for _ in range(20):
        alone.step()
    assert (alone.people == model.people).all()


def test_after_records_were_written_from_outside_a_refresh_reads_them_anew() -> None:
    model = busy()
    inside = np.flatnonzero(model.people["world"] > 0)
    model.people["world"][inside] = 0
    model.people["next_session"][inside] = model.tick
    model.whereabouts.refresh(model.tick)
    assert len(model.residents(World.NONE)) == len(model.people)
    assert set(inside) <= set(model.whereabouts.await_visit((0, len(model.people)), model.tick).tolist())


def test_agents_that_somebody_adds_are_stepped_once_a_tick() -> None:
    class Observer(mesa.Agent):  # type: ignore[misc]  # mesa publishes no types
        steps = 0

        def step(self) -> None:
            self.steps += 1

    model = busy(0, people=str(BLOCK + 10))
    observer = Observer(model)
    for _ in range(3):
        model.step()
    assert observer.steps == 3


def test_a_further_person_takes_at_most_512_bytes_row_buffers_included() -> None:
    small, large = (busy(5, people=str(people), start="2026-03-02T10:00:00Z") for people in (20_000, 60_000))
    further = (large.nbytes - small.nbytes) / 40_000
    assert small.people.itemsize < further <= 512
