"""Scenarios from YAML: every error names the file and the line, the key, what is wrong and what to do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from infra.contracts.errors import BadInput
from simulation.scenarios.model import Scenario

PRESETS = Path(__file__).parent / "presets"
_LARGEST_FILE = 1_000_000
Location = tuple[str | int, ...]
Lines = dict[Location, int]


def preset_names() -> tuple[str, ...]:
    """Names of the built-in scenarios."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def load(name_or_path: str | Path, overrides: Mapping[str, str] | None = None) -> Scenario:
    """The scenario of a built-in name or a YAML file, with `--set` overrides (dotted key → YAML text).

    Raises BadInput, one line: `path:line: key: what, what to do`, or `--set key=value: what, what to do`.
    """
    path = _path_of(str(name_or_path))
    data, lines = _read(path)
    given = dict(overrides or {})
    for key, text in given.items():
        _override(data, key, text)
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise BadInput(_explain(error, path, lines, given)) from None


def _path_of(name: str) -> Path:
    built_in = PRESETS / f"{name}.yaml"
    if "/" not in name and built_in.is_file():
        return built_in
    path = Path(name)
    if path.is_file():
        return path
    raise BadInput(f"no scenario {name!r}: give the path of a YAML file, or one of {', '.join(preset_names())}")


def _read(path: Path) -> tuple[dict[str, Any], Lines]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise BadInput(f"{path}:1: the file is over 1 MB, a scenario is a short YAML file")
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}:1: not UTF-8 text ({error.reason}), save the file as UTF-8") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}), check the path and its permissions") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"{path}:{line}: not valid YAML ({error.problem}), correct the line") from None
    except yaml.YAMLError as error:
        raise BadInput(f"{path}:1: not valid YAML ({str(error).splitlines()[0]}), correct the file") from None
    if not isinstance(node, yaml.MappingNode):
        raise BadInput(f"{path}:1: a scenario is a mapping of keys to values, start with `name: ...`")
    lines: Lines = {}
    _walk(node, (), lines, path)
    return _construct(node, path), lines


def _construct(node: yaml.MappingNode, path: Path) -> dict[str, Any]:
    loader = yaml.SafeLoader("")
    try:
        return dict(loader.construct_document(node))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(
            f"{path}:{line}: not a plain value ({error.problem}), use text, numbers, lists or mappings"
        ) from None
    except (ValueError, TypeError) as error:
        raise BadInput(f"{path}:{node.start_mark.line + 1}: not a plain value ({error}), correct it") from None
    finally:
        loader.dispose()


def _walk(node: yaml.Node, at: Location, lines: Lines, path: Path) -> None:
    """Note the line of every key and list item; refuse keys that are given twice."""
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*at, key.value if isinstance(key, yaml.ScalarNode) else str(key))
            if place in lines:
                raise BadInput(f"{path}:{key.start_mark.line + 1}: {_dotted(place)}: given twice, keep one of them")
            lines[place] = key.start_mark.line + 1
            _walk(value, place, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, (*at, index), lines, path)


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
    key = _dotted(location)
    what = _what(first)
    for name, text in overrides.items():
        if key == name or key.startswith(f"{name}.") or name.startswith(f"{key}."):
            return f"--set {name}={text}: {what}{more}"
    line = _line_of(location, lines)
    return f"{path}:{line}: {key}: {what}{more}" if key else f"{path}:{line}: {what}{more}"


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


def _line_of(location: Location, lines: Lines) -> int:
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


def _dotted(location: Location) -> str:
    return ".".join(str(part) for part in location)
