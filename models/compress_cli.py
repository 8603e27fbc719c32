"""The command `calmverse compress`."""

from pathlib import Path
from typing import Annotated

import typer

from infra.console import emit_json, overrides, progress_bar, say
from models.lake_options import INTERRUPTED, named_lake
from models.registry_cli import FOLDER as REGISTRY


def compress(
    model: Annotated[
        Path | None, typer.Option("--model", help="Checkpoint to compress; the run's model/ when not given.")
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="Run to judge on: a folder, an id in runs/, or latest.")
    ] = None,
    lake: Annotated[Path | None, typer.Option("--lake", help="Lake to judge on, instead of a run.")] = None,
    ways: Annotated[
        str | None,
        typer.Option("--ways", help="Of bf16, distilled, int8 and pruned, with commas; all if not given."),
    ] = None,
    people: Annotated[
        float, typer.Option("--people", min=0.001, max=1, help="Share of training people that ways may train on.")
    ] = 1.0,
    margin: Annotated[
        float, typer.Option("--margin", min=0, help="Log loss (nats) that still counts as no worse.")
    ] = 0.001,
    rounds: Annotated[int, typer.Option("--rounds", min=2, help="Rounds that time the forward passes.")] = 15,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of a way or of the training; may be given again.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of page and models; compression/ beside the lake if not given."),
    ] = None,
    keep: Annotated[str | None, typer.Option("--keep", help="Way whose model is kept as a checkpoint.")] = None,
    registry: Annotated[Path, typer.Option("--registry", help="Where it is registered.")] = REGISTRY,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")] = False,
) -> None:
    """Make a model smaller by pruning, int8, bf16 and distillation, and export it: bytes, speed and quality."""
    from models.evaluation.compression.command import check_keep, execute, failed, tell
    from models.evaluation.compression.compress import CompressRequest

    folder, _ = named_lake(run, lake)
    chosen = _ways(ways)
    if keep is not None:
        check_keep(keep, chosen)
    with progress_bar() as bar:
        task = bar.add_task("compressing", total=len(chosen))
        request = CompressRequest(
            model=model or folder.parent / "model",
            lake=folder,
            out=out or folder.parent / "compression",
            ways=chosen,
            people=people,
            margin=margin,
            rounds=rounds,
            settings=overrides(settings),
            say=say,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        try:
            document = execute(request, keep, registry)
        except KeyboardInterrupt:
            say(f"stopped; compressed models that are finished are in {request.out}, and no page was written")
            raise typer.Exit(INTERRUPTED) from None
    tell(document)
    say(f"the page is {request.out / 'compression.html'}")
    if json:
        emit_json(document)
    if failed(document):
        raise typer.Exit(1)


def _ways(names: str | None) -> tuple[str, ...]:
    """Ways by name, all for None. Raises BadInput for one that does not exist, or for none."""
    from models.training.compression.catalog import way
    from models.training.compression.catalog import ways as every

    if names is None:
        return every()
    chosen = tuple(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in chosen:
        way(name)
    return chosen
