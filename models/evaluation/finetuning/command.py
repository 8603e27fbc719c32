"""What `calmverse finetune` does beside fine-tuning: it writes the results, tells them, and keeps a model."""

import shlex
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from infra.console import say
from infra.pages import Outcome, numbers
from infra.runs import environment
from models.evaluation.finetuning.finetune import FinetuneRequest, finetune
from models.evaluation.finetuning.judge import ALL, INSIDE
from models.evaluation.finetuning.page import finetuning_page, gain_share, share_text, verdict
from models.evaluation.page import text
from models.evaluation.results import print_whole, write_results
from models.training.finetuning.catalog import way
from models.training.registry import Registry

NAME = "finetuning"


def execute(request: FinetuneRequest, keep: str | None, registry: Path) -> dict[str, Any]:
    """Fine-tune, write `finetuning.json` and `finetuning.html` into `request.out`, and return the document.

    keep: the way whose best fit on validation is registered in `registry`, with its parent.
    Raises what `finetune` raises, and EnvironmentFailed where nothing can be written.
    """
    document = finetune(request) | {"command": _command(request, keep), "environment": environment()}
    document["kept"] = None if keep is None else _keep(document["ways"][keep]["fits"], Registry(registry))
    write_results(request.out, document, finetuning_page(document), NAME)
    return document


def tell(document: dict[str, Any]) -> None:
    """The result for people: the verdict, a table of ways, one of heads, and notes."""
    say(verdict(document).sentence)
    table = _table("way", "trained", "of full", "s", "log loss", "gain", "of full's gain", "forgotten elsewhere")
    for name, one in document["ways"].items():
        cells = (f"{one['trainable']:,}", share_text(one["share_of_parameters"]), f"{one['seconds']:.0f}")
        figures = (one["log_loss"][INSIDE][ALL], one["gain"][ALL])
        shares = (gain_share(one["share_of_gain"]), text(one["forgotten"].get(ALL), 4))
        table.add_row(way(name).title, *cells, *(text(each, 4) for each in figures), *shares)
    print_whole(table)
    table = _table("head", "way", "log loss", "AUC", "gain", "forgotten elsewhere")
    for head in document["heads"]:
        base = document["base"]
        table.add_row(head, "before", text(base["log_loss"][INSIDE][head], 4), text(base["auc"][head], 3), "", "")
        for name, one in document["ways"].items():
            told = (text(one["log_loss"][INSIDE][head], 4), text(one["auc"][head], 3), text(one["gain"][head], 4))
            table.add_row("", way(name).title, *told, text(one["forgotten"].get(head), 4))
    print_whole(table)
    say(f"log losses are means over heads in '{document['world']}', of people that no model has seen")
    for note in document["notes"]:
        say(f"note: {note}")
    if document["kept"]:
        say(f"model {document['kept']['version']} is registered; its parent is {document['model']['version']}")


def failed(document: dict[str, Any]) -> bool:
    """Whether the verdict is bad: no way with few parameters comes near full fine-tuning."""
    return verdict(document).outcome == Outcome.BAD


def _keep(fits: list[dict[str, Any]], registry: Registry) -> dict[str, Any]:
    best = min(fits, key=lambda fit: float(fit["validation_loss"]))
    registry.add(Path(best["checkpoint"]))
    return {name: best[name] for name in ("version", "checkpoint", "seed")}


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE)
    for column in columns:
        table.add_column(column, justify="left" if column in {"head", "way"} else "right", no_wrap=True)
    return table


def _command(request: FinetuneRequest, keep: str | None) -> str:
    words = ["calmverse", "finetune", "--model", str(request.model), "--lake", str(request.lake)]
    words += ["--world", request.world, "--ways", ",".join(request.ways), "--seeds", numbers.number(request.seeds)]
    words += ["--people", f"{request.people:g}"] if request.people < 1 else []
    for key, value in request.settings.items():
        words += ["--set", f"{key}={value}"]
    words += ["--out", str(request.out)]
    return shlex.join(words + (["--keep", keep] if keep else []))
