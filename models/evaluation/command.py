"""What `calmverse evaluate` does beside comparing: it writes the results into the run, and tells them to people."""

from typing import Any

from rich import box
from rich.table import Table

from infra.console import say
from infra.runs import environment
from models.evaluation.catalog import baseline
from models.evaluation.comparison import EvaluationRequest, compare
from models.evaluation.page import evaluation_page, measured, percentage, text, verdict
from models.evaluation.results import print_whole, write_results

FOLDER = "evaluation"


def execute(request: EvaluationRequest) -> dict[str, Any]:
    """Compare, write `evaluation.json` and `evaluation.html` beside the run, and return the document.

    Raises what `compare` raises, and EnvironmentFailed where nothing can be written.
    """
    document = compare(request) | {"command": _command(request), "environment": environment()}
    write_results(request.run / FOLDER, document, evaluation_page(document))
    return document


def tell(document: dict[str, Any]) -> None:
    """The result for people: the verdict, a table of models and one of baselines, and notes."""
    say(verdict(document).sentence)
    heads = measured(document)
    table = _table("head", "people", "of the oracle", "of the truth", "AUC", "log loss", "ECE")
    for name, head in heads.items():
        shares = (percentage(head[key]) for key in ("oracle_fraction", "latent_fraction"))
        table.add_row(name, f"{head['people']:,}", *shares, *(text(head[key]) for key in ("auc", "log_loss", "ece")))
    print_whole(table)
    table = _table("head", "baseline", "log loss", "AUC", "model better by", "")
    for name, head in heads.items():
        for each, one in head["baselines"].items():
            cells = (text(one[key]) for key in ("log_loss", "auc", "difference"))
            table.add_row(name, baseline(each).title, *cells, one["verdict"])
    print_whole(table)
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


def _command(request: EvaluationRequest) -> str:
    words = [f"calmverse evaluate --model {request.model} --run {request.run}"]
    words += [f"--people {request.people}"] if request.people != "unseen" else []
    words += [f"--baselines {','.join(request.baselines)}"]
    words += [f"--seed {request.seed}"] if request.seed is not None else []
    return " ".join(words)
