"""What a scenario changes in how life goes: factors on rates, for good, for some hours, or more each day."""

from itertools import pairwise

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from infra.contracts.worlds import World

WORLD_NAMES = tuple(world.label for world in World if world is not World.NONE)
HOURS_A_DAY = 24


class Part(BaseModel):
    """Base of scenario models: frozen, no unknown keys, no silent conversion of text to numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def world_values(value: dict[str, float], what: str, largest: float) -> dict[str, float]:
    """A value for each of some worlds, checked; raises ValueError that says what is wrong."""
    for name, number in value.items():
        if name not in WORLD_NAMES:
            raise ValueError(f"there is no world {name!r}, choose from {', '.join(WORLD_NAMES)}")
        if number < 0 or number > largest:
            raise ValueError(f"{name} is {number:g}, {what} lie between 0 and {largest:,.0f}")
    return value


class Rates(Part):
    """Factors on how often things happen; 1 leaves them as they are."""

    exposures: dict[str, float] = Field(
        default_factory=dict,
        description="By world: factor on how often something arrives that can be answered (0 to 20)",
    )
    strain: float = Field(default=1.0, ge=0, le=20, description="Factor on how often stressful episodes begin")
    wandering: float = Field(default=1.0, ge=0, le=20, description="Factor on how often the mind wanders off")
    contagion: float = Field(
        default=1.0, ge=0, le=5, description="Factor on how far stress and mood of a circle reach its members"
    )
    visits: float = Field(default=1.0, gt=0, le=20, description="Factor on how soon people come back after a session")

    @field_validator("exposures")
    @classmethod
    def _exposures_are_of_worlds(cls, value: dict[str, float]) -> dict[str, float]:
        return world_values(value, "factors", 20)


class Phase(Part):
    """Some hours of the run in which life goes differently. Hours count from the beginning of the run."""

    name: str = Field(min_length=1, max_length=60, description="What happens")
    from_hour: float = Field(ge=0, le=8784, description="Hour of the run at which it begins")
    to_hour: float = Field(gt=0, le=8784, description="Hour of the run at which it ends")
    worlds: dict[str, float] = Field(
        default_factory=dict, description="Weights that replace those of the scenario; the others stay"
    )
    rates: Rates = Field(default=Rates(), description="Factors, on top of those of the scenario")

    @field_validator("worlds")
    @classmethod
    def _worlds_exist(cls, value: dict[str, float]) -> dict[str, float]:
        return world_values(value, "weights", 1e6)

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Phase":
        if self.to_hour <= self.from_hour:
            raise ValueError(f"ends at hour {self.to_hour:g}, before it begins at {self.from_hour:g}: give a later end")
        return self


class Drift(Part):
    """What changes slowly over the run: factors a day, compounded each hour."""

    exposures: float = Field(default=1.0, ge=0.5, le=2, description="Factor a day on exposures in every world")
    strain: float = Field(default=1.0, ge=0.5, le=2, description="Factor a day on stressful episodes")
    wandering: float = Field(default=1.0, ge=0.5, le=2, description="Factor a day on how often the mind wanders off")

    @property
    def still(self) -> bool:
        """Whether nothing drifts."""
        return (self.exposures, self.strain, self.wandering) == (1.0, 1.0, 1.0)


class Nights(Part):
    """People who sleep at other times than their chronotype has it."""

    share: float = Field(default=0.0, ge=0, le=1, description="Share of the people whose nights are moved")
    shift_hours: float = Field(default=0.0, ge=-12, le=12, description="By how many hours later they sleep")

    @model_validator(mode="after")
    def _a_share_is_moved_by_something(self) -> "Nights":
        if (self.share > 0) != (self.shift_hours != 0):
            raise ValueError("share and shift_hours go together: give both, or neither")
        return self


def no_two_at_once(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
    """The phases in order of time; raises ValueError where two overlap."""
    ordered = tuple(sorted(phases, key=lambda phase: phase.from_hour))
    for one, other in pairwise(ordered):
        if other.from_hour < one.to_hour:
            raise ValueError(
                f"{other.name!r} begins at hour {other.from_hour:g}, before {one.name!r} ends at {one.to_hour:g}: "
                "only one phase at a time"
            )
    return ordered


def hours_table(changes: dict[int, float]) -> tuple[float, ...]:
    """24 hourly values from the hours at which the value changes; raises ValueError for what makes no day."""
    if 0 not in changes:
        raise ValueError("hour 0 is missing: say how much the world draws people from midnight on")
    for hour, value in changes.items():
        if not 0 <= hour < HOURS_A_DAY or not 0 <= value <= 1e3:
            raise ValueError(f"{hour}: {value:g}: hours are 0 to 23, values 0 to 1,000")
    values: list[float] = []
    for hour in range(HOURS_A_DAY):
        values.append(changes[hour] if hour in changes else values[-1])
    return tuple(values)
