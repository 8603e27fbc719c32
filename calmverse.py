"""The `calmverse` command: mounts each part's own cli.py, nothing else."""

import importlib
import sys
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from infra.contracts.errors import CalmverseError

PARTS = ("infra.cli", "simulation.cli", "models.cli", "services.experiments.cli", "load_tests.cli")


def build() -> typer.Typer:
    """The whole command line: every part's COMMANDS, and every part's BENCHES under `bench`."""
    app = typer.Typer(
        name="calmverse",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="A testbed for attention interventions in a metaverse.",
    )
    bench = typer.Typer(no_args_is_help=True, help="Measure one part against its baseline in the same run.")
    for name in PARTS:
        part = importlib.import_module(name)
        for command, body in part.COMMANDS.items():
            mount(app, command, body)
        for benchmark, body in part.BENCHES.items():
            mount(bench, benchmark, body)
    app.add_typer(bench, name="bench")
    return app


def mount(app: typer.Typer, name: str, body: typer.Typer | Callable[..., Any]) -> None:
    """Add one command, or one group of commands, under its name."""
    if isinstance(body, typer.Typer):
        app.add_typer(body, name=name)
    else:
        app.command(name)(body)


def main() -> None:
    """Run the command; a known failure is one line on stderr and its exit code."""
    try:
        build()()
    except CalmverseError as problem:
        Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print(f"error: {problem}")
        sys.exit(problem.exit_code)


if __name__ == "__main__":
    main()
