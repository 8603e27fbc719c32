"""The people of a synthetic stream: who acts next, and what each does, as arrays.

Shape legend: p people, n events of a tick, j draws an event. People are numbered in the order (partition, pseudonym),
so that events sorted by number are sorted by partition, then person.
"""

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import U64Array, bits, mix, uniform
from infra.contracts.identity import partition_of
from infra.contracts.kinds import EXPOSURES, EventKind
from load_tests.synthetic.mix import MixTables, build_tables

DRAWS = 8
"""Uniform draws an event has to itself: 0 follow-up, 1 kind, 2 world, 3 moment, 4 to 7 payload."""

_MAX_ITEMS = 5_000
_EXPOSURE = np.array(sorted(EXPOSURES), dtype=np.uint16)
_OFFSETS = np.array([-480, -300, 0, 60, 120, 330, 480, 540], dtype=np.int16)


class Purpose(IntEnum):
    """What a draw is for: codes of the load tests, beside those of `infra.contracts.draws`."""

    PSEUDONYM = 2001
    ACTOR = 2002
    ACT = 2003
    OFFSET = 2004
    EVENT_ID = 2005


@dataclass
class Acts:
    """What happened in a tick, one row an event, sorted by (partition, person, seq); every array (n,)."""

    who: NDArray[np.int64]  # number of the person
    rank: NDArray[np.int64]  # ordinal among the person's events of the tick
    of: NDArray[np.int64]  # how many events the person has in the tick
    seq: NDArray[np.uint32]
    draws: NDArray[np.float64]  # (n, j)
    event_id: U64Array
    world: NDArray[np.uint8] = field(init=False)
    kind: NDArray[np.uint16] = field(init=False)
    item: NDArray[np.uint32] = field(init=False)
    in_reply_to: U64Array = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.who)
        self.world, self.kind = np.zeros(count, np.uint8), np.zeros(count, np.uint16)
        self.item, self.in_reply_to = np.zeros(count, np.uint32), np.zeros(count, np.uint64)


class Crowd:
    """`people` people and where each of them stands. `act(tick, count)` must be called for ticks in order.

    The stream is a function of (seed, people, the ticks and counts asked for): draws are counter-based.
    """

    def __init__(self, people: int, seed: int) -> None:
        persons = bits(seed, Purpose.PSEUDONYM, np.arange(people, dtype=np.uint64), 0, 0)
        order = np.lexsort((persons, partition_of(persons)))
        self.persons: U64Array = persons[order]
        self.partitions: NDArray[np.int32] = partition_of(self.persons)
        offset = uniform(seed, Purpose.OFFSET, self.persons, 0, 0)
        self.utc_offset_minutes: NDArray[np.int16] = _OFFSETS[(offset * len(_OFFSETS)).astype(np.int64)]
        self._seed = seed
        self._salt = bits(seed, Purpose.EVENT_ID, 0, 0, 0)[0]
        self._mix: MixTables = build_tables()
        self._emitted = 0
        self._next_seq = np.zeros(people, dtype=np.uint32)
        self._world = np.zeros(people, dtype=np.uint8)  # 0: not in a session
        self._last_kind = np.zeros(people, dtype=np.uint16)
        self._last_event = np.zeros(people, dtype=np.uint64)
        self._last_item = np.zeros(people, dtype=np.uint32)

    def __len__(self) -> int:
        return len(self.persons)

    def act(self, tick: int, count: int) -> Acts:
        """The next `count` events, all in `tick`."""
        acts = self._cast(tick, count)
        for turn in range(int(acts.rank.max(initial=-1)) + 1):
            self._play(acts, np.flatnonzero(acts.rank == turn))
        return acts

    def _cast(self, tick: int, count: int) -> Acts:
        """Who acts, and how often."""
        chosen = uniform(self._seed, Purpose.ACTOR, 0, tick, np.arange(count)) if count else np.zeros(0)
        who = np.sort((chosen * len(self.persons)).astype(np.int64))
        unique, first, times = np.unique(who, return_index=True, return_counts=True)
        rank = np.arange(count) - np.repeat(first, times)
        seq = self._next_seq[who] + rank.astype(np.uint32)
        self._next_seq[unique] += times.astype(np.uint32)
        index = rank[:, None] * DRAWS + np.arange(DRAWS)
        draws = np.zeros((0, DRAWS))
        if count:
            draws = uniform(self._seed, Purpose.ACT, self.persons[who][:, None], tick, index)
        ordinals = np.arange(self._emitted, self._emitted + count, dtype=np.uint64)
        self._emitted += count
        # `mix` is a bijection of 64-bit numbers: ids cannot meet.
        ids = mix(ordinals ^ self._salt) if count else ordinals
        return Acts(who, rank, np.repeat(times, times), seq, draws, ids)

    def _play(self, acts: Acts, rows: NDArray[np.int64]) -> None:
        """Decide what the people of these rows do, each at most once, and remember it."""
        who, draws = acts.who[rows], acts.draws[rows]
        before, world = self._last_kind[who], self._world[who]
        absent = world == 0
        follows = ~absent & (draws[:, 0] < self._mix.follow_share[before])
        moved = self._mix.pick_worlds(draws[:, 2])
        kind = self._mix.pick_kinds(np.where(absent, moved, world), draws[:, 1])
        kind = np.where(follows, self._mix.follow_kind[before], kind)
        kind = np.where(absent, np.uint16(EventKind.SESSION_STARTED), kind)
        world = np.where(absent | (kind == EventKind.WORLD_ENTERED), moved, world)
        item = np.where(follows, self._last_item[who], (draws[:, 4] * _MAX_ITEMS).astype(np.uint32))
        answers = follows & np.isin(before, _EXPOSURE)
        acts.kind[rows], acts.world[rows], acts.item[rows] = kind, world, item
        acts.in_reply_to[rows] = np.where(answers, self._last_event[who], np.uint64(0))
        self._remember(who, acts, rows)

    def _remember(self, who: NDArray[np.int64], acts: Acts, rows: NDArray[np.int64]) -> None:
        ended = acts.kind[rows] == EventKind.SESSION_ENDED
        self._world[who] = np.where(ended, np.uint8(0), acts.world[rows])
        self._last_kind[who] = acts.kind[rows]
        self._last_event[who] = acts.event_id[rows]
        self._last_item[who] = acts.item[rows]
