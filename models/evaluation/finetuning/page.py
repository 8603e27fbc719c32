"""`finetuning.html`: what fine-tuning to a world gave in each way, on one page, from the document of `finetune`."""

from typing import Any

from infra.pages import (
    Block,
    Cell,
    Chart,
    Check,
    Column,
    Estimate,
    Outcome,
    Page,
    Paragraph,
    Section,
    Table,
    Verdict,
    charts,
    numbers,
)
from infra.pages.palette import INK, of_world
from models.evaluation.finetuning.figures import LEAST_GAIN, MOST_PARAMETERS
from models.evaluation.finetuning.judge import ALL, INSIDE, OUTSIDE
from models.evaluation.page import text
from models.evaluation.results import reproduce
from models.training.finetuning.catalog import FULL, way

Document = dict[str, Any]
_THOUSANDTHS = "log loss × 1000"
_BAR = f"at least {LEAST_GAIN:.0%} of the gain with at most {MOST_PARAMETERS:.0%} of the parameters"


def finetuning_page(document: Document) -> Page:
    """The page of a fine-tuning."""
    return Page(
        title=f"Fine-tuning to {document['world']}",
        subtitle=_subtitle(document),
        verdict=verdict(document),
        notices=tuple(f"{note[0].upper()}{note[1:]}." for note in document["notes"]),
        table=_ways(document),
        sections=(
            Section("Gain in the world", (_gain(document), *_share(document))),
            Section("What was forgotten of the other worlds", (_forgotten(document),)),
            *(Section(f"By head: {head}", (_head(document, head),)) for head in document["heads"]),
            Section("By seed", (_seeds(document),)),
            Section("The ways", (_settings(document),)),
        ),
        health=tuple(_checks(document)),
        reproduce=reproduce(
            document, {"model": document["model"]["version"], "worlds it was trained on": _of(document)}
        ),
    )


def verdict(document: Document) -> Verdict:
    """One sentence: how much of full fine-tuning's gain the other ways reach, with how many of its parameters."""
    full, others = document["ways"].get(FULL), {n: one for n, one in document["ways"].items() if n != FULL}
    if full is None or not others:
        best = min(document["ways"], key=lambda name: document["ways"][name]["log_loss"][INSIDE][ALL]["value"])
        gain = text(document["ways"][best]["gain"][ALL], 4)
        sentence = f"In {document['world']}, {way(best).title} fine-tuning lowers the log loss by {gain}."
        return Verdict(Outcome.UNKNOWN, sentence, "Nothing to hold it against")
    if (full["gain"][ALL]["ci_low"] or 0) <= 0:
        gain = text(full["gain"][ALL], 4)
        return Verdict(Outcome.UNKNOWN, f"Full fine-tuning gains nothing in {document['world']}: {gain}.", "No gain")
    sentence = "; ".join(_reached(name, one) for name, one in others.items())
    sentence = f"Of full fine-tuning's gain in {document['world']}: {sentence}."
    if any(one["reaches"] for one in others.values()):
        return Verdict(Outcome.OK, sentence, "Few parameters do")
    return Verdict(Outcome.BAD, sentence, "No way does with few parameters")


def share_text(share: float | None) -> str:
    """A share of parameters."""
    return numbers.share(share, 1)


def gain_share(figure: Document | None) -> str:
    """A share of full fine-tuning's gain with its interval, in per cent."""
    cell = _estimate(figure, 100)
    return Column("", decimals=1).text(cell).replace(" ", "% ", 1)


def _reached(name: str, one: Document) -> str:
    parameters = share_text(one["share_of_parameters"])
    return f"{way(name).title} {gain_share(one['share_of_gain'])} with {parameters} of its parameters"


def _subtitle(document: Document) -> str:
    inside = document["rows"][INSIDE]
    rows = ", ".join(f"{head} {numbers.count(each['rows'], 'label')}" for head, each in inside.items())
    people = max(each["people"] for each in inside.values())
    return (
        f"model {document['model']['version']}, {numbers.count(document['seeds'], 'seed')} a way; judged on "
        f"{numbers.count(people, 'person', 'people')} that no model has seen: {rows}"
    )


