"""The command `calmverse tune`."""

from pathlib import Path
from typing import Annotated

import typer

from infra.console import emit_json, overrides, progress_bar, say
from models.lake_options import INTERRUPTED, named_lake
from models.registry_cli import FOLDER as REGISTRY


def tune(
    vary: Annotated[
        list[str], typer.Option("--vary", help="KEY=low..high or KEY=a,b,c of model or training; may be given again.")
    ],
    run: Annotated[
        str | None, typer.Option("--run", help="Run to train on: a folder, an id in runs/, or latest.")
    ] = None,
    lake: Annotated[Path | None, typer.Option("--lake", help="Lake to train on, instead of a run.")] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="Where the true probabilities are, for the evaluation only.")
    ] = None,
    trials: Annotated[int, typer.Option("--trials", min=2, help="Trials at most.")] = 16,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of all trials; may be given again.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the split, the first weights and what is tried.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the results; tuning/ beside the lake when not given.")
    ] = None,
    registry: Annotated[Path, typer.Option("--registry", help="Where the best model is registered.")] = REGISTRY,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")] = False,
) -> None:
    """Search for settings with Ray Tune: trials that fall behind are stopped, and the best on validation is kept."""
    from models.evaluation.tuning import FOLDER, TuningRequest, execute, tell
    from models.training.tuning.space import Space, read_varied

    space = Space(
        common=overrides(settings), varied=tuple(read_varied(text) for text in vary), trials=trials, seed=seed
    )
    where, known_truth = named_lake(run, lake, truth)
    say(f"{len(space.drawn())} trials on {where}")
    with progress_bar() as bar:
        task = bar.add_task("trials", total=len(space.drawn()))
        document = execute(
            TuningRequest(
                space=space,
                lake=where,
                out=out or where.parent / FOLDER,
                registry=registry,
                truth=known_truth,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        )
    tell(document)
    if json:
        emit_json(document)
    if document["interrupted"]:
        say("stopped: nothing is judged on the test or registered")
        raise typer.Exit(INTERRUPTED)
