"""`compression.html`: what compressing a model saved and cost in each way, from the document of `compress`."""

from typing import Any

from infra.pages import (
    Cell,
    Chart,
    Check,
    Column,
    Estimate,
    Outcome,
    Page,
    Section,
    Table,
    Verdict,
    charts,
    numbers,
)
from infra.pages.palette import BLUE, INK
from models.evaluation.finetuning.judge import ALL
from models.evaluation.page import text
from models.evaluation.results import reproduce
from models.training.compression.catalog import way

Document = dict[str, Any]
_KILOBYTE = 1_000


def compression_page(document: Document) -> Page:
    """The page of a compression."""
    return Page(
        title=f"Compression of model {document['model']['version']}",
        subtitle=_subtitle(document),
        verdict=verdict(document),
        notices=tuple(f"{note[0].upper()}{note[1:]}." for note in document["notes"]),
        table=_ways(document),
        sections=(
            Section("Quality lost", (_lost(document),)),
            Section("Speed beside the original", (_speed(document),)),
            *(Section(f"By head: {head}", (_head(document, head),)) for head in document["heads"]),
            Section("Mean over heads", (_head(document, ALL),)),
            Section("The ways", (_settings(document),)),
        ),
        health=tuple(_checks(document)),
        reproduce=reproduce(document, {"model": document["model"]["version"]}),
    )


def smaller(document: Document, one: Document) -> bool:
    """Whether a way takes fewer bytes on disk than the original."""
    return bool(one["bytes_on_disk"] < document["model"]["bytes_on_disk"])


def faster(one: Document) -> bool | None:
    """True where the interval of the speed lies above that of the original, False below, None where it holds it."""
    low, high = one["speed"]["ci_low"], one["speed"]["ci_high"]
    if low is None or low <= 1 <= high:
        return None
    return bool(low > 1)


def quality(document: Document, one: Document) -> str:
    """What a way costs, in words."""
    margin = f"{document['margin']:g}"
    words = {True: "is no worse by more than", False: "may be worse by more than", None: "is not told from"}
    return f"its log loss {words[one['no_worse']]} {margin}"


def verdict(document: Document) -> Verdict:
    """One sentence: what each way saves, and whether it is no worse than the margin."""
    parts = []
    for name, one in document["ways"].items():
        share = numbers.share(one["bytes_on_disk"] / document["model"]["bytes_on_disk"], 0)
        times = numbers.number(one["speed"]["value"], 2)
        parts.append(
            f"{way(name).title} has {share} of the bytes and {times} times the speed, {quality(document, one)}"
        )
    sentence = f"{'; '.join(parts)}."
    sentence = sentence[0].upper() + sentence[1:]
    if not document["export"]["same"]:
        return Verdict(Outcome.BAD, f"The exported program is not the model. {sentence}", "Export differs")
    if any(smaller(document, one) and one["no_worse"] for one in document["ways"].values()):
        return Verdict(Outcome.OK, sentence, "Smaller and no worse")
    return Verdict(Outcome.BAD, sentence, "No way is smaller and no worse")


def kilobytes(count: int) -> str:
    """Bytes in thousands."""
    return f"{numbers.number(count / _KILOBYTE, 1)} kB"


def _subtitle(document: Document) -> str:
    rows = ", ".join(f"{head} {numbers.count(each['rows'], 'label')}" for head, each in document["rows"].items())
    people = max(each["people"] for each in document["rows"].values())
    return f"judged on {numbers.count(people, 'person', 'people')} that no model has seen: {rows}"


def _estimate(figure: Document | None, scale: float = 1.0) -> Cell:
    if figure is None or figure["value"] is None:
        return None
    return Estimate(*(None if figure[key] is None else scale * figure[key] for key in ("value", "ci_low", "ci_high")))


def _ways(document: Document) -> Table:
    columns = (
        Column("Way", align="left"),
        Column("Disk", "kB", decimals=0),
        Column("Memory", "kB", decimals=0),
        Column("Speed", "1000/s", decimals=0),
        Column("Of original", "times", decimals=2),
        Column("Log loss above", "× 1000", decimals=1),
        Column("AUC above", "× 1000", decimals=1),
    )
    model = document["model"]
    rows: list[tuple[Cell, ...]] = [("original", *_sizes(model), model["tokens_per_s"] / 1_000, None, None, None)]
    for name, one in document["ways"].items():
        differences = (one["log_loss_difference"][ALL], one["auc_difference"][ALL])
        measured = (_estimate(one["speed"]), *(_estimate(each, 1_000) for each in differences))
        rows.append((way(name).title, *_sizes(one), one["tokens_per_s"] / 1_000, *measured))
    export = document["export"]
    program: tuple[Cell, ...] = (export["bytes_on_disk"] / _KILOBYTE, None)
    if export["tokens_per_s"] is not None:
        program += (export["tokens_per_s"] / 1_000, _estimate(export["speed"]))
    else:
        program += (None, None)
    rows.append(("exported", *program, None, None))
    return Table(
        columns,
        tuple(rows),
        "On disk: the file of the weights, and the exported program with its graph. In memory: all tensors. Speed: "
        f"real tokens of the forward pass on one thread, median of {numbers.count(document['rounds'], 'round')}; its "
        "ratio is of the same round. Log loss and AUC: means over heads, on the same rows; 95% intervals draw people "
        "anew, those of the speed draw rounds.",
    )


