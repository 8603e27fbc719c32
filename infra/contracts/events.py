"""The event: one thing that happened to one person, past tense."""

from infra.contracts.fields import Field, Record, Struct

_ENVELOPE = (
    Field("event_id", "u64", "Deterministic id, unique with the frame's source"),
    Field("person", "u64", "Pseudonym"),
    Field("seq", "u32", "Ordinal of the event among the person's events of this source, gapless from 0"),
    Field("world", "u8", "World the person was in (worlds.World)"),
    Field("kind", "u16", "What happened (kinds.EventKind)"),
    Field("in_reply_to", "u64", "event_id of the exposure that a response answers; 0 where there is none"),
    Field("occurred_at", "i64", "When it happened, simulated time, UTC", "µs"),
    Field("utc_offset_minutes", "i16", "Local time less UTC", "min"),
    Field("intended_at", "i64", "Wall time at which it should have been emitted; 0 where not paced", "µs"),
)
_ITEM = Field("item", "u32", "What it was about: page, item, post, lesson, task, quest, or form number")
_DURATION = Field("duration_s", "f32", "How long it took", "s")
_IMPORTANCE = Field("importance", "f32", "How much it matters, 0 to 1")
_DIFFICULTY = Field("difficulty", "f32", "How hard it is, 0 to 1")
_PEER = Field("peer", "u64", "Pseudonym of the other person; 0 where there is none")

EVENT = Record(
    name="events",
    version=1,
    fields=(
        *_ENVELOPE,
        Struct("activity", (_ITEM, _DURATION), "Sessions, moves, browsing, clicks, items shown and acted on"),
        Struct(
            "social",
            (_ITEM, _PEER, Field("sentiment", "f32", "Tone of the text, -1 to 1"), _IMPORTANCE, _DURATION),
            "Posts, comments and calls",
        ),
        Struct(
            "learning",
            (_ITEM, _DIFFICULTY, Field("score", "f32", "Share of right answers, 0 to 1"), _DURATION),
            "Lessons and quizzes",
        ),
        Struct(
            "work",
            (_ITEM, _PEER, _IMPORTANCE, _DIFFICULTY, Field("errors", "u16", "Errors made"), _DURATION),
            "Tasks, meetings, messages and errors",
        ),
        Struct(
            "gaming",
            (
                _ITEM,
                Field("challenge", "f32", "Challenge against skill, 0 to 1"),
                Field("won", "u8", "1 when won or done"),
                _DURATION,
            ),
            "Quests and matches",
        ),
        Struct(
            "medical",
            (
                _ITEM,
                Field("scale", "u8", "Which scale: 0 none, 1 mood, 2 worry"),
                Field("completion", "f32", "Share of the form, session or homework that was done, 0 to 1"),
                _DURATION,
            ),
            "Check-ins, symptom scales, therapy and homework",
        ),
        Struct(
            "emotion",
            (
                Field("channel", "u8", "Where it was read: 1 face, 2 voice"),
                Field("valence", "f32", "Unpleasant to pleasant, -1 to 1"),
                Field("arousal", "f32", "Calm to excited, -1 to 1"),
                Field("confidence", "f32", "Confidence of the reading, 0 to 1"),
            ),
            "A reading of emotion from face or voice",
        ),
        Struct(
            "gaze",
            (
                Field("on_task", "f32", "Share of samples on the task, 0 to 1"),
                Field("samples", "u16", "Samples behind the share"),
            ),
            "Where the person looked in the past minute",
        ),
        Struct(
            "practice",
            (
                Field("command", "u64", "command_id of the order that led to it"),
                Field("practice", "u8", "Which practice (commands.Practice)"),
                Field("minutes", "f32", "Minutes offered, or done", "min"),
            ),
            "Offers and practices",
        ),
        Struct(
            "sensitive",
            (
                Field("key_id", "u32", "Key that the content is encrypted under; 0 where it is not"),
                Field("text", "binary", "Free text, UTF-8"),
                Field("symptoms", "binary", "Symptom item scores, little-endian float32"),
            ),
            "What must be erasable: free text and symptoms",
        ),
    ),
)
"""The event record, version 1."""
