"""Every command with its arguments and options, as data. `python -m tests.frozen.command_line` writes it anew."""

import json
from pathlib import Path
from typing import Any

import typer

from calmverse import build

AGREED = Path(__file__).with_name("command_line.json")


def surface() -> dict[str, list[dict[str, Any]]]:
    """Parameters by command ("bench bus"), each as name, spellings, whether it is needed, takes many, and default."""
    found: dict[str, list[dict[str, Any]]] = {}
    _walk(typer.main.get_command(build()), "", found)
    return found


def _walk(command: Any, path: str, found: dict[str, list[dict[str, Any]]]) -> None:  # noqa: ANN401  typer carries its own copy of click's types
    children = getattr(command, "commands", {})
    for name, child in sorted(children.items()):
        _walk(child, f"{path} {name}".strip(), found)
    if not children:
        found[path] = [_parameter(each) for each in command.params]


def _parameter(parameter: Any) -> dict[str, Any]:  # noqa: ANN401  as above
    default = parameter.default
    return {
        "name": parameter.name,
        "spelled": sorted([*parameter.opts, *parameter.secondary_opts]),
        "required": parameter.required,
        "multiple": getattr(parameter, "multiple", False),
        "default": default if isinstance(default, int | float | str | None) else str(default),
    }


if __name__ == "__main__":
    AGREED.write_text(json.dumps(surface(), indent=1) + "\n")
