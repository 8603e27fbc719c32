"""How commands speak: people read stderr, programs read the last line of stdout."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from infra.contracts.errors import BadInput


def stderr() -> Console:
    """The console for people. Nothing in the text is markup."""
    return Console(stderr=True, markup=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line for people, on stderr."""
    stderr().print(text)


def emit_json(document: Mapping[str, Any]) -> None:
    """One JSON object as the last line on stdout; NaN becomes null, NumPy numbers become numbers."""
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    sys.stdout.write(orjson.dumps(document, option=options, default=str).decode() + "\n")
    sys.stdout.flush()


def overrides(pairs: list[str] | None) -> dict[str, str]:
    """`--set KEY=VALUE` options as a mapping. Raises BadInput for one without `=`."""
    split = [pair.partition("=") for pair in pairs or []]
    for key, sign, _ in split:
        if not key or not sign:
            raise BadInput(f"--set {key}: write it as --set KEY=VALUE, such as --set people=20000")
    return {key: value for key, _, value in split}


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress display on stderr; where that is no terminal it shows nothing, and phases are said as lines."""
    console = stderr()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield progress
