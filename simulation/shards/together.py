"""Shards in one process, one after another: what the distributed form must equal."""

import numpy as np

from simulation.shards.shard import Shard, ShardPlan, Sums, Told


def run_together(plan: ShardPlan, ticks: int) -> list[Told]:
    """Step all shards through `ticks` minutes; what each tells."""
    shards = [Shard(plan, index) for index in range(plan.shards)]
    totals: Sums | None = None
    for _ in range(ticks):
        totals = np.sum([shard.live(totals) for shard in shards], axis=0, dtype=np.int32)
        for shard in shards:
            shard.write()
    return [shard.finish() for shard in shards]
