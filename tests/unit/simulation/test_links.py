"""Links of shards: everybody gets the sum of all, whatever its size, and hears at once when one is gone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest

from infra.contracts.errors import EnvironmentFailed
from simulation.shards.links import LinkLost, Links

pytestmark = pytest.mark.timeout(300)
KEY = b"a key that all shards of a run have"


def together(count: int, work: Callable[[Links, int], object]) -> list[object]:
    """Join `count` links, each in a thread of its own, and do `work` there; what each returns."""
    with ExitStack() as stack, ThreadPoolExecutor(count) as pool:
        links = [stack.enter_context(Links(index, KEY)) for index in range(count)]
        addresses = [link.address for link in links]
        for joined in [pool.submit(link.join, addresses) for link in links]:
            joined.result(120)
        return [done.result(120) for done in [pool.submit(work, link, index) for index, link in enumerate(links)]]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_everybody_gets_the_sum_of_all_tick_by_tick(count: int) -> None:
    def work(link: Links, index: int) -> list[int]:
        rounds = [link.exchange(np.full((5, 3), 10**index * tick, np.int32)) for tick in range(1, 4)]
        assert all((totals == totals[0, 0]).all() for totals in rounds)
        return [int(totals[0, 0]) for totals in rounds]

    ones = sum(10**index for index in range(count))
    assert together(count, work) == [[ones, 2 * ones, 3 * ones]] * count


def test_sums_larger_than_any_buffer_of_the_network_do_not_lock_up() -> None:
    def work(link: Links, index: int) -> int:
        return int(link.exchange(np.full((1_000_000, 3), index, np.int32)).sum())

    assert together(4, work) == [6 * 3_000_000] * 4


def test_who_waits_for_a_shard_that_is_gone_hears_of_it() -> None:
    def work(link: Links, index: int) -> str:
        if index == 1:
            link.close()
            return "closed"
        with pytest.raises(LinkLost, match="a shard of the population is gone"):
            link.exchange(np.zeros((5, 3), np.int32))
        link.close()
        return "heard"

    assert together(3, work) == ["heard", "closed", "heard"]
    assert issubclass(LinkLost, EnvironmentFailed)
