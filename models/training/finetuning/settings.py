"""What a fine-tuning is told: settings of the loop and of each way, from text."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from models.training.finetuning.catalog import way
from models.training.settings import TrainingConfig, check_known, read_setting

OF_LOOP: Final = (
    *("learning_rate", "epochs", "patience", "warmup_share", "weight_decay", "clip", "label_smoothing"),
    *("batch_tokens", "sequence_tokens", "threads", "savepoint_steps"),
)
"""Settings of a training that a fine-tuning may change; who is trained on and what a label is stay the base's."""
_DEFAULTS: Final = {"epochs": 6, "patience": 2, "warmup_share": 0.1}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one way is gone: its name, its settings, and how its training goes."""

    way: str
    settings: Any
    training: TrainingConfig


def plans(values: Mapping[str, str], names: tuple[str, ...], base: TrainingConfig, world: str) -> dict[str, Plan]:
    """A plan for each way in `names`. base: how the model was trained. `values` go to every way that knows them.

    Raises BadInput for an unknown way, world or setting, or a value of another type.
    """
    known = dict.fromkeys(OF_LOOP)
    for name in names:
        known |= dict.fromkeys(defaults_of(way(name).settings))
    check_known(values, tuple(known), f"{', '.join(names)} fine-tuning")
    return {name: _plan(values, name, base, world) for name in names}


def _plan(values: Mapping[str, str], name: str, base: TrainingConfig, world: str) -> Plan:
    chosen = way(name)
    of_loop = {key: getattr(base, key) for key in OF_LOOP} | _DEFAULTS | {"learning_rate": chosen.learning_rate}
    training: Any = read_over(values, of_loop)
    settings: Any = chosen.settings
    return Plan(
        way=name,
        settings=dataclasses.replace(settings, **read_over(values, defaults_of(settings))),
        training=dataclasses.replace(base, worlds=(world,), **training),
    )


def read_over(values: Mapping[str, str], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """`defaults`, with what `values` says of them read as their types. Raises BadInput where it cannot be read."""
    return {key: read_setting(key, values[key], old) if key in values else old for key, old in defaults.items()}


def defaults_of(settings: Any) -> dict[str, Any]:  # noqa: ANN401  any frozen dataclass
    """Settings by name."""
    return {each.name: getattr(settings, each.name) for each in dataclasses.fields(settings)}
