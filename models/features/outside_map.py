"""How the columns of an outside log map to person, time, kind, item and outcome."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.contracts.errors import BadInput
from infra.contracts.kinds import EXPOSURES, KIND_BY_NAME, KINDS

_STRICT = ConfigDict(frozen=True, extra="forbid")


class KindMap(BaseModel):
    """Kind of each row from a column: `values` maps what stands there to a kind's name."""

    model_config = _STRICT

    column: str
    values: dict[str, str]


class OutcomeMap(BaseModel):
    """When the person acted on what the row shows: the number in `column` is `at_least`, or its text `equals`."""

    model_config = _STRICT

    column: str
    at_least: float | None = None
    equals: str | None = None


class LogMap(BaseModel):
    """Map of one outside log: one row a line, each an event of one person at one time.

    `kind` is one kind for all rows, or a column with its values mapped. Where `outcome` is given, rows must be
    exposures; a positive outcome becomes the response event right behind its exposure. `training` overrides the
    training configuration for logs of this form.
    """

    model_config = _STRICT

    person: str = "person"
    time: str = "time"
    time_unit: Literal["s", "ms", "us", "iso"] = "iso"
    kind: str | KindMap = "ItemShown"
    item: str | None = None
    outcome: OutcomeMap | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    training: dict[str, Any] = Field(default_factory=dict)

    def kind_names(self) -> list[str]:
        """Names of every kind that a row can have."""
        return [self.kind] if isinstance(self.kind, str) else list(self.kind.values.values())

    def columns(self) -> list[str]:
        """Columns that the file must have."""
        named = [self.person, self.time, self.item, self.outcome.column if self.outcome else None]
        named.append(self.kind.column if isinstance(self.kind, KindMap) else None)
        return list(dict.fromkeys(name for name in named if name is not None))


def load_map(path: Path | None) -> LogMap:
    """The map in a YAML file, or the default map. Raises BadInput that names file, place and remedy."""
    if path is None:
        return LogMap()
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as problem:
        raise BadInput(f"cannot read the map {path}: {problem.strerror}") from problem
    except yaml.YAMLError as problem:
        raise BadInput(f"{path}: not YAML: {' '.join(str(problem).split())}") from problem
    try:
        mapping = LogMap.model_validate(document or {})
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(map(str, first["loc"])) or "top level"
        known = ", ".join(LogMap.model_fields)
        raise BadInput(f"{path}: {place}: {first['msg'].lower()} (known keys: {known})") from problem
    _check_kinds(mapping, path)
    return mapping


def _check_kinds(mapping: LogMap, path: Path) -> None:
    for name in mapping.kind_names():
        if name not in KIND_BY_NAME:
            raise BadInput(f"{path}: kind: there is no kind {name!r}; outside logs mostly use ItemShown")
        kind = KIND_BY_NAME[name]
        if KINDS[kind].family != "activity":
            raise BadInput(f"{path}: kind: {name} has a payload that a map cannot give; use a kind such as ItemShown")
        if mapping.outcome and kind not in EXPOSURES:
            raise BadInput(f"{path}: outcome: {name} is no exposure, so that nobody can act on it; use ItemShown")
    if mapping.outcome and (mapping.outcome.at_least is None) == (mapping.outcome.equals is None):
        raise BadInput(f"{path}: outcome: give either at_least or equals")
