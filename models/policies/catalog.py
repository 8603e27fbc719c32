"""Finds the policies: every module of this package that defines `POLICY`."""

import difflib
import importlib
import inspect
import math
import pkgutil
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import MappingProxyType
from typing import Any

import models.policies
from infra.contracts.errors import BadInput
from models.policies.points import Policy


@cache
def discover() -> Mapping[str, type[Policy]]:
    """Policy classes by name, in alphabetical order."""
    found: dict[str, type[Policy]] = {}
    for info in pkgutil.iter_modules(models.policies.__path__):
        policy = getattr(importlib.import_module(f"models.policies.{info.name}"), "POLICY", None)
        if policy is not None:
            found[policy.name] = policy
    return MappingProxyType(dict(sorted(found.items())))


def create(name: str, parameters: Mapping[str, Any] | None = None) -> Policy:
    """The named policy with the given parameters, the others at their defaults.

    Raises BadInput for an unknown name (with the known ones and the closest), an unknown parameter, a bad value.
    """
    policy = discover().get(name)
    if policy is None:
        raise BadInput(_unknown(f"unknown policy {name!r}", name, list(discover())))
    defaults = _defaults(policy)
    given = {key: _number(name, key, value, defaults) for key, value in (parameters or {}).items()}
    return policy(**given)


def describe() -> dict[str, dict[str, Any]]:
    """Each policy's purpose and its parameters with their defaults."""
    return {
        name: {"about": inspect.getdoc(policy) or "", "parameters": _defaults(policy)}
        for name, policy in discover().items()
    }


def _defaults(policy: type[Policy]) -> dict[str, Any]:
    return {field.name: field.default for field in fields(policy)}  # type: ignore[arg-type]  # policies are dataclasses


def _number(policy: str, name: str, value: object, defaults: Mapping[str, Any]) -> float:
    if name not in defaults:
        raise BadInput(_unknown(f"policy {policy} has no parameter {name!r}", name, list(defaults)))
    number = _as_float(value)
    if not math.isfinite(number):
        raise BadInput(f"policy {policy}: {name}={value!r} is not a number; give one")
    return number


def _as_float(value: object) -> float:
    """The value as a number, NaN where it is none; text counts, for it comes from command lines."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except ValueError:
        return math.nan


def _unknown(what: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{what}: known are {', '.join(known) or 'none'}{hint}"