def _of(document: Document) -> str:
    return ", ".join(document["model"]["worlds"]) or "all"


def _estimate(figure: Document | None, scale: float = 1.0) -> Cell:
    if figure is None or figure["value"] is None:
        return None
    return Estimate(*(None if figure[key] is None else scale * figure[key] for key in ("value", "ci_low", "ci_high")))


def _ways(document: Document) -> Table:
    columns = (
        Column("Way", align="left"),
        Column("Trained", "parameters"),
        Column("Of full's", "%", decimals=1),
        Column("Time", "s", decimals=0),
        Column("Gain", _THOUSANDTHS, decimals=1),
        Column("Of full's gain", "%", decimals=1),
        Column("Forgotten elsewhere", _THOUSANDTHS, decimals=1),
    )
    rows = tuple(
        (
            way(name).title,
            one["trainable"],
            None if one["share_of_parameters"] is None else 100 * one["share_of_parameters"],
            one["seconds"],
            _estimate(one["gain"][ALL], 1_000),
            _estimate(one["share_of_gain"], 100),
            _estimate(one["forgotten"].get(ALL), 1_000),
        )
        for name, one in document["ways"].items()
    )
    return Table(
        columns,
        rows,
        f"Gain: log loss in {document['world']} before fine-tuning less after, mean over heads. Forgotten: log loss in "
        "the other worlds after less before. Means over seeds; 95% intervals draw people and seeds anew, the same for "
        f"all ways. Wanted: {_BAR} of full fine-tuning.",
    )


def _interval(label: str, figure: Document, one: Document | None = None, key: str = "", scale: float = 1.0) -> Any:  # noqa: ANN401  charts load when a page is built
    low, value, high = (
        float("nan") if figure[each] is None else scale * float(figure[each]) for each in ("ci_low", "value", "ci_high")
    )
    pairs = () if one is None else tuple(scale * fit[key] for fit in one["fits"] if fit[key] is not None)
    return charts.Interval(label, value, low, high, INK, pairs)


def _gain(document: Document) -> Chart:
    colour = of_world(document["world"])
    rows = [
        charts.Interval(each.label, each.value, each.low, each.high, colour, each.pairs)
        for each in (
            _interval(way(name).title, one["gain"][ALL], one, "gain") for name, one in document["ways"].items()
        )
    ]
    best, least = max(rows, key=lambda row: row.value), min(rows, key=lambda row: row.value)
    return charts.paired_differences(
        rows,
        unit="log loss before less after, nats",
        caption=(
            f"The largest gain is that of {best.label}, {numbers.number(best.value, 4)}, the smallest that of "
            f"{least.label}, {numbers.number(least.value, 4)}. Rings are seeds."
        ),
        alt_text=f"Gain in log loss of {len(rows)} ways.",
    )


def _share(document: Document) -> tuple[Block, ...]:
    rows = [
        _interval(way(name).title, one["share_of_gain"], one, "share_of_gain", 100)
        for name, one in document["ways"].items()
        if name != FULL and one["share_of_gain"] is not None and one["share_of_gain"]["value"] is not None
    ]
    if not rows:
        return ()
    over = [row.label for row in rows if row.value >= 100 * LEAST_GAIN]
    caption = f"At or above {LEAST_GAIN:.0%} of full fine-tuning's gain: {', '.join(over) or 'none'}. Rings are seeds."
    alt = f"Share of full fine-tuning's gain of {len(rows)} ways."
    return (charts.interval_plot(rows, unit="% of full's gain", caption=caption, alt_text=alt, zero=False),)


