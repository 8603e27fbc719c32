"""The commands of the models alone, as an application to call."""

import typer

from models.cli import COMMANDS


def app() -> typer.Typer:
    """`train` and whatever it stands beside."""
    made = typer.Typer(pretty_exceptions_enable=False)
    made.command("train")(COMMANDS["train"])
    made.command("other")(lambda: None)
    return made
