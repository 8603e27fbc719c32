"""Decisions: logged at every eligible point, 'no offer' included, each with the propensity of its final action."""

from enum import IntEnum

from infra.contracts.fields import Field, Record


class Reason(IntEnum):
    """Why an offer was open, or what closed it."""

    OPEN = 0
    DAILY_CAP = 1
    QUIET_HOURS = 2
    COOL_DOWN = 3
    IN_PRACTICE = 4

    @property
    def label(self) -> str:
        """Lower-case words, as people read them."""
        return self.name.lower().replace("_", " ")


DECISION = Record(
    name="decisions",
    version=1,
    fields=(
        Field("decision_id", "u64", "Deterministic id"),
        Field("person", "u64", "Pseudonym"),
        Field("tick", "i64", "Tick decided on"),
        Field("seq", "u32", "Ordinal among the person's decisions, gapless from 0"),
        Field("occurred_at", "i64", "Simulated time of the decision point", "µs"),
        Field("intended_at", "i64", "intended_at of the context event", "µs"),
        Field("action", "u8", "Final action (commands.Practice); 0 is no offer"),
        Field("propensity", "f64", "Probability of the final action, after all caps"),
        Field("available", "u8", "1 when an offer was possible"),
        Field("reason", "u8", "What closed it, where it was not possible (Reason)"),
        Field("context_event", "u64", "event_id of the person's last event before the decision"),
        Field("lapse", "f32", "Lapse score that the policy saw"),
        Field("expires_at", "i64", "Simulated time after which an offer is void", "µs"),
        Field("policy_id", "utf8", "Policy with its parameters"),
        Field("model_version", "utf8", "Model behind the score"),
    ),
)
"""The decision record, version 1."""
