"""What synthetic people do, as data: how often each kind of event happens in each world, and what follows on what.

The numbers shape a load; they are not estimates of behaviour (`simulation` is for that). Practices are left out: the
load is open-loop, so nobody in it takes up an offer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from infra.contracts.worlds import World

WORLD_SHARES: Mapping[World, float] = {
    World.SOCIAL: 0.30,
    World.LEARNING: 0.20,
    World.WORK: 0.25,
    World.GAMING: 0.15,
    World.MEDICAL: 0.10,
}
"""Where people go when they begin a session or move."""

_EVERYWHERE: Mapping[EventKind, float] = {
    EventKind.PAGE_BROWSED: 0.12,
    EventKind.ITEM_CLICKED: 0.08,
    EventKind.ITEM_SHOWN: 0.10,
    EventKind.EMOTION_READ: 0.10,
    EventKind.GAZE_SAMPLED: 0.12,
    EventKind.SESSION_ENDED: 0.015,
    EventKind.WORLD_ENTERED: 0.015,
}
_IN_WORLD: Mapping[World, Mapping[EventKind, float]] = {
    World.SOCIAL: {
        EventKind.POST_PUBLISHED: 0.05,
        EventKind.COMMENT_SEEN: 0.32,
        EventKind.VIDEO_CALL_JOINED: 0.08,
    },
    World.LEARNING: {EventKind.LESSON_STARTED: 0.15, EventKind.QUIZ_SHOWN: 0.30},
    World.WORK: {
        EventKind.TASK_STARTED: 0.12,
        EventKind.MEETING_JOINED: 0.05,
        EventKind.MESSAGE_DELIVERED: 0.23,
        EventKind.ERROR_MADE: 0.05,
    },
    World.GAMING: {EventKind.QUEST_OFFERED: 0.25, EventKind.MATCH_PLAYED: 0.20},
    World.MEDICAL: {
        EventKind.CHECK_IN_PROMPTED: 0.25,
        EventKind.SYMPTOMS_REPORTED: 0.08,
        EventKind.THERAPY_ATTENDED: 0.06,
        EventKind.HOMEWORK_COMPLETED: 0.06,
    },
}
FOLLOW_UPS: Mapping[EventKind, tuple[EventKind, float]] = {
    EventKind.ITEM_SHOWN: (EventKind.ITEM_ACTED, 0.30),
    EventKind.COMMENT_SEEN: (EventKind.COMMENT_POSTED, 0.25),
    EventKind.QUIZ_SHOWN: (EventKind.QUIZ_ANSWERED, 0.70),
    EventKind.MESSAGE_DELIVERED: (EventKind.MESSAGE_ANSWERED, 0.50),
    EventKind.QUEST_OFFERED: (EventKind.QUEST_STARTED, 0.50),
    EventKind.CHECK_IN_PROMPTED: (EventKind.CHECK_IN_COMPLETED, 0.60),
    EventKind.QUEST_STARTED: (EventKind.QUEST_COMPLETED, 0.80),
    EventKind.LESSON_STARTED: (EventKind.LESSON_COMPLETED, 0.80),
    EventKind.TASK_STARTED: (EventKind.TASK_COMPLETED, 0.80),
    EventKind.VIDEO_CALL_JOINED: (EventKind.VIDEO_CALL_ENDED, 1.00),
}
"""What a person's next event is after one of these, and how likely: a response to an exposure, an end to a start."""

_CODES = max(EventKind) + 1


@dataclass(frozen=True)
class MixTables:
    """The mix as arrays. Legend: w world codes (0..5), c choices, k event codes (0..max)."""

    worlds: NDArray[np.float64]  # (w,) cumulative share of world codes
    choices: NDArray[np.float64]  # (w, c) cumulative share of each choice in each world
    kinds: NDArray[np.uint16]  # (w, c) the kind each choice stands for
    follow_kind: NDArray[np.uint16]  # (k,) what follows on a kind, 0 where nothing does
    follow_share: NDArray[np.float64]  # (k,) and how likely

    def pick_worlds(self, draws: NDArray[np.float64]) -> NDArray[np.uint8]:
        """World codes for uniform draws, same shape."""
        return np.searchsorted(self.worlds, draws, side="right").astype(np.uint8)

    def pick_kinds(self, worlds: NDArray[np.uint8], draws: NDArray[np.float64]) -> NDArray[np.uint16]:
        """Kinds for people in `worlds` (never 0) and uniform draws, both (n,)."""
        choice = (draws[:, None] >= self.choices[worlds]).sum(axis=1)
        picked: NDArray[np.uint16] = self.kinds[worlds, choice]
        return picked


def build_tables() -> MixTables:
    """The tables of this module as arrays."""
    rows = {world: {**_EVERYWHERE, **kinds} for world, kinds in _IN_WORLD.items()}
    widest = max(len(row) for row in rows.values())
    choices = np.ones((len(World), widest))
    kinds = np.zeros((len(World), widest), dtype=np.uint16)
    for world, row in rows.items():
        shares = np.cumsum(list(row.values()))
        choices[world, : len(row) - 1] = (shares / shares[-1])[:-1]
        kinds[world, : len(row)] = list(row)
    follow_kind = np.zeros(_CODES, dtype=np.uint16)
    follow_share = np.zeros(_CODES)
    for kind, (follower, share) in FOLLOW_UPS.items():
        follow_kind[kind], follow_share[kind] = follower, share
    by_code = np.array([WORLD_SHARES.get(world, 0.0) for world in World])
    order = np.zeros(len(World))
    order[[int(world) for world in World]] = by_code
    cumulative = np.cumsum(order)
    cumulative[-1] = 1.0
    return MixTables(cumulative, choices, kinds, follow_kind, follow_share)
