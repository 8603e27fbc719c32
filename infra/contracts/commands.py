"""Orders, in the imperative: they expire."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from infra.contracts.fields import Field, Record


class Aim(IntEnum):
    """What a practice is for."""

    RELAX = 1
    MINDFULNESS = 2
    FOCUS = 3

    @property
    def label(self) -> str:
        """Lower-case name, as people read it."""
        return self.name.lower()


class Practice(IntEnum):
    """The practices that can be offered, by kind; NONE is a decision to offer nothing."""

    NONE = 0
    BREATHING = 1
    BODY_SCAN = 2
    MINDFULNESS_OF_BREATH = 3
    FOCUS_TRAINING = 4
    REFLECTION = 5

    @property
    def label(self) -> str:
        """Lower-case words, as people read them."""
        return self.name.lower().replace("_", " ")


AIMS: Final[Mapping[Practice, Aim]] = {
    Practice.BREATHING: Aim.RELAX,
    Practice.BODY_SCAN: Aim.RELAX,
    Practice.MINDFULNESS_OF_BREATH: Aim.MINDFULNESS,
    Practice.FOCUS_TRAINING: Aim.FOCUS,
    Practice.REFLECTION: Aim.MINDFULNESS,
}
"""The aim of each kind of practice."""


COMMAND = Record(
    name="interventions",
    version=1,
    fields=(
        Field("command_id", "u64", "Deterministic id of the order"),
        Field("decision_id", "u64", "The decision it carries out"),
        Field("person", "u64", "Pseudonym"),
        Field("practice", "u8", "Which practice to offer (Practice)"),
        Field("minutes", "f32", "Length of the practice", "min"),
        Field("issued_at", "i64", "Simulated time of the decision", "µs"),
        Field("expires_at", "i64", "Simulated time after which it must not be applied", "µs"),
        Field("intended_at", "i64", "intended_at of the event that led to it", "µs"),
    ),
)
"""OfferPractice, version 1."""
