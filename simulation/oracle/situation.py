"""What an observer knows for certain of a person, and what the kinds of events say about it."""

from dataclasses import dataclass
from typing import Final

from infra.contracts.kinds import EXPOSURES, RESPONSES, EventKind

_ENDLESS: Final = 2**30
COMES: Final = frozenset({int(EventKind.SESSION_STARTED)})
"""A session begins."""
LIVES: Final = frozenset(range(20, 50))
"""Sensors, offers, practices and checks."""
BEFORE_ACTING: Final = LIVES | COMES | {int(EventKind.SESSION_ENDED), int(EventKind.WORLD_ENTERED)}
"""Kinds that come before what a world does in a minute (`life.live`, and then `act`)."""
_LONG: Final = frozenset(
    {
        int(EventKind.VIDEO_CALL_JOINED),
        int(EventKind.LESSON_STARTED),
        int(EventKind.TASK_STARTED),
        int(EventKind.MEETING_JOINED),
        int(EventKind.QUEST_STARTED),
        int(EventKind.THERAPY_ATTENDED),
    }
)
_OVER: Final = frozenset(
    {
        int(EventKind.VIDEO_CALL_ENDED),
        int(EventKind.LESSON_COMPLETED),
        int(EventKind.TASK_COMPLETED),
        int(EventKind.QUEST_COMPLETED),
    }
)
EXPOSES: Final = frozenset(int(kind) for kind in EXPOSURES)
ANSWERS: Final = frozenset(int(kind) for kind in RESPONSES)
FREES: Final = EXPOSES | {
    int(EventKind.SESSION_ENDED),
    int(EventKind.VIDEO_CALL_JOINED),
    int(EventKind.MEETING_JOINED),
    int(EventKind.THERAPY_ATTENDED),
    int(EventKind.LESSON_COMPLETED),
}
"""What only happens to a person who has no answer under way."""
STILL: Final = frozenset(
    {
        int(EventKind.PAGE_BROWSED),
        int(EventKind.ITEM_CLICKED),
        int(EventKind.POST_PUBLISHED),
        int(EventKind.GAZE_SAMPLED),
        int(EventKind.EMOTION_READ),
        int(EventKind.ATTENTION_CHECKED),
        int(EventKind.MEMORY_CHECKED),
        int(EventKind.REACTION_TIMED),
    }
)
"""What is weighed and changes nothing about a person: a look ahead stays good."""


@dataclass
class Situation:
    """What an observer knows for certain: where the person is, since when, and what they are at."""

    world: int = 0
    ended: int = 0  # tick at which the last session ended, or the data begins
    first: bool = True  # no session has been seen yet
    busy_until: int = 0  # tick until which something seen keeps the person
    practising: bool = False
    free_at: int = 0  # last tick at which the person could have gone and did not
    asked: int | None = None  # tick of the open exposure

    def free(self, tick: int) -> bool:
        """Whether nothing that is seen keeps the person from going in this tick."""
        return not self.practising and self.asked is None and tick > self.busy_until

    def note_practice(self, kind: int) -> None:
        """A practice that was offered begins, or any ends."""
        if kind == EventKind.OFFER_ACCEPTED:
            self.practising = True
        elif kind in (EventKind.PRACTICE_COMPLETED, EventKind.PRACTICE_ABANDONED):
            self.practising = False

    def note_business(self, kind: int, seconds: float, tick: int) -> None:
        """An exposure opens, or something long begins (its end is known of appointments only) or ends."""
        if kind in EXPOSES:
            self.asked = tick
        elif kind in _LONG:
            known = kind in (EventKind.MEETING_JOINED, EventKind.THERAPY_ATTENDED)
            self.busy_until = tick + round(seconds / 60.0) if known else _ENDLESS
        elif kind in _OVER:
            self.busy_until = tick
