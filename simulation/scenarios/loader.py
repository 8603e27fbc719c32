"""Scenarios from YAML: every error names the file and the line, the key, what is wrong and what to do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from infra.contracts.errors import BadInput
from simulation.scenarios.model import Scenario
from simulation.scenarios.reading import Lines, Location, composed, dotted, path_of


def load(name_or_path: str | Path, overrides: Mapping[str, str] | None = None) -> Scenario:
    """The scenario of a built-in name or a YAML file, with `--set` overrides (dotted key → YAML text).

    Raises BadInput, one line: `path:line: key: what, what to do`, or `--set key=value: what, what to do`.
    """
    path = path_of(str(name_or_path))
    data, lines = composed(path)
    given = dict(overrides or {})
    for key, text in given.items():
        _override(data, key, text)
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise BadInput(_explain(error, path, lines, given)) from None


def _override(data: dict[str, Any], key: str, text: str) -> None:
    label = f"--set {key}={text}"
    parts = key.split(".")
    if not all(parts):
        raise BadInput(f"{label}: the key is not complete, write it like effects.preset=null")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise BadInput(f"{label}: the value is not valid YAML, put it in quotes") from None
    here = data
    for part in parts[:-1]:
        here = here.setdefault(part, {})
        if not isinstance(here, dict):
            raise BadInput(f"{label}: {part} is a single value and has no keys, set {part} itself")
    here[parts[-1]] = value


def _explain(error: ValidationError, path: Path, lines: Lines, overrides: Mapping[str, str]) -> str:
    """The first error in one line, and how many more there are."""
    errors = error.errors(include_url=False)
    first = errors[0]
    location: Location = tuple(first["loc"])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    key = dotted(location)
    what = _what(first)
    for name, text in overrides.items():
        if key == name or key.startswith(f"{name}.") or name.startswith(f"{key}."):
            return f"--set {name}={text}: {what}{more}"
    line = _line_of(location, lines, path)
    return f"{line}: {key}: {what}{more}" if key else f"{line}: {what}{more}"


def _what(error: ErrorDetails) -> str:
    """What is wrong and what to do, from one pydantic error."""
    if error["type"] == "extra_forbidden":
        return "there is no such key, remove it or correct its name"
    if error["type"] == "missing":
        return "is missing, add it"
    text: str = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        return text
    text = text[0].lower() + text[1:]
    return f"{text}, but is {_short(error['input'])}; correct the value"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _line_of(location: Location, lines: Lines, path: Path) -> str:
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, f"{path}:1")
