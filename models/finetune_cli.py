"""The command `calmverse finetune`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.console import emit_json, overrides, progress_bar, say
from infra.contracts.errors import BadInput
from models.lake_options import INTERRUPTED, named_lake
from models.registry_cli import FOLDER as REGISTRY

if TYPE_CHECKING:
    from models.evaluation.finetuning.finetune import FinetuneRequest


def finetune(
    world: Annotated[str, typer.Option("--world", help="World whose labels it is fitted to, such as gaming.")],
    model: Annotated[
        Path | None, typer.Option("--model", help="Checkpoint to start from; the run's model/ when not given.")
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="Run to fine-tune on: a folder, an id in runs/, or latest.")
    ] = None,
    lake: Annotated[Path | None, typer.Option("--lake", help="Lake to fine-tune on, instead of a run.")] = None,
    ways: Annotated[
        str | None, typer.Option("--ways", help="Of full, adapter, attention and lora, with commas; all if not given.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Fits of each way.")] = 5,
    people: Annotated[
        float, typer.Option("--people", min=0.001, max=1, help="Share of training people whose labels are used.")
    ] = 1.0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of a way or of the training; may be given again.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of page and checkpoints; finetuning/ beside the lake if not given."),
    ] = None,
    keep: Annotated[str | None, typer.Option("--keep", help="Way whose best fit on validation is registered.")] = None,
    registry: Annotated[Path, typer.Option("--registry", help="Where it is registered.")] = REGISTRY,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a fine-tuning that was stopped.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")] = False,
) -> None:
    """Fit a model to one world in full and with few parameters: what each way gains, costs, and forgets elsewhere."""
    from models.evaluation.finetuning.command import execute, failed, tell
    from models.evaluation.finetuning.finetune import FinetuneRequest

    folder, _ = named_lake(run, lake)
    chosen = _ways(ways)
    if keep is not None and keep not in chosen:
        raise BadInput(f"--keep {keep}: it is none of the ways that are gone ({', '.join(chosen)})")
    with progress_bar() as bar:
        task = bar.add_task("fine-tuning", total=len(chosen) * seeds)
        request = FinetuneRequest(
            model=model or folder.parent / "model",
            lake=folder,
            out=out or folder.parent / "finetuning",
            world=world,
            ways=chosen,
            seeds=seeds,
            people=people,
            settings=overrides(settings),
            resume=resume,
            say=say,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        document = _stoppable(request, lambda: execute(request, keep, registry))
    tell(document)
    say(f"the page is {request.out / 'finetuning.html'}")
    if json:
        emit_json(document)
    if failed(document):
        raise typer.Exit(1)


def _ways(names: str | None) -> tuple[str, ...]:
    """Ways by name, all for None. Raises BadInput for one that does not exist, or for none."""
    from models.training.finetuning.catalog import way
    from models.training.finetuning.catalog import ways as every

    if names is None:
        return every()
    chosen = tuple(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in chosen:
        way(name)
    return chosen


def _stoppable(request: "FinetuneRequest", execute: Any) -> dict[str, Any]:  # noqa: ANN401  no arguments, a document
    """Fine-tune; Ctrl-C says how to go on, and exits with 130."""
    try:
        document: dict[str, Any] = execute()
    except KeyboardInterrupt:
        say(f"stopped; finished fits and the last savepoint are in {request.out}: go on with --resume")
        raise typer.Exit(INTERRUPTED) from None
    return document
