"""One population as shards: stepped apart, their circle sums exchanged once a tick, one digest however many there are.

`shard` is a shard and what becomes of its rows; `together` steps all of them in this process, one after another;
`on_ray` has an actor for each.
"""
