"""What `calmverse compress` does beside compressing: it writes the results, tells them, and keeps a model."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from infra.console import say
from infra.contracts.errors import BadInput
from infra.pages import Outcome, numbers
from infra.runs import environment
from models.attention import checkpoint
from models.evaluation.compression.compress import CompressRequest, compress
from models.evaluation.compression.page import compression_page, kilobytes, quality, verdict
from models.evaluation.finetuning.judge import ALL
from models.evaluation.page import text
from models.evaluation.results import print_whole, write_results
from models.evaluation.stored import training_of
from models.training.compression import store
from models.training.compression.catalog import way
from models.training.registry import Registry

NAME = "compression"
_KEPT = "checkpoint"


def execute(request: CompressRequest, keep: str | None, registry: Path) -> dict[str, Any]:
    """Compress, write `compression.json` and `compression.html` into `request.out`, and return the document.

    keep: the way whose model is written as an ordinary checkpoint and registered in `registry`, with its parent.
    Raises what `compress` raises, and EnvironmentFailed where nothing can be written.
    """
    if keep is not None:
        check_keep(keep, request.ways)
    document = compress(request) | {"command": _command(request, keep), "environment": environment()}
    document["kept"] = None if keep is None else _keep(keep, document, request, Registry(registry))
    write_results(request.out, document, compression_page(document), NAME)
    return document


def check_keep(keep: str, ways: tuple[str, ...]) -> None:
    """Raises BadInput where the way is not gone, or what it makes is no ordinary checkpoint."""
    if keep not in ways:
        raise BadInput(f"--keep {keep}: it is none of the ways that are gone ({', '.join(ways)})")
    if way(keep).ordinary is None:
        fit = ", ".join(name for name in ways if way(name).ordinary is not None)
        raise BadInput(
            f"--keep {keep}: no checkpoint of float32 weights says the same, so it cannot be registered; "
            f"what can be kept: {fit or 'none of these ways'}"
        )


def tell(document: dict[str, Any]) -> None:
    """The result for people: the verdict, a table of ways, one of heads, and notes."""
    say(verdict(document).sentence)
    table = _table("way", "on disk", "in memory", "tokens/s", "speed", "log loss × 1000 above", "AUC × 1000 above")
    table.add_row("original", *_sizes(document["model"]), "1", "", "")
    for name, one in document["ways"].items():
        table.add_row(way(name).title, *_sizes(one), text(one["speed"], 2), *_above(one, ALL))
    print_whole(table)
    table = _table("head", "way", "log loss", "× 1000 above", "AUC", "× 1000 above")
    for head in [*document["heads"], ALL]:
        base = document["base"]
        table.add_row(head, "original", text(base["log_loss"][head], 4), "", text(base["auc"][head], 4), "")
        for name, one in document["ways"].items():
            loss, area = (text(one[key][head], 4) for key in ("log_loss", "auc"))
            above = _above(one, head)
            table.add_row("", way(name).title, loss, above[0], area, above[1])
    print_whole(table)
    _tell_rest(document)


def _tell_rest(document: dict[str, Any]) -> None:
    for name, one in document["ways"].items():
        say(f"{way(name).title}: {quality(document, one)}")
    export = document["export"]
    say(
        f"exported to {export['file']} ({kilobytes(export['bytes_on_disk'])}): logits at most "
        f"{export['greatest_difference']:.1e} from the model's on {numbers.count(export['tokens'], 'token')}"
    )
    for note in document["notes"]:
        say(f"note: {note}")
    if document["kept"]:
        say(f"model {document['kept']['version']} is registered; its parent is {document['model']['version']}")


def failed(document: dict[str, Any]) -> bool:
    """Whether the verdict is bad: the export differs, or no way is smaller and no worse."""
    return verdict(document).outcome == Outcome.BAD


def _keep(name: str, document: dict[str, Any], request: CompressRequest, registry: Registry) -> dict[str, Any]:
    """Write the model of a way as an ordinary checkpoint, and register it."""
    base = checkpoint.load(request.model)
    ordinary = way(name).ordinary
    assert ordinary is not None, "checked before anything was done"  # noqa: S101
    folder, one = request.out / name / _KEPT, document["ways"][name]
    about = {
        "parent": base.version,
        "training": asdict(training_of(base)),
        "compression": {"way": name, "settings": one["settings"]},
        "data": base.info.get("data", {}),
        "metrics": {
            head: document["rows"][head]
            | {"log_loss": one["log_loss"][head]["value"], "auc": one["auc"][head]["value"]}
            for head in document["heads"]
        },
    }
    version = checkpoint.save(folder, ordinary(store.load(request.out / name).model), about)
    registry.add(folder)
    return {"way": name, "version": version, "checkpoint": str(folder)}


def _above(one: dict[str, Any], head: str) -> tuple[str, str]:
    """Log loss and AUC above the original's, in thousandths."""
    differences = (one["log_loss_difference"][head], one["auc_difference"][head])
    loss, area = (
        text({key: None if value is None else 1_000 * value for key, value in each.items()}, 2) for each in differences
    )
    return loss, area


def _sizes(one: dict[str, Any]) -> tuple[str, str, str]:
    return kilobytes(one["bytes_on_disk"]), kilobytes(one["bytes_in_memory"]), f"{one['tokens_per_s']:,.0f}"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE)
    for column in columns:
        table.add_column(column, justify="left" if column in {"head", "way"} else "right", no_wrap=True)
    return table


def _command(request: CompressRequest, keep: str | None) -> str:
    words = ["calmverse", "compress", "--model", str(request.model), "--lake", str(request.lake)]
    words += ["--ways", ",".join(request.ways), "--margin", f"{request.margin:g}", "--rounds", f"{request.rounds}"]
    words += ["--people", f"{request.people:g}"] if request.people < 1 else []
    for key, value in request.settings.items():
        words += ["--set", f"{key}={value}"]
    words += ["--out", str(request.out)]
    return shlex.join(words + (["--keep", keep] if keep else []))
