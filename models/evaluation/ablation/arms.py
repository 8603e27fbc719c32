"""The arms of an ablation: which settings each has, and that all of them are judged alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.contracts.errors import BadInput
from models.attention.model import AttentionConfig
from models.training.settings import TrainingConfig, parse

AS_SET = "as set"
"""Name of an arm without settings of its own."""
_JUDGED_BY = ("horizon_min", "train_share", "validation_share")
_VARIED = ("seed", "start")


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: its name and what it sets beside what all arms have."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)


def read_arm(text: str) -> Arm:
    """The arm of `KEY=VALUE KEY=VALUE …`; an empty text is the settings that all arms have. Raises BadInput."""
    settings = {}
    for part in text.split():
        key, sign, value = part.partition("=")
        if not sign or not key:
            raise BadInput(
                f"'{text}' is not an arm: write it as KEY=VALUE, several with spaces, such as mechanism=banded"
            )
        settings[key] = value
    return Arm(" ".join(f"{key}={value}" for key, value in settings.items()) or AS_SET, settings)


@dataclass(frozen=True, kw_only=True)
class Design:
    """Which arms are trained, from how many starts. common: what all arms have; base: what the others are held against.

    Raises BadInput: fewer than two starts, equal arms, an arm that is judged by other labels or other people, or
    settings that are no setting.
    """

    base: Arm
    others: tuple[Arm, ...]
    common: Mapping[str, str] = field(default_factory=dict)
    starts: int = 5
    seed: int = 1

    def __post_init__(self) -> None:
        if self.starts < 2:
            raise BadInput(f"--seeds {self.starts}: an interval over seeds needs two of them, five are better")
        if not self.others:
            raise BadInput("name what is held against the base, such as --vary mechanism=banded")
        for key in _VARIED:
            if any(key in settings for settings in (self.common, *(arm.settings for arm in self.arms))):
                raise BadInput(f"{key} is not for --set, --against or --vary: --seed splits, --seeds counts the starts")
        configs = [self.configs(arm, 0) for arm in self.arms]
        for index, arm in enumerate(self.arms):
            if configs[index] in configs[:index]:
                raise BadInput(
                    f"'{arm.name}' and '{self.arms[configs.index(configs[index])].name}' are the same training"
                )
            self._check_judged_alike(arm, configs[index][1], configs[0][1])

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All of them, the base first."""
        return (self.base, *self.others)

    def configs(self, arm: Arm, start: int) -> tuple[AttentionConfig, TrainingConfig]:
        """What model and training are told in one arm and start."""
        varied: dict[str, Any] = {"seed": self.seed, "start": start}
        return parse({**self.common, **arm.settings, **varied})

    def _check_judged_alike(self, arm: Arm, own: TrainingConfig, base: TrainingConfig) -> None:
        for name in _JUDGED_BY:
            if getattr(own, name) != getattr(base, name):
                raise BadInput(
                    f"'{arm.name}' has {name}={getattr(own, name):g}, '{self.base.name}' {getattr(base, name):g}: they "
                    "would be judged by other labels or other people; give it to all arms with --set"
                )
