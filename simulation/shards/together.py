"""Shards in one process, one after another: what the distributed form must equal."""

from simulation.shards.shard import Shard, ShardPlan, Sums, Told


def run_together(plan: ShardPlan, ticks: int) -> list[Told]:
    """Step all shards through `ticks` minutes; what each tells."""
    shards = [Shard(plan, index) for index in range(plan.shards)]
    sums: list[Sums] = []
    for _ in range(ticks):
        sums = [shard.advance(*sums) for shard in shards]
    return [shard.finish() for shard in shards]
