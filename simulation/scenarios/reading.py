"""A scenario file as plain values, with the file and line of every key; what it extends is read and merged first."""

from pathlib import Path
from typing import Any

import yaml

from infra.contracts.errors import BadInput

PRESETS = Path(__file__).parent / "presets"
_LARGEST_FILE = 1_000_000
_DEEPEST = 20
_LONGEST_NAME = 200
_MOST_VALUES = 10_000
Location = tuple[str | int, ...]
Lines = dict[Location, str]
"""Where a key stands: `path:line`."""


def preset_names() -> tuple[str, ...]:
    """Names of the built-in scenarios."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def path_of(name: str, folder: Path | None = None) -> Path:
    """The file of a built-in name or of a path (relative to `folder`); raises BadInput where there is none."""
    built_in = PRESETS / f"{name}.yaml"
    path = Path(name) if folder is None else folder / name
    try:
        if "/" not in name and built_in.is_file():
            return built_in
        if path.is_file():
            return path
    except (OSError, ValueError):  # a name that no file can have
        pass
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
    raise BadInput(f"no scenario {shown!r}: give the path of a YAML file, or one of {', '.join(preset_names())}")


def composed(path: Path, below: tuple[Path, ...] = ()) -> tuple[dict[str, Any], Lines]:
    """The values of a scenario file on top of those that it extends; `below` are the files that extend it."""
    data, lines = _read(path)
    if "extends" not in data:
        return data, lines
    parent = _parent(data.pop("extends"), path, lines[("extends",)], (*below, path))
    base, base_lines = composed(parent, (*below, path))
    _lay_over(base, base_lines, data)
    return base, base_lines | lines


def _parent(name: object, path: Path, line: str, trail: tuple[Path, ...]) -> Path:
    name = "null" if name is None else name  # YAML reads a bare `null` as nothing
    if not isinstance(name, str):
        raise BadInput(f"{line}: extends: give the name or the path of one scenario")
    try:
        parent = path_of(name, path.parent)
    except BadInput as error:
        raise BadInput(f"{line}: extends: {error}") from None
    resolved = [each.resolve() for each in trail]
    if parent.resolve() in resolved:
        circle = [each.name for each in trail[resolved.index(parent.resolve()) :]]
        raise BadInput(
            f"{line}: extends: a circle ({' -> '.join([*circle, parent.name])}), let one of them extend none"
        )
    if len(trail) > _DEEPEST:
        raise BadInput(f"{line}: extends: more than {_DEEPEST} scenarios deep, merge some of them")
    return parent


def _lay_over(base: dict[str, Any], lines: Lines, changes: dict[str, Any], at: Location = ()) -> None:
    """Put changes over a base: mappings are merged, all else is replaced, and its lines forgotten."""
    for key, value in changes.items():
        here = (*at, key)
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _lay_over(base[key], lines, value, here)
            continue
        base[key] = value
        for place in [place for place in lines if place[: len(here)] == here]:
            del lines[place]


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
    except RecursionError:
        raise BadInput(f"{path}:1: nested too deeply, a scenario has a handful of levels") from None
    if not isinstance(node, yaml.MappingNode):
        raise BadInput(f"{path}:1: a scenario is a mapping of keys to values, start with `name: ...`")
    lines: Lines = {}
    try:
        _walk(node, (), lines, path)
    except RecursionError:
        raise BadInput(f"{path}:1: nested without end, write the values out") from None
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
    lines.setdefault(at, f"{path}:{node.start_mark.line + 1}")
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*at, key.value if isinstance(key, yaml.ScalarNode) else str(key))
            line = f"{path}:{key.start_mark.line + 1}"
            if place in lines:
                raise BadInput(f"{line}: {dotted(place)}: given twice, keep one of them")
            lines[place] = line
            if len(lines) > _MOST_VALUES:
                raise BadInput(f"{line}: over {_MOST_VALUES:,} values, a scenario is a short YAML file")
            _walk(value, place, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            if len(lines) > _MOST_VALUES:
                line = f"{path}:{value.start_mark.line + 1}"
                raise BadInput(f"{line}: over {_MOST_VALUES:,} values, a scenario is a short YAML file")
            _walk(value, (*at, index), lines, path)


def dotted(location: Location) -> str:
    """A location as people write it: `worlds.work`."""
    return ".".join(str(part) for part in location)