def _parity(export: Document) -> str:
    if not export["greatest_difference"]:
        return "logits are equal to the last bit"
    return f"logits at most {export['greatest_difference']:.1e} apart"


def _sizes(one: Document) -> tuple[float, float]:
    return one["bytes_on_disk"] / _KILOBYTE, one["bytes_in_memory"] / _KILOBYTE


def _interval(label: str, figure: Document, colour: Any = INK) -> charts.Interval:  # noqa: ANN401  a colour of the palette
    low, value, high = (
        float("nan") if figure[key] is None else float(figure[key]) for key in ("ci_low", "value", "ci_high")
    )
    return charts.Interval(label, value, low, high, colour)


def _lost(document: Document) -> Chart:
    rows = [_interval(way(name).title, one["log_loss_difference"][ALL]) for name, one in document["ways"].items()]
    worst, best = max(rows, key=lambda row: row.value), min(rows, key=lambda row: row.value)
    return charts.paired_differences(
        rows,
        unit="log loss above the original's, nats",
        caption=(
            f"Highest: {worst.label}, {numbers.signed(worst.value, 5)}; lowest: {best.label}, "
            f"{numbers.signed(best.value, 5)}. Right of zero: worse than the original."
        ),
        alt_text=f"Log loss of {len(rows)} ways above that of the original.",
    )


def _speed(document: Document) -> Chart:
    rows = [_interval(way(name).title, one["speed"], BLUE) for name, one in document["ways"].items()]
    if document["export"]["speed"] is not None:
        rows.append(_interval("exported", document["export"]["speed"], BLUE))
    quickest, slowest = max(rows, key=lambda row: row.value), min(rows, key=lambda row: row.value)
    return charts.interval_plot(
        rows,
        unit="times the original's tokens/s",
        caption=(
            f"Quickest: {quickest.label}, {numbers.number(quickest.value, 2)} times; slowest: {slowest.label}, "
            f"{numbers.number(slowest.value, 2)} times. 1 is the original."
        ),
        alt_text=f"Speed of {len(rows)} forward passes over that of the original.",
        zero=False,
    )


def _head(document: Document, head: str) -> Table:
    columns = (
        Column("Way", align="left"),
        Column("Log loss", decimals=4),
        Column("AUC", decimals=3),
        Column("Log loss above", "× 1000", decimals=1),
        Column("AUC above", "× 1000", decimals=1),
    )
    base = document["base"]
    rows: list[tuple[Cell, ...]] = [
        ("original", _estimate(base["log_loss"][head]), _estimate(base["auc"][head]), None, None)
    ]
    for name, one in document["ways"].items():
        levels = (_estimate(one["log_loss"][head]), _estimate(one["auc"][head]))
        changes = (one["log_loss_difference"][head], one["auc_difference"][head])
        rows.append((way(name).title, *levels, *(_estimate(each, 1_000) for each in changes)))
    return Table(columns, tuple(rows), _who(document, head))


def _who(document: Document, head: str) -> str:
    if head == ALL:
        return "The mean over heads, each of which counts the same."
    seen = document["rows"][head]
    people = numbers.count(seen["people"], "person", "people")
    return f"On {numbers.count(seen['rows'], 'label')} of {people} that no model has seen."


def _settings(document: Document) -> Table:
    columns = (
        Column("Way", align="left"),
        Column("What it does", align="left"),
        Column("Numbers"),
        Column("Not zero"),
        Column("Epochs"),
        Column("Time", "s", decimals=1),
        Column("Settings", align="left"),
        Column("As a checkpoint", align="left"),
    )
    rows = tuple(
        (
            *(way(name).title, way(name).meaning, one["parameters"], one["nonzero"], one["epochs"], one["seconds"]),
            "; ".join(f"{key}={value}" for key, value in one["settings"].items()) or "none",
            "can be kept" if one["ordinary"] else "cannot: no float32 weights say the same",
        )
        for name, one in document["ways"].items()
    )
    return Table(columns, rows, "Numbers are all tensors of the model in memory, scales and masks among them.")


def _checks(document: Document) -> list[Check]:
    export = document["export"]
    shapes = (
        "any number of people and tokens, two and 32 at least"
        if export["free_shapes"]
        else "the shape of one batch alone"
    )
    said = (
        f"{_parity(export)} on {numbers.count(export['tokens'], 'token')} in "
        f"{numbers.count(export['batches'], 'batch', 'batches')}; {export['tolerance']:g} is allowed; it takes {shapes}"
    )
    checks = [Check("The exported program is the model", export["same"], said)]
    for name, one in document["ways"].items():
        title = way(name).title
        bytes_ = f"{kilobytes(one['bytes_on_disk'])} of {kilobytes(document['model']['bytes_on_disk'])}"
        checks += [
            Check(f"{title}: smaller on disk", smaller(document, one), bytes_),
            Check(f"{title}: faster", faster(one), f"{text(one['speed'], 2)} times the original"),
            Check(
                f"{title}: no worse than {document['margin']:g}",
                one["no_worse"],
                f"log loss {text(one['log_loss_difference'][ALL], 5)} above the original's",
            ),
        ]
    return checks
