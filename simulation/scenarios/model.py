"""What a scenario says: frozen models, each value with its limits."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from infra.contracts.time import TICK_US
from simulation.cognition.effects import EFFECTS
from simulation.cognition.parameters import Parameters
from simulation.scenarios.changes import (
    WORLD_NAMES,
    Drift,
    Nights,
    Part,
    Phase,
    Rates,
    hours_table,
    no_two_at_once,
    world_values,
)

TICKS_A_DAY = 1440
_EXTENDS = {
    "type": "string",
    "description": "Name or path of the scenario that this one changes; mappings are merged, all else replaced",
}


def _publish_extends(schema: dict[str, Any]) -> None:
    # The loader reads it and is done with it: no scenario in memory extends another.
    schema["properties"]["extends"] = _EXTENDS


class Effects(Part):
    """What practices and interruptions do: a preset, and factors on it."""

    preset: Literal["demo", "null", "strong"] = Field(
        default="demo", description="demo: small, as in the literature; null: none; strong: several times demo"
    )
    practice: float = Field(default=1.0, ge=0, le=100, description="Factor on what a practice does")
    interruption: float = Field(default=1.0, ge=0, le=100, description="Factor on what an offer costs")

    @field_validator("preset", mode="before")
    @classmethod
    def _null_is_a_name(cls, value: object) -> object:
        # YAML reads a bare `null` as nothing.
        return "null" if value is None else value

    @model_validator(mode="after")
    def _null_has_no_factors(self) -> "Effects":
        if self.preset == "null" and (self.practice, self.interruption) != (1.0, 1.0):
            raise ValueError("the null preset has no effects to multiply, remove the factors or choose demo")
        return self


class Checks(Part):
    """How often people in a session are checked."""

    attention_per_hour: float = Field(default=4.5, ge=0, le=30, description="Attention checks an hour")
    memory_per_hour: float = Field(default=0.25, ge=0, le=10, description="Memory checks an hour")
    reaction_per_hour: float = Field(default=0.75, ge=0, le=10, description="Reaction checks an hour")


class Scenario(Part):
    """A population, its worlds and its time. What runs on top (policy, training) is carried along unread."""

    model_config = ConfigDict(json_schema_extra=_publish_extends)

    name: str = Field(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9-]*$", description="Name of the scenario")
    description: str = Field(default="", description="What it is for, in a sentence")
    seed: int = Field(default=7, ge=0, lt=2**63, description="Seed of every random number")
    people: int = Field(ge=1, le=10_000_000, description="How many people")
    start: datetime = Field(
        default=datetime(2026, 3, 2, tzinfo=UTC),
        description="Simulated time at which the warm-up begins; UTC where no offset is given",
    )
    days: float = Field(default=1.0, gt=0, le=366, description="Days of the run, after the warm-up")
    warmup_days: float = Field(default=0.0, ge=0, le=366, description="Days before the run, without offers")
    utc_offsets: tuple[int, ...] = Field(
        default=(0,), min_length=1, max_length=24, description="Time zones people live in, minutes ahead of UTC"
    )
    circle_size: int = Field(default=8, ge=1, le=1000, description="People in a circle of friends")
    worlds: dict[str, float] = Field(
        default_factory=lambda: dict.fromkeys(WORLD_NAMES, 1.0),
        description="How much each world draws people, relative to the others; 0 closes it",
    )
    effects: Effects = Field(default_factory=Effects, description="What practices and offers do")
    checks: Checks = Field(default_factory=Checks, description="How often people are checked")
    hours: dict[str, dict[int, float]] = Field(
        default_factory=dict,
        description="By world: how much it draws people from each of these local hours on, instead of its own hours",
    )
    rates: Rates = Field(default=Rates(), description="Factors on how often things happen, from the beginning")
    phases: tuple[Phase, ...] = Field(
        default=(), max_length=100, description="Hours of the run in which life goes differently, one at a time"
    )
    drift: Drift = Field(default_factory=Drift, description="What changes slowly over the run")
    nights: Nights = Field(default_factory=Nights, description="People who sleep at other times")
    truth_every_minutes: int = Field(
        default=30, ge=1, le=1440, description="Minutes of a session between two rows of a person's hidden state"
    )
    potential_rate: float = Field(
        default=0.002,
        ge=0,
        le=1,
        description="Share of decision points for which `calmverse oracle` tries every action",
    )
    policy: dict[str, Any] = Field(
        default_factory=lambda: {"name": "threshold"}, description="Who is offered what; read by the services"
    )
    training: dict[str, Any] = Field(default_factory=dict, description="How the model is trained; read by the models")

    @field_validator("start")
    @classmethod
    def _starts_on_a_minute(cls, value: datetime) -> datetime:
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        if value.second or value.microsecond or not 1971 <= value.year <= 2100:
            raise ValueError("must be a whole minute between 1971 and 2100")
        return value

    @field_validator("utc_offsets")
    @classmethod
    def _offsets_exist(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(not -720 <= offset <= 840 for offset in value):
            raise ValueError("each must be between -720 and 840 minutes")
        return value

    @field_validator("worlds")
    @classmethod
    def _worlds_are_possible(cls, value: dict[str, float]) -> dict[str, float]:
        value = world_values(value, "weights", 1e6)
        if not any(value.values()):
            raise ValueError("impossible mix: every world is closed, give one of them a weight above 0")
        return {name: value.get(name, 0.0) for name in WORLD_NAMES}

    @field_validator("hours")
    @classmethod
    def _hours_make_a_day(cls, value: dict[str, dict[int, float]]) -> dict[str, dict[int, float]]:
        world_values(dict.fromkeys(value, 0.0), "hours", 0)
        for changes in value.values():
            hours_table(changes)
        return value

    @field_validator("phases")
    @classmethod
    def _one_phase_at_a_time(cls, value: tuple[Phase, ...]) -> tuple[Phase, ...]:
        return no_two_at_once(value)

    @model_validator(mode="after")
    def _somewhere_to_go(self) -> "Scenario":
        for phase in self.phases:
            if not any((self.worlds | phase.worlds).values()):
                raise ValueError(f"impossible mix: every world is closed in the phase {phase.name!r}, open one")
        return self

    @model_validator(mode="after")
    def _not_beyond_reason(self) -> "Scenario":
        if self.ticks < 1:
            raise ValueError("days is less than a minute, give at least 0.001")
        return self

    @property
    def ticks(self) -> int:
        """Ticks of the run."""
        return round(self.days * TICKS_A_DAY)

    @property
    def warmup_ticks(self) -> int:
        """Ticks of the warm-up, which come first."""
        return round(self.warmup_days * TICKS_A_DAY)

    @property
    def first_tick(self) -> int:
        """Tick (minutes since the epoch) of the first minute, of the warm-up where there is one."""
        return int(self.start.timestamp()) * 1_000_000 // TICK_US

    @property
    def run_first_tick(self) -> int:
        """Tick of the first minute of the run."""
        return self.first_tick + self.warmup_ticks

    def parameters(self) -> Parameters:
        """Constants of cognition under this scenario."""
        changes = EFFECTS[self.effects.preset]
        base = Parameters(**changes)
        return Parameters(
            **{
                **changes,
                "practice": base.practice * self.effects.practice,
                "interruption": base.interruption * self.effects.interruption,
                "attention_checks": self.checks.attention_per_hour / 60.0,
                "memory_checks": self.checks.memory_per_hour / 60.0,
                "reaction_checks": self.checks.reaction_per_hour / 60.0,
            }
        )
