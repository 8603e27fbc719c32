"""Commands of the registry: `calmverse models list|show|promote|add`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.console import emit_json, say

if TYPE_CHECKING:
    from models.training.registry import Entry

Folder = Annotated[Path, typer.Option("--registry", help="Folder of the registry.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")]
Version = Annotated[str, typer.Argument(help="Version of the model, or how it begins.")]
FOLDER = Path("registry")

models = typer.Typer(no_args_is_help=True, help="Which models there are, where each comes from, which one is in use.")


@models.command("list")
def list_models(registry: Folder = FOLDER, json: Json = False) -> None:
    """Every registered model, the oldest first."""
    from rich import box
    from rich.table import Table

    from infra.console import stderr
    from models.training.registry import Registry

    entries = Registry(registry).entries()
    table = Table(box=box.SIMPLE)
    for column in ("version", "registered (UTC)", "parent", "data", "events", "log loss", ""):
        table.add_column(column, no_wrap=True)
    for entry in entries:
        table.add_row(*_cells(entry))
    stderr().print(table) if entries else say(f"no model is registered in {registry}: train one")
    if json:
        emit_json({"models": [asdict(entry) for entry in entries]})


@models.command()
def show(version: Version, registry: Folder = FOLDER, json: Json = False) -> None:
    """Where a model comes from, and how good it is."""
    from models.training.registry import Registry

    entry = Registry(registry).show(version)
    for name, value in asdict(entry).items():
        if name != "metrics":
            say(f"{name.replace('_', ' ')}: {'–' if value is None else value}")
    for name, head in entry.metrics.items():
        say(f"{name}: {_figures(head)}")
    if json:
        emit_json(asdict(entry))


@models.command()
def promote(version: Version, registry: Folder = FOLDER, json: Json = False) -> None:
    """Put a model into use; the one before stays registered."""
    from models.training.registry import Registry

    entry = Registry(registry).promote(version)
    say(f"model {entry.version} is in use")
    if json:
        emit_json(asdict(entry))


@models.command()
def add(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a checkpoint, such as runs/latest/model.")],
    registry: Folder = FOLDER,
    json: Json = False,
) -> None:
    """Register a checkpoint that something else than `train` has made."""
    from models.training.registry import Registry

    entry = Registry(registry).add(checkpoint)
    say(f"model {entry.version} is registered in {registry}")
    if json:
        emit_json(asdict(entry))


def _cells(entry: "Entry") -> list[str]:
    losses = ", ".join(
        f"{name} {head['log_loss']:.4f}" for name, head in entry.metrics.items() if head.get("log_loss") is not None
    )
    return [
        entry.version,
        entry.registered_at[:16].replace("T", " "),
        entry.parent or "–",
        (entry.data_digest or "–")[:8],
        "–" if entry.events is None else f"{entry.events:,}",
        losses or "–",
        "in use" if entry.in_use else "",
    ]


def _figures(head: dict[str, Any]) -> str:
    named = {"log_loss": "log loss", "base_log_loss": "base rate", "auc": "AUC", "ece": "calibration error"}
    told = [f"{label} {head[key]:.4f}" for key, label in named.items() if isinstance(head.get(key), float)]
    return ", ".join(told) or "no labels"
