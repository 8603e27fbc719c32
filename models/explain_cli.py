"""The command `calmverse explain`."""

from pathlib import Path
from typing import Annotated

import typer

from infra.console import emit_json, progress_bar, say
from infra.contracts.errors import BadInput

RUNS = Path("runs")


def explain(
    run: Annotated[str, typer.Option("--run", help="Run to explain on: a folder, an id in runs/, or latest.")],
    model: Annotated[Path | None, typer.Option("--model", help="Checkpoint; the run's model/ when not given.")] = None,
    head: Annotated[str, typer.Option("--head", help="What the scores are of: a head of two classes.")] = "lapse",
    scores: Annotated[int, typer.Option("--scores", min=1, help="How many scores are explained.")] = 200,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Of the scores, methods and intervals; the model's if not given."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")] = False,
) -> None:
    """Say what a model's scores rest on, by several methods, and which of these is faithful; a model card."""
    from models.evaluation.explanation.command import execute, tell
    from models.evaluation.explanation.explain import ExplanationRequest

    folder = _folder(run)
    with progress_bar() as bar:
        task = bar.add_task("explaining", total=scores)
        request = ExplanationRequest(
            model=model or folder / "model",
            run=folder,
            lake=folder / "lake",
            head=head,
            scores=scores,
            seed=seed,
            say=say,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        document = execute(request)
    tell(document)
    say(f"the page is {folder / 'explanation' / 'explanation.html'}")
    if json:
        emit_json(document)


def _folder(run: str) -> Path:
    """The folder of the run, as it was named. Raises BadInput where it has no lake."""
    for folder in (Path(run), RUNS / run):
        if (folder / "lake").is_dir():
            return folder
    raise BadInput(f"there is no lake at {run}: give a finished run's folder or its id")
