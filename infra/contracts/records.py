"""Every record that crosses the wire, by stream."""

from infra.contracts.commands import COMMAND
from infra.contracts.decisions import DECISION
from infra.contracts.errors import BadInput
from infra.contracts.events import EVENT
from infra.contracts.fields import Field, Record

OUTCOME = Record(
    name="outcomes",
    version=1,
    fields=(
        Field("event_id", "u64", "Deterministic id of the check"),
        Field("person", "u64", "Pseudonym"),
        Field("seq", "u32", "Ordinal among the person's checks, gapless from 0"),
        Field("kind", "u16", "Which check (kinds.EventKind, 40 to 42)"),
        Field("world", "u8", "World the person was in (worlds.World)"),
        Field("occurred_at", "i64", "When it happened, simulated time, UTC", "µs"),
        Field("intended_at", "i64", "Wall time at which it should have been emitted; 0 where not paced", "µs"),
        Field("passed", "u8", "1 when passed, 0 when failed"),
        Field("reaction_ms", "f32", "Reaction time; NaN where there was none", "ms"),
        Field("span", "u8", "Memory span reached; 0 for other checks"),
    ),
)
"""An attention, memory or reaction check, version 1."""

SCORE = Record(
    name="scores",
    version=1,
    fields=(
        Field("event_id", "u64", "The event scored"),
        Field("person", "u64", "Pseudonym"),
        Field("seq", "u32", "Ordinal of the event scored"),
        Field("occurred_at", "i64", "Simulated time of the event", "µs"),
        Field("intended_at", "i64", "intended_at of the event", "µs"),
        Field("interaction", "f32", "Probability that the exposure is acted on; NaN where it is no exposure"),
        Field("lapse", "f32", "Probability of a failed attention check within ten minutes, given a check"),
    ),
)
"""The score of one event, version 1; the model's version is an attribute of the frame."""

TRUTH = Record(
    name="truth",
    version=1,
    fields=(
        Field("person", "u64", "Pseudonym"),
        Field("tick", "i64", "Tick it is true of"),
        Field("kind", "u16", "Event kind that the probability belongs to; 0 for a row of latent state"),
        Field("ref", "u64", "event_id of the exposure or check it is the probability of; 0 for a state row"),
        Field("probability", "f64", "True probability of acting, or of failing the check; NaN for a state row"),
        Field("focus", "f32", "Latent focus, 0 to 1"),
        Field("fatigue", "f32", "Latent fatigue, 0 to 1"),
        Field("stress", "f32", "Latent stress, 0 to 1"),
        Field("mood", "f32", "Latent mood, -1 to 1"),
        Field("wandering", "u8", "1 while the mind wanders"),
    ),
)
"""What only the simulator knows, version 1."""

POTENTIAL = Record(
    name="potential",
    version=1,
    fields=(
        Field("person", "u64", "Pseudonym"),
        Field("tick", "i64", "Tick of the decision point: the action takes place in the next one"),
        Field("action", "u8", "What is done (commands.Practice); 0 is no offer"),
        Field("accepted", "u8", "1 when the offer is taken up"),
        Field("receptivity", "f64", "True probability of taking up an offer, as the person is at the decision point"),
        Field("session_minutes", "f32", "Minutes in a session in the hour after", "min"),
        Field("focus_minutes", "f32", "Of these, minutes neither wandering nor practising", "min"),
        Field("practice_minutes", "f32", "Minutes practised in the hour after, of what has ended by then", "min"),
        Field("lapses", "f64", "Expected number of failed attention checks in the hour after"),
        Field("stress", "f64", "Mean stress of these minutes, 0 to 1; NaN where there are none"),
        Field("mood", "f64", "Mean feeling of these minutes, -1 to 1; NaN where there are none"),
    ),
)
"""What would come of one action at a sampled decision point, version 1: all else equal, one row an action.

It is never on a topic and never in the lake: `calmverse oracle` works it out and puts it beside the truth.
"""

_IN_BOTH_WORLDS = (
    ("stress", "Mean stress in sessions, 0 to 1", ""),
    ("mood", "Mean feeling in sessions, -1 to 1", ""),
    ("focus_minutes", "Minutes a day in focus", "min"),
    ("lapse_rate", "Failed attention checks, as a share", ""),
)

INTERFERENCE = Record(
    name="interference",
    version=1,
    fields=(
        Field("person", "u64", "Pseudonym"),
        Field("circle", "u32", "The circle of friends that influences the person"),
        Field("treated", "u8", "1 when the person is in the half of the circle that is treated"),
        Field("offers", "u32", "Offers shown to the person in the world with treatment"),
        *(
            Field(f"{name}_{world}", "f64", f"{about}; {world} treatment", unit)
            for name, about, unit in _IN_BOTH_WORLDS
            for world in ("without", "with")
        ),
    ),
)
"""What becomes of a person when half of every circle is treated, and when nobody is, version 1: one row a person.

It is never on a topic and never in the lake: `calmverse bench spillover` puts it with the truth.
"""

RECORDS: dict[str, Record] = {
    record.name: record for record in (EVENT, OUTCOME, SCORE, DECISION, COMMAND, TRUTH, POTENTIAL, INTERFERENCE)
}


def record_of(stream: str) -> Record:
    """The record type of a stream; raises BadInput where there is no such stream."""
    try:
        return RECORDS[stream]
    except KeyError:
        raise BadInput(f"unknown stream {stream!r}: choose one of {', '.join(RECORDS)}") from None
