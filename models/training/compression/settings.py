"""What a compression is told: settings of each way, and of the loop for those that train, from text."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from models.training.compression.catalog import way
from models.training.finetuning.settings import OF_LOOP, Plan, defaults_of, read_over
from models.training.settings import TrainingConfig, check_known


def plans(values: Mapping[str, str], names: tuple[str, ...], base: TrainingConfig) -> dict[str, Plan]:
    """A plan for each way in `names`. base: how the model was trained. `values` go to every way that knows them.

    Raises BadInput for an unknown way or setting, or a value of another type.
    """
    known: dict[str, None] = {}
    for name in names:
        known |= dict.fromkeys(defaults_of(way(name).settings))
        known |= {} if way(name).loop is None else dict.fromkeys(OF_LOOP)
    check_known(values, tuple(known), f"{', '.join(names)} compression")
    return {name: _plan(values, name, base) for name in names}


def _plan(values: Mapping[str, str], name: str, base: TrainingConfig) -> Plan:
    chosen = way(name)
    of_loop: Any = {key: getattr(base, key) for key in OF_LOOP}
    if chosen.loop is not None:
        of_loop = read_over(values, of_loop | dict(chosen.loop))
    settings: Any = chosen.settings
    return Plan(
        way=name,
        settings=dataclasses.replace(settings, **read_over(values, defaults_of(settings))),
        training=dataclasses.replace(base, **of_loop),
    )
