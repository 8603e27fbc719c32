"""Shards as Ray actors, one process each.

A minute of a shard is one actor call. Its arguments are the circle sums that all shards returned for the minute before,
as references: Ray starts the call when they are there, and moves large ones through shared memory. The driver only
hands references on, so that it can be some minutes ahead of the shards and costs them no round trip.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

from infra.contracts.errors import EnvironmentFailed
from simulation.core.shards import partitions_of
from simulation.shards.shard import Shard, ShardPlan, Sums, Told

AHEAD = 4
"""Minutes that are handed out before the first of them is done: a shard never waits for the driver."""
_WAIT_S = 0.25
"""How long a wait for a shard may last before the driver looks up."""


class ShardActor:
    """What runs in the actor: a shard whose minutes return their sums apart from word that they are done."""

    def __init__(self, plan: ShardPlan, index: int) -> None:
        self._shard = Shard(plan, index)

    def minute(self, *sums: Sums) -> tuple[Sums, bool]:
        """One minute; the driver fetches the second value only, which tells it of errors too."""
        return self._shard.advance(*sums), True

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
        self._sums: list[Any] = []
        self._under_way: deque[list[Any]] = deque()

    def __enter__(self) -> Self:
        import ray  # noqa: PLC0415  heavy: only where Ray is used

        actor = ray.remote(num_cpus=1, max_restarts=0)(ShardActor)
        self._actors = [actor.remote(self.plan, index) for index in range(self.plan.shards)]
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
            returned = [actor.minute.options(num_returns=2).remote(*self._sums) for actor in self._actors]
            self._sums = [sums for sums, _ in returned]
            self._under_way.append([done for _, done in returned])
            begun += 1
            while len(self._under_way) >= AHEAD:
                go_on = self._await_oldest(watch)
        while self._under_way:
            self._await_oldest(watch)
        return begun == ticks

    def finish(self) -> list[Told]:
        """Close all outlets; what each shard tells, in the order of their indices."""
        import ray  # noqa: PLC0415  as above

        told: list[Told] = self._guarded(lambda: ray.get([actor.finish.remote() for actor in self._actors]))
        return told

    def _await_oldest(self, watch: Callable[[int], bool]) -> bool:
        import ray  # noqa: PLC0415  as above

        waiting = self._under_way.popleft()
        go_on = True
        while waiting:
            ready, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=_WAIT_S)
            self._guarded(partial(ray.get, ready))
            go_on = watch(self.done) and go_on
        self.done += 1
        return go_on

    @staticmethod
    def _guarded(work: Callable[[], Any]) -> Any:  # noqa: ANN401  whatever the work returns
        import ray  # noqa: PLC0415  as above

        try:
            return work()
        except ray.exceptions.RayTaskError as problem:
            raise problem.cause from None
        except ray.exceptions.RayError as problem:
            raise EnvironmentFailed(
                f"a shard of the population ended: {problem}; is there enough memory? Run it with fewer people"
            ) from problem
