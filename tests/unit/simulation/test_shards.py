"""Shards: who belongs to which, and that their number changes nothing but the work."""

import numpy as np
import pytest

from infra.contracts.errors import BadInput
from infra.contracts.identity import Pseudonyms, partition_of
from infra.contracts.topics import PARTITIONS
from simulation.core.model import Metaverse
from simulation.core.shards import numbers_of, partitions_of, place_of
from simulation.scenarios import load
from simulation.shards.shard import DigestOutlet, Shard, ShardPlan, merged
from simulation.shards.together import run_together
from tests.unit.simulation.orders import offers_to_everyone

NAMES = Pseudonyms(b"a key")


def plan(shards: int, **changes: str) -> ShardPlan:
    """The tiny scenario, cut into shards that digest what they write."""
    return ShardPlan(scenario=load("tiny", changes), seed=11, shards=shards, outlet=DigestOutlet)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_everybody_is_in_one_shard_and_each_partition_has_one_writer(count: int) -> None:
    parts = [numbers_of((index, count), 500, NAMES) for index in range(count)]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(500))
    written = [partitions_of((index, count)) for index in range(count)]
    assert sorted(number for own in written for number in own) == list(range(PARTITIONS))
    for own, numbers in zip(written, parts, strict=True):
        assert set(partition_of(NAMES.encode(numbers.astype(np.uint64)))) <= set(own)


@pytest.mark.parametrize("shard", [(0, 0), (0, 5), (2, 2), (-1, 2)])
def test_shards_that_cannot_be_are_refused(shard: tuple[int, int]) -> None:
    with pytest.raises(BadInput, match="give 1 to 4 shards"):
        partitions_of(shard)


def test_a_person_is_found_in_the_own_shard_only() -> None:
    numbers = np.array([1, 4, 9])
    assert [place_of(number, numbers) for number in (0, 1, 4, 5, 9, 10)] == [None, 0, 1, None, 2, None]


@pytest.mark.parametrize("shards", [2, 3, 4])
def test_the_digest_does_not_depend_on_the_number_of_shards(shards: int) -> None:
    whole = merged(run_together(plan(1), 90))
    assert whole.rows > 500
    assert merged(run_together(plan(shards), 90)).hexdigest() == whole.hexdigest()


def test_without_the_exchange_shards_would_live_differently() -> None:
    parts = [Shard(plan(2), index) for index in range(2)]
    for _ in range(90):
        for part in parts:
            part.live(None)
            part.write()
    assert merged([part.finish() for part in parts]).hexdigest() != merged(run_together(plan(1), 90)).hexdigest()


def test_a_shard_tells_its_people_and_their_memory() -> None:
    told = run_together(plan(2), 2)
    assert sum(one.people for one in told) == 200
    assert all(one.nbytes > one.people * Metaverse(load("tiny")).people.itemsize for one in told)


def test_the_rows_of_a_shard_come_by_partition_and_are_those_of_the_whole() -> None:
    scenario = load("tiny")
    model, twin = Metaverse(scenario, shard=(1, 2)), Metaverse(scenario, shard=(1, 2))
    for _ in range(60):
        model.step()
        twin.step()
    parts, whole = model.drain_parts(), twin.drain()
    assert list(parts) == [1, 3]
    for partition, output in parts.items():
        persons = output.events.column("person").to_numpy()
        assert len(persons) > 0
        assert set(partition_of(persons)) == {partition}
        keys = list(zip(persons.tolist(), output.events.column("seq").to_pylist(), strict=True))
        assert keys == sorted(keys)
    rows = [row for output in parts.values() for row in output.events.to_pylist()]
    assert sorted(rows, key=lambda row: (row["person"], row["seq"])) == whole.events.to_pylist()


def test_an_order_reaches_the_shard_that_has_the_person() -> None:
    parts = [Metaverse(load("tiny"), shard=(index, 2)) for index in range(2)]
    for _ in range(60):
        for part in parts:
            part.step()
    orders = offers_to_everyone(parts[1])
    assert len(parts[0].apply(orders)) == 0
    assert parts[1].apply(orders).tolist() == orders.column("command_id").to_pylist()
