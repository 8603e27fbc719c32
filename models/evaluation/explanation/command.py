"""What `calmverse explain` does beside explaining: it writes the results into the run, and tells them to people."""

from typing import Any

from rich import box
from rich.table import Table

from infra.console import say
from infra.runs import environment
from models.evaluation.explanation.catalog import method
from models.evaluation.explanation.explain import ExplanationRequest, explain
from models.evaluation.explanation.page import explanation_page, p_text, verdict
from models.evaluation.page import text
from models.evaluation.results import print_whole, write_results

FOLDER = "explanation"


def execute(request: ExplanationRequest) -> dict[str, Any]:
    """Explain, write `explanation.json` and `explanation.html` beside the run, and return the document.

    Raises what `explain` raises, and EnvironmentFailed where nothing can be written.
    """
    document = explain(request) | {"command": _command(request), "environment": environment()}
    write_results(request.run / FOLDER, document, explanation_page(document))
    return document


def tell(document: dict[str, Any]) -> None:
    """The result for people: the verdict, a table of methods, and notes."""
    say(verdict(document).sentence)
    table = Table(box=box.SIMPLE)
    for column in ("method", "deletion", "insertion", "better than random by", "than latest first by", "p", "faithful"):
        table.add_column(column, justify="left" if column == "method" else "right", no_wrap=True)
    for name, one in document["methods"].items():
        keys = ("deletion", "insertion", "deletion_difference", "recency_difference")
        said = "yes" if one["faithful"] else "no"
        table.add_row(method(name).title, *(text(one[key], 2) for key in keys), p_text(one["p_adjusted"]), said)
    for name, one in document["controls"].items():
        table.add_row(method(name).title, text(one["deletion"], 2), text(one["insertion"], 2), "", "", "", "")
    print_whole(table)
    say("areas are mean changes of the logit, the higher the sooner it moves; p of deletion, adjusted after Holm")
    for note in document["notes"]:
        say(f"note: {note}")


def _command(request: ExplanationRequest) -> str:
    words = [f"calmverse explain --model {request.model} --run {request.run}"]
    words += [f"--head {request.head} --scores {request.scores}"]
    words += [f"--seed {request.seed}"] if request.seed is not None else []
    return " ".join(words)
