"""What `calmverse evaluate` does beside comparing: it writes the results into the run, and tells them to people."""

from typing import Any

from rich import box
from rich.table import Table

from infra.console import say, stderr
from infra.contracts.errors import EnvironmentFailed
from infra.pages import write_page
from infra.runs import RunDir, environment
from models.evaluation.catalog import baseline
from models.evaluation.comparison import EvaluationRequest, compare
from models.evaluation.page import evaluation_page, measured, percentage, text, verdict

FOLDER = "evaluation"
_TABLE_WIDTH = 132


def execute(request: EvaluationRequest) -> dict[str, Any]:
    """Compare, write `evaluation.json` and `evaluation.html` beside the run, and return the document.

    Raises what `compare` raises, and EnvironmentFailed where nothing can be written.
    """
    document = compare(request) | {"command": _command(request), "environment": environment()}
    folder = request.run / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        RunDir(folder).write_json("evaluation.json", document)
        write_page(evaluation_page(document), folder / "evaluation.html")
    except OSError as error:
        raise EnvironmentFailed(f"cannot write {folder}: {error.strerror}; free space or choose another run") from error
    return document


def tell(document: dict[str, Any]) -> None:
    """The result for people: the verdict, a table of models and one of baselines, and notes."""
    say(verdict(document).sentence)
    heads = measured(document)
    table = _table("head", "people", "of the oracle", "of the truth", "AUC", "log loss", "ECE")
    for name, head in heads.items():
        shares = (percentage(head[key]) for key in ("oracle_fraction", "latent_fraction"))
        table.add_row(name, f"{head['people']:,}", *shares, *(text(head[key]) for key in ("auc", "log_loss", "ece")))
    _print(table)
    table = _table("head", "baseline", "log loss", "AUC", "model better by", "")
    for name, head in heads.items():
        for each, one in head["baselines"].items():
            cells = (text(one[key]) for key in ("log_loss", "auc", "difference"))
            table.add_row(name, baseline(each).title, *cells, one["verdict"])
    _print(table)
    for name, head in heads.items():
        if head["oracle"]:
            rows, people = head["oracle"]["rows"], head["oracle"]["people"]
            say(f"{name}: the share of the oracle is of {rows:,} rows of {people:,} people, those that it looked at")
    say(f"baselines are fitted on {document['baselines_fitted_on']}")
    for note in document["notes"]:
        say(f"note: {note}")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE)
    for column in columns:
        table.add_column(column, justify="left" if column in {"head", "baseline", ""} else "right", no_wrap=True)
    return table


def _print(table: Table) -> None:
    """Whole, however narrow the window: a figure without its interval is worse than a wrapped line."""
    console = stderr()
    console.width = max(console.width, _TABLE_WIDTH)
    console.print(table)


def _command(request: EvaluationRequest) -> str:
    words = [f"calmverse evaluate --model {request.model} --run {request.run}"]
    words += [f"--people {request.people}"] if request.people != "unseen" else []
    words += [f"--baselines {','.join(request.baselines)}"]
    words += [f"--seed {request.seed}"] if request.seed is not None else []
    return " ".join(words)
