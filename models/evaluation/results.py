"""What commands that judge a model share: writing beside the run, whole tables, and how to do it again."""

from pathlib import Path
from typing import Any

from rich.table import Table

from infra.console import stderr
from infra.contracts.errors import EnvironmentFailed
from infra.pages import Page, Reproduce, write_page
from infra.runs import RunDir

_TABLE_WIDTH = 132


def write_results(folder: Path, document: dict[str, Any], page: Page, name: str | None = None) -> None:
    """Write `<name>.json` and `<name>.html` into `folder`, by default of its name. Raises EnvironmentFailed."""
    name = name or folder.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        RunDir(folder).write_json(f"{name}.json", document)
        write_page(page, folder / f"{name}.html")
    except OSError as error:
        raise EnvironmentFailed(f"cannot write {folder}: {error.strerror}; free space or choose another run") from error


def print_whole(table: Table) -> None:
    """However narrow the window: a figure without its interval is worse than a wrapped line."""
    console = stderr()
    console.width = max(console.width, _TABLE_WIDTH)
    console.print(table)


def reproduce(document: dict[str, Any], facts: dict[str, str]) -> Reproduce:
    """Command, seed and versions of a document that has `command`, `seed` and `environment`."""
    versions = {str(name): str(version) for name, version in document["environment"]["versions"].items()}
    return Reproduce(command=document["command"], seed=document["seed"], versions=versions, facts=facts)