def _forgotten(document: Document) -> Block:
    rows = [
        _interval(way(name).title, one["forgotten"][ALL], one, "forgotten")
        for name, one in document["ways"].items()
        if ALL in one["forgotten"]
    ]
    if not rows:
        return Paragraph("No event of another world has a label.")
    worst, least = max(rows, key=lambda row: row.value), min(rows, key=lambda row: row.value)
    return charts.paired_differences(
        rows,
        unit="log loss after less before, nats",
        caption=(
            f"{_forgets(worst)} the most, by {numbers.number(worst.value, 4)}, {least.label} the least, by "
            f"{numbers.number(least.value, 4)}. Right of zero: forgotten."
        ),
        alt_text=f"Change of log loss in the other worlds of {len(rows)} ways.",
    )


def _forgets(row: Any) -> str:  # noqa: ANN401  a row of a chart
    label = str(row.label)
    return f"{label[0].upper()}{label[1:]} forgets"


def _head(document: Document, head: str) -> Table:
    columns = (
        Column("Way", align="left"),
        Column("Log loss", decimals=3),
        Column("AUC", decimals=3),
        Column("Gain", _THOUSANDTHS, decimals=1),
        Column("Forgotten elsewhere", _THOUSANDTHS, decimals=1),
    )
    base = document["base"]
    rows: list[tuple[Cell, ...]] = [
        ("before", _estimate(base["log_loss"][INSIDE][head]), _estimate(base["auc"][head]), None, None)
    ]
    for name, one in document["ways"].items():
        levels = (_estimate(one["log_loss"][INSIDE][head]), _estimate(one["auc"][head]))
        changes = (one["gain"][head], one["forgotten"].get(head))
        rows.append((way(name).title, *levels, *(_estimate(each, 1_000) for each in changes)))
    seen = document["rows"]
    elsewhere = seen[OUTSIDE].get(head, {"rows": 0})["rows"]
    caption = (
        f"On {numbers.count(seen[INSIDE][head]['rows'], 'label')} in {document['world']} and "
        f"{numbers.number(elsewhere)} elsewhere."
    )
    return Table(columns, tuple(rows), caption)


def _seeds(document: Document) -> Table:
    columns = (
        Column("Way", align="left"),
        Column("Seed"),
        Column("Epochs"),
        Column("Time", "s", decimals=0),
        Column("Validation", "log loss", decimals=4),
        Column("Gain", "log loss", decimals=4),
        Column("Forgotten", "log loss", decimals=4),
        Column("Version", align="left"),
    )
    rows = tuple(
        (
            way(name).title,
            *(fit[key] for key in ("seed", "epochs", "seconds", "validation_loss", "gain", "forgotten", "version")),
        )
        for name, one in document["ways"].items()
        for fit in one["fits"]
    )
    return Table(columns, rows, "One row a fit: points without intervals of their own; those over seeds stand above.")


def _settings(document: Document) -> Table:
    columns = (
        Column("Way", align="left"),
        Column("What trains", align="left"),
        Column("Learning rate"),
        Column("Settings", align="left"),
    )
    rows = tuple(
        (way(name).title, way(name).meaning, one["learning_rate"], _told(one["settings"]))
        for name, one in document["ways"].items()
    )
    return Table(columns, rows, "The rate rises linearly over the warm-up and falls along a cosine.")


def _told(settings: Document) -> str:
    words = {
        name: ",".join(value) if isinstance(value, list | tuple) else f"{value:g}" for name, value in settings.items()
    }
    return "; ".join(f"{name}={value}" for name, value in words.items()) or "none"


def _checks(document: Document) -> list[Check]:
    trained = document["model"]["worlds"]
    fresh = bool(trained) and document["world"] not in trained
    checks = [
        Check(
            "The world was new to the model",
            fresh,
            f"its training had labels of {_of(document)}" + ("" if trained else " worlds"),
        )
    ]
    for name, one in document["ways"].items():
        if name != FULL:
            gain, parameters = gain_share(one["share_of_gain"]), share_text(one["share_of_parameters"])
            said = f"{gain} of the gain, {parameters} of the parameters"
            checks.append(Check(f"{way(name).title}: {_BAR}", one["reaches"], said))
    return checks
