"""Dataclasses as array records: one definition gives the plain object and the structured dtype."""

from dataclasses import fields
from typing import Annotated, Any, get_args, get_type_hints

import numpy as np

Count = Annotated[int, "i4"]
"""A small integer: four bytes in an array."""
Short = Annotated[int, "i2"]
"""An integer that stays within ±32,767 over a year: two bytes in an array."""
Tiny = Annotated[int, "i1"]
"""An integer that stays within ±127: one byte in an array."""
Real32 = Annotated[float, "f4"]
"""A float that leaves the simulation as float32. Kernels only write it: arithmetic on it would differ from Python's."""


def dtype_of(definition: type[Any], *extra: tuple[str, str]) -> np.dtype[np.void]:
    """Structured dtype (aligned) with a field for each of the dataclass, widest first, and `extra` ones at the end."""
    hints = get_type_hints(definition, include_extras=True)
    columns = [(field.name, _code(hints[field.name])) for field in fields(definition)]
    columns.sort(key=lambda column: -np.dtype(column[1]).itemsize)
    return np.dtype([*columns, *extra], align=True)


def record_of(instance: object, *extra: tuple[str, str]) -> np.ndarray[Any, np.dtype[np.void]]:
    """A structured array of one row that holds the dataclass instance's values."""
    table = np.zeros(1, dtype=dtype_of(type(instance), *extra))
    for field in fields(instance):  # type: ignore[arg-type]  # a dataclass: `dtype_of` has seen to it
        table[field.name] = getattr(instance, field.name)
    return table


def _code(hint: object) -> str:
    if hint in (int, float):
        return "i8" if hint is int else "f8"
    code: str = get_args(hint)[1]
    return code
