"""What a search tries: the settings that vary, and the trials that a seed draws from them."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from infra.contracts.errors import BadInput
from models.attention.model import AttentionConfig
from models.training.settings import TrainingConfig, parse, setting_names

_FIXED: Final = (
    *("seed", "start", "outputs", "head_weights", "item_buckets", "horizon_min", "worlds", "label_share"),
    *("train_share", "validation_share", "time_share"),
)
"""Settings that change what the validation loss is of: trials would be judged by other labels, people or weights."""
_BUDGET: Final = ("epochs", "threads", "savepoint_steps")
"""Settings that are the same for all trials: how long the longest may train, and on what."""
_LOG_FROM: Final = 10.0
"""A range whose ends differ by this factor or more is drawn from on a logarithmic scale."""
_DIGITS: Final = 3


@dataclass(frozen=True)
class Varied:
    """One setting that varies: among `choices`, or from `low` to `high` where there are none."""

    key: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False

    def at(self, share: float) -> str:
        """The value at `share`, in [0, 1), of the way; three significant digits, so that it can be written down."""
        if self.choices:
            return self.choices[int(share * len(self.choices))]
        if self.whole:
            return str(int(self.low + share * (self.high - self.low + 1)))
        if self.low > 0 and self.high / self.low >= _LOG_FROM:
            value = self.low * (self.high / self.low) ** share
        else:
            value = self.low + share * (self.high - self.low)
        return f"{value:.{_DIGITS}g}"


def read_varied(text: str) -> Varied:
    """The setting of `KEY=low..high` or `KEY=a,b,c` (`KEY=a|b|c` where a value has a comma). Raises BadInput."""
    key, sign, values = text.partition("=")
    if not sign or not key or not values:
        raise BadInput(f"--vary {text}: write KEY=low..high or KEY=a,b,c, such as learning_rate=0.001..0.02")
    if key in (*_FIXED, *_BUDGET):
        raise BadInput(
            f"--vary {key}: trials must be judged alike and train equally long; give {key} to all of them with --set"
        )
    default: Any = _default(key)
    low, dots, high = values.partition("..")
    if not dots:
        return Varied(key, choices=tuple(values.split("|" if "|" in values else ",")))
    try:
        ends = (float(low), float(high))
    except ValueError:
        raise BadInput(f"--vary {text}: both ends of a range must be numbers") from None
    if not isinstance(default, int | float) or not (math.isfinite(ends[0]) and ends[0] < ends[1] < math.inf):
        raise BadInput(f"--vary {text}: a range is of a setting that is a number, from the lower to the higher end")
    return Varied(key, low=ends[0], high=ends[1], whole=isinstance(default, int))


@dataclass(frozen=True, kw_only=True)
class Space:
    """Settings of all trials, those that vary, how many trials are drawn, and the seed of split, weights and draws.

    Where nothing but choices vary and there are no more combinations than trials, each is tried once, in order. Raises
    BadInput for settings that are none, or that do not go together.
    """

    common: Mapping[str, str]
    varied: tuple[Varied, ...]
    trials: int
    seed: int

    def __post_init__(self) -> None:
        keys = [each.key for each in self.varied]
        if not keys or len(set(keys)) < len(keys) or any(key in self.common for key in keys):
            raise BadInput("name what varies with --vary, each setting once, and none of them with --set too")
        if "seed" in self.common:
            raise BadInput("seed is not for --set: give --seed")
        for settings in self.drawn():
            self.configs(settings)

    def drawn(self) -> tuple[dict[str, str], ...]:
        """The varied settings of each trial: a function of the seed alone."""
        keys, choices = [each.key for each in self.varied], [each.choices for each in self.varied]
        if all(choices) and math.prod(map(len, choices)) <= self.trials:
            return tuple(dict(zip(keys, values, strict=True)) for values in itertools.product(*choices))
        shares = np.random.default_rng(self.seed).random((self.trials, len(keys)))
        return tuple(
            {each.key: each.at(float(share)) for each, share in zip(self.varied, row, strict=True)} for row in shares
        )

    def configs(self, settings: Mapping[str, str]) -> tuple[AttentionConfig, TrainingConfig]:
        """What model and training are told in the trial of `settings`; one thread each unless `--set` says more."""
        return parse({"seed": self.seed, **self.common, **settings})


def _default(key: str) -> object:
    if key not in setting_names():
        parse({key: ""})  # says which is nearest
    return {**AttentionConfig().as_dict(), **vars(TrainingConfig())}[key]
