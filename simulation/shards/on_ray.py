"""Shards as Ray actors, one process each.

An actor call has a shard live some minutes. Within it shards exchange their circle sums directly, over connections of
their own (`links`): neither Ray nor the driver is on the way of a minute, and while sums travel a shard writes out its
rows. The driver hands out a few calls ahead, so that no shard waits for it.
"""

import secrets
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from infra.contracts.errors import EnvironmentFailed
from simulation.core.shards import partitions_of
from simulation.shards.links import Address, LinkLost, Links
from simulation.shards.shard import Shard, ShardPlan, Sums, Told

MINUTES_A_CALL = 4
"""A call costs a millisecond or two of a core; a stop takes effect between two calls."""
AHEAD = 2
"""Calls that are handed out before the first of them is done: a shard never waits for the driver."""
_WAIT_S = 0.25
"""How long a wait for a shard may last before the driver looks up."""


class ShardActor:
    """What runs in the actor: a shard, its links, and a thread in which sums travel."""

    def __init__(self, plan: ShardPlan, index: int, key: bytes) -> None:
        self._shard = Shard(plan, index)
        self._links = Links(index, key)
        self._mail = ThreadPoolExecutor(1, thread_name_prefix="sums")
        self._totals: Future[Sums] | None = None

    def address(self) -> Address:
        """Where its links listen."""
        return self._links.address

    def join(self, addresses: list[Address]) -> None:
        """Connect with the others; `addresses` by index."""
        self._links.join(addresses)

    def minutes(self, count: int) -> int:
        """Live `count` minutes; how many. On an error the links end, so that the others end too."""
        try:
            for _ in range(count):
                sums = self._shard.live(self._totals.result() if self._totals else None)
                self._totals = self._mail.submit(self._links.exchange, sums)
                self._shard.write()
        except BaseException:
            self._links.close()
            raise
        return count

    def finish(self) -> Told:
        """Close the outlet."""
        return self._shard.finish()


class RayShards:
    """The actors of a plan; a context manager. Ray must be running (`infra.hosting.ray_session`)."""

    def __init__(self, plan: ShardPlan) -> None:
        for index in range(plan.shards):
            partitions_of((index, plan.shards))
        self.plan = plan
        self.done = 0
        self._actors: list[Any] = []
        self._under_way: deque[tuple[int, list[Any]]] = deque()

    def __enter__(self) -> Self:
        import ray  # noqa: PLC0415  heavy: only where Ray is used

        actor, key = ray.remote(num_cpus=1, max_restarts=0)(ShardActor), secrets.token_bytes(32)
        self._actors = [actor.remote(self.plan, index, key) for index in range(self.plan.shards)]
        addresses = _fetched([actor.address.remote() for actor in self._actors])
        _fetched([actor.join.remote(addresses) for actor in self._actors])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import ray  # noqa: PLC0415  as above

        for actor in self._actors:
            ray.kill(actor)
        self._actors.clear()

    def advance(self, ticks: int, watch: Callable[[int], bool] = lambda _: True) -> bool:
        """Step all shards through `ticks` minutes; whether all were done.

        `watch` is called with the minutes done, a few times a second; when it says False no more are begun. Raises
        EnvironmentFailed when a shard died, and what a shard raised where it did not.
        """
        begun = 0
        go_on = True
        while begun < ticks and go_on:
            count = min(MINUTES_A_CALL, ticks - begun)
            self._under_way.append((count, [actor.minutes.remote(count) for actor in self._actors]))
            begun += count
            while len(self._under_way) >= AHEAD:
                go_on = self._await_oldest(watch)
        while self._under_way:
            self._await_oldest(watch)
        return begun == ticks

    def finish(self) -> list[Told]:
        """Close all outlets; what each shard tells, in the order of their indices."""
        return _fetched([actor.finish.remote() for actor in self._actors])

    def _await_oldest(self, watch: Callable[[int], bool]) -> bool:
        import ray  # noqa: PLC0415  as above

        count, waiting = self._under_way.popleft()
        called, go_on = list(waiting), True
        while waiting:
            _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=_WAIT_S)
            go_on = watch(self.done) and go_on
        _fetched(called)
        self.done += count
        return go_on


def _fetched(references: list[Any]) -> list[Any]:
    """What the calls returned. Where some failed: the error that the others' lost links follow from."""
    import ray  # noqa: PLC0415  as above

    values, problems = [], []
    for reference in references:
        try:
            values.append(ray.get(reference))
        except ray.exceptions.RayTaskError as problem:
            problems.append(problem.cause)
        except ray.exceptions.RayError as problem:
            problems.append(
                EnvironmentFailed(
                    f"a shard of the population ended: {problem}; is there enough memory? Run it with fewer people"
                )
            )
    if problems:
        raise min(problems, key=lambda problem: isinstance(problem, LinkLost))
    return values
