"""Shards as Ray actors: the same digest as in one process, and a clear end when one dies."""

from collections.abc import Iterator

import pytest

from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.hosting.ray_session import ray_session
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput
from simulation.scenarios import load
from simulation.shards.on_ray import RayShards
from simulation.shards.shard import DigestOutlet, OpenOutlet, ShardPlan, merged
from simulation.shards.together import run_together

pytestmark = [
    pytest.mark.integration,
    # Ray leaves sockets and subprocesses to the interpreter's end, and warns of its own future.
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore"),
]
TICKS = 60


class RefusingOutlet(DigestOutlet):
    """Refuses the rows of the third tick."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self._taken = 0

    def take(self, parts: dict[int, TickOutput], population: Metaverse) -> None:
        self._taken += 1
        if self._taken == 3:
            raise BadInput("enough: take fewer")
        super().take(parts, population)


@pytest.fixture(scope="module", autouse=True)
def ray() -> Iterator[None]:
    with ray_session(cpus=5):
        yield


def plan(shards: int, outlet: OpenOutlet = DigestOutlet) -> ShardPlan:
    return ShardPlan(scenario=load("tiny"), seed=11, shards=shards, outlet=outlet)


@pytest.mark.parametrize("shards", [1, 2, 4])
def test_actors_give_the_digest_of_one_process(shards: int) -> None:
    with RayShards(plan(shards)) as actors:
        assert actors.advance(TICKS)
        digest = merged(actors.finish())
    assert actors.done == TICKS
    assert digest.rows > 300
    assert digest.hexdigest() == merged(run_together(plan(1), TICKS)).hexdigest()


def test_a_run_can_be_stopped_between_two_ticks_and_is_whole_until_there() -> None:
    with RayShards(plan(2)) as actors:
        assert not actors.advance(TICKS, watch=lambda done: done < 20)
        digest = merged(actors.finish())
    assert 20 <= actors.done < TICKS
    assert digest.hexdigest() == merged(run_together(plan(1), actors.done)).hexdigest()


def test_what_a_shard_refuses_is_told_as_it_was() -> None:
    with RayShards(plan(2, RefusingOutlet)) as actors, pytest.raises(BadInput, match=r"^enough: take fewer$"):
        actors.advance(TICKS)


def test_a_shard_that_dies_ends_the_run_with_a_word() -> None:
    import ray  # noqa: PLC0415  heavy: only where Ray is used

    with RayShards(plan(2)) as actors:
        actors.advance(5)
        ray.kill(actors._actors[1])
        with pytest.raises(EnvironmentFailed, match="a shard of the population ended"):
            actors.advance(TICKS)
