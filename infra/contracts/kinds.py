"""The kinds of events: facts in the past tense, each with its world, payload family and role."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from infra.contracts.worlds import World


class Role(StrEnum):
    """What an event is for: exposures are what responses answer; signals and checks observe the person."""

    FACT = "fact"
    EXPOSURE = "exposure"
    RESPONSE = "response"
    SIGNAL = "signal"
    PRACTICE = "practice"
    CHECK = "check"


class EventKind(IntEnum):
    """Code of an event kind on the wire. Codes are never reused; new kinds take new codes."""

    SESSION_STARTED = 1
    SESSION_ENDED = 2
    WORLD_ENTERED = 3
    PAGE_BROWSED = 4
    ITEM_CLICKED = 5
    ITEM_SHOWN = 6
    ITEM_ACTED = 7
    EMOTION_READ = 20
    GAZE_SAMPLED = 21
    OFFER_SHOWN = 30
    OFFER_ACCEPTED = 31
    OFFER_DISMISSED = 32
    PRACTICE_COMPLETED = 33
    PRACTICE_ABANDONED = 34
    ATTENTION_CHECKED = 40
    MEMORY_CHECKED = 41
    REACTION_TIMED = 42
    POST_PUBLISHED = 101
    COMMENT_SEEN = 102
    COMMENT_POSTED = 103
    VIDEO_CALL_JOINED = 104
    VIDEO_CALL_ENDED = 105
    LESSON_STARTED = 201
    LESSON_COMPLETED = 202
    QUIZ_SHOWN = 203
    QUIZ_ANSWERED = 204
    TASK_STARTED = 301
    TASK_COMPLETED = 302
    MEETING_JOINED = 303
    MESSAGE_DELIVERED = 304
    MESSAGE_ANSWERED = 305
    ERROR_MADE = 306
    QUEST_OFFERED = 401
    QUEST_STARTED = 402
    QUEST_COMPLETED = 403
    MATCH_PLAYED = 404
    CHECK_IN_PROMPTED = 501
    CHECK_IN_COMPLETED = 502
    SYMPTOMS_REPORTED = 503
    THERAPY_ATTENDED = 504
    HOMEWORK_COMPLETED = 505


@dataclass(frozen=True, kw_only=True)
class KindSpec:
    """One event kind: its code, its CamelCase name on the wire, its payload family, its world and its role.

    `world` is None where the kind can happen in every world; `family` is None where there is no payload.
    """

    kind: EventKind
    name: str
    family: str | None
    world: World | None
    role: Role


def _camel_case(kind: EventKind) -> str:
    return "".join(word.capitalize() for word in kind.name.split("_"))


_FAMILY_OF_WORLD = {
    World.SOCIAL: "social",
    World.LEARNING: "learning",
    World.WORK: "work",
    World.GAMING: "gaming",
    World.MEDICAL: "medical",
}
_EXPOSURES = {
    EventKind.ITEM_SHOWN,
    EventKind.COMMENT_SEEN,
    EventKind.QUIZ_SHOWN,
    EventKind.MESSAGE_DELIVERED,
    EventKind.QUEST_OFFERED,
    EventKind.CHECK_IN_PROMPTED,
}
_RESPONSES = {
    EventKind.ITEM_ACTED,
    EventKind.COMMENT_POSTED,
    EventKind.QUIZ_ANSWERED,
    EventKind.MESSAGE_ANSWERED,
    EventKind.QUEST_STARTED,
    EventKind.CHECK_IN_COMPLETED,
}


def _spec(kind: EventKind) -> KindSpec:
    world = World(kind // 100) if kind >= 100 else None
    family: str | None = _FAMILY_OF_WORLD.get(world, "activity") if world else "activity"
    role = Role.FACT
    if kind in _EXPOSURES:
        role = Role.EXPOSURE
    elif kind in _RESPONSES:
        role = Role.RESPONSE
    elif 20 <= kind < 30:
        role, family = Role.SIGNAL, "emotion" if kind == EventKind.EMOTION_READ else "gaze"
    elif 30 <= kind < 40:
        role, family = Role.PRACTICE, "practice"
    elif 40 <= kind < 50:
        role, family = Role.CHECK, None
    return KindSpec(kind=kind, name=_camel_case(kind), family=family, world=world, role=role)


KINDS: dict[EventKind, KindSpec] = {kind: _spec(kind) for kind in EventKind}
KIND_BY_NAME: dict[str, EventKind] = {spec.name: kind for kind, spec in KINDS.items()}
EXPOSURES: frozenset[EventKind] = frozenset(_EXPOSURES)
RESPONSES: frozenset[EventKind] = frozenset(_RESPONSES)
