"""The command `calmverse ablate`."""

from pathlib import Path
from typing import Annotated

import typer

from infra import runs
from infra.console import emit_json, overrides, progress_bar, say
from infra.contracts.errors import BadInput

RUNS = Path("runs")
INTERRUPTED = 130


def ablate(
    vary: Annotated[
        list[str], typer.Option("--vary", help='Settings of an arm, "KEY=VALUE KEY=VALUE"; again for another arm.')
    ],
    against: Annotated[
        str, typer.Option("--against", help="Settings of the arm that the others are held against.")
    ] = "",
    run: Annotated[
        str | None, typer.Option("--run", help="Run to train on: a folder, an id in runs/, or latest.")
    ] = None,
    lake: Annotated[Path | None, typer.Option("--lake", help="Lake to train on, instead of a run.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of all arms; may be given again.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=2, help="Random starts of each arm, the split being one.")] = 5,
    seed: Annotated[int, typer.Option("--seed", help="Of the split, the starts and the intervals.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the results; ablation/ beside the lake when not given.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")] = False,
) -> None:
    """Train with one setting and with another from several random starts, and say which is better, with intervals."""
    from models.evaluation.ablation.arms import Design, read_arm
    from models.evaluation.ablation.command import FOLDER, execute, tell
    from models.evaluation.ablation.compare import AblationRequest, kept

    design = Design(
        base=read_arm(against),
        others=tuple(read_arm(text) for text in vary),
        common=overrides(settings),
        starts=seeds,
        seed=seed,
    )
    where = _lake(run, lake)
    folder = out or where.parent / FOLDER
    with progress_bar() as bar:
        task = bar.add_task("training", total=len(design.arms) * seeds)
        request = AblationRequest(
            design=design,
            lake=where,
            out=folder,
            say=say,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        try:
            document = execute(request)
        except KeyboardInterrupt:
            say(f"stopped; {kept(folder)} finished trainings are kept in {folder}: the same command goes on")
            raise typer.Exit(INTERRUPTED) from None
    tell(document)
    say(f"the page is {folder / f'{folder.name}.html'}")
    if json:
        emit_json(document)


def _lake(run: str | None, lake: Path | None) -> Path:
    if (run is None) == (lake is None):
        raise BadInput("name the data: --run RUN (a folder, an id in runs/, or latest), or --lake DIR")
    if lake is None:
        return runs.find(RUNS, str(run)).lake
    if not lake.is_dir():
        raise BadInput(f"there is no lake at {lake}: give a finished run or its lake/ folder")
    return lake
