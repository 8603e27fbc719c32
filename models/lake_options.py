"""Where the data of a command is: `--run`, `--lake` and `--truth`, which several commands share."""

from pathlib import Path
from typing import Final

from infra.contracts.errors import BadInput

RUNS: Final = Path("runs")
INTERRUPTED: Final = 130
"""Exit code after Ctrl-C."""


def named_lake(run: str | None, lake: Path | None, truth: Path | None = None) -> tuple[Path, Path | None]:
    """The lake that is named and the root of the truth that belongs to it, where there is one. Raises BadInput."""
    if (run is None) == (lake is None):
        raise BadInput("name the data: --run RUN (a folder, an id in runs/, or latest), or --lake DIR")
    if lake is not None:
        folder = lake
    else:
        folder = next((each for each in (Path(str(run)), RUNS / str(run)) if each.is_dir()), Path()) / "lake"
    if not folder.is_dir():
        raise BadInput(f"there is no lake at {folder if lake else run}: give a finished run or its lake/ folder")
    beside = folder.parent / "truth"
    return folder, truth or (beside if beside.is_dir() else None)
