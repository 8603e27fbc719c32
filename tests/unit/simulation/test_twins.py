"""The array model against the plain one: the same events, bit for bit."""

from collections.abc import Iterator

import numpy as np
import pytest

from simulation.core.model import Metaverse
from simulation.core.output import TickOutput
from simulation.reference import PlainMetaverse
from simulation.scenarios import load
from simulation.scenarios.changes import WORLD_NAMES
from simulation.scenarios.model import Scenario
from tests.unit.simulation.orders import command_batch, offers_to_everyone


def assert_same(one: TickOutput, other: TickOutput) -> None:
    """Equal to the bit: batches are compared as bytes, so that NaN equals NaN."""
    for name in ("events", "outcomes", "truth"):
        assert getattr(one, name).serialize().equals(getattr(other, name).serialize()), (one.tick, name)


def pair(scenario: Scenario, ticks: int, offers_every: int = 0) -> Iterator[tuple[TickOutput, TickOutput]]:
    """Both models stepped side by side, given the same offers."""
    fast, plain = Metaverse(scenario), PlainMetaverse(scenario)
    for step in range(ticks):
        if offers_every and step % offers_every == 0:
            orders = offers_to_everyone(fast, practice=1 + step // offers_every % 5)
            assert len(fast.apply(orders)) == len(plain.apply(orders)) == orders.num_rows
        fast.step()
        plain.step()
        yield fast.drain(), plain.drain()


@pytest.mark.parametrize("world", WORLD_NAMES)
def test_each_world_alone_gives_identical_events(world: str) -> None:
    scenario = load("tiny", {"people": "60", "worlds": f"{{{world}: 1}}"})
    events = 0
    for fast, plain in pair(scenario, 150):
        assert_same(fast, plain)
        events += fast.events.num_rows
    assert events > 500


def test_all_worlds_with_offers_give_identical_events() -> None:
    kinds: set[int] = set()
    for fast, plain in pair(load("tiny", {"people": "120"}), 240, offers_every=40):
        assert_same(fast, plain)
        kinds.update(fast.events.column("kind").to_pylist())
    assert {30, 31, 32, 33, 34} <= kinds


def test_orders_that_cannot_be_applied_are_counted_alike() -> None:
    scenario = load("tiny", {"people": "40"})
    fast, plain = Metaverse(scenario), PlainMetaverse(scenario)
    for _ in range(60):
        fast.step()
        plain.step()
    everyone = fast.persons
    late = command_batch(everyone, fast.tick - 30)
    assert len(fast.apply(late)) == len(plain.apply(late)) == 0
    assert fast.refused == plain.refused
    assert fast.refused["expired"] == len(everyone)


@pytest.mark.parametrize("shards", [2, 4])
def test_shards_with_exchanged_sums_give_the_events_of_the_whole(shards: int) -> None:
    scenario = load("tiny", {"people": "150"})
    whole = Metaverse(scenario)
    parts = [Metaverse(scenario, shard=(index, shards)) for index in range(shards)]
    for _ in range(120):
        whole.step()
        for part in parts:
            part.step()
        totals = np.sum([part.circle_sums() for part in parts], axis=0)
        for part in parts:
            part.exchange(totals)
        ids = np.sort(whole.drain().events.column("event_id").to_numpy())
        of_parts = [part.drain().events.column("event_id").to_numpy() for part in parts]
        assert np.array_equal(np.sort(np.concatenate(of_parts)), ids)
    assert np.array_equal(
        np.sort(np.concatenate([part.people["mood"] for part in parts])), np.sort(whole.people["mood"])
    )
