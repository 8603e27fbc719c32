"""`evaluation.html`: how good a model is, on one page, from the document of `comparison.compare`."""

from typing import Any

from infra.pages import (
    Block,
    Cell,
    Chart,
    Check,
    Column,
    Estimate,
    Mark,
    Outcome,
    Page,
    Paragraph,
    Reproduce,
    Section,
    Table,
    Verdict,
    charts,
    numbers,
)
from infra.pages.palette import BLUE, GREEN, MUTED, ORANGE
from models.evaluation.catalog import baseline
from models.evaluation.results import reproduce

Document = dict[str, Any]
_OUTCOMES = {"better": Outcome.OK, "worse": Outcome.BAD, "open": Outcome.UNKNOWN}
_CALIBRATED = 0.01
"""Calibration error that a well calibrated model stays below on enough people."""


def evaluation_page(document: Document) -> Page:
    """The page of an evaluation."""
    heads = measured(document)
    return Page(
        title=f"Model {document['model']['version']}",
        subtitle=_subtitle(document),
        verdict=verdict(document),
        notices=tuple(f"{note[0].upper()}{note[1:]}." for note in document["notes"]),
        table=_models(heads),
        sections=(
            *(_section(name, head) for name, head in heads.items()),
            Section("Calibration", (_calibration(heads),)),
        ),
        health=tuple(check for name, head in heads.items() for check in _checks(name, head)),
        reproduce=_reproduce(document),
    )


def measured(document: Document) -> dict[str, Document]:
    """The heads that have rows."""
    return {name: head for name, head in document["heads"].items() if head["rows"]}


def verdict(document: Document) -> Verdict:
    """One sentence: how far the model goes, and whom it beats."""
    heads = measured(document)
    verdicts = {one["verdict"] for head in heads.values() for one in head["baselines"].values()}
    sentence = "; ".join(_sentence(name, head) for name, head in heads.items())
    if not sentence:
        return Verdict(Outcome.UNKNOWN, "No row of these people has a label.", "Nothing to measure")
    sentence = f"{sentence[0].upper()}{sentence[1:]}."
    if "worse" in verdicts:
        return Verdict(Outcome.BAD, sentence, "A baseline is better")
    if verdicts == {"better"}:
        return Verdict(Outcome.OK, sentence, "Better than every baseline")
    return Verdict(Outcome.UNKNOWN, sentence, "Not told from a baseline" if verdicts else "Without baselines")


def _sentence(name: str, head: Document) -> str:
    share = head["oracle_fraction"]
    if share is not None:
        gap = f"{name} goes {percentage(share)} of the way from the base rate to the best that can be known"
    elif head["latent_fraction"] is not None:
        gap = f"{name} goes {percentage(head['latent_fraction'])} of the way to the true probabilities"
    else:
        gap = f"{name} has a log loss of {text(head['log_loss'], 4)}"
    parts = []
    for word, said in (("better", "better than"), ("open", "not told from"), ("worse", "worse than")):
        named = [baseline(each).title for each, one in head["baselines"].items() if one["verdict"] == word]
        if named:
            parts.append(f"{said} {' and '.join(filter(None, (', '.join(named[:-1]), named[-1])))}")
    return ", ".join([gap, *parts])


def text(figure: Document | None, decimals: int | None = None) -> str:
    """A figure with its interval; a dash where there is none."""
    if figure is None:
        return numbers.MISSING
    return numbers.estimate(figure["value"], figure["ci_low"], figure["ci_high"], decimals)


def percentage(figure: Document | None) -> str:
    """A fraction with its interval in per cent."""
    if figure is None or figure["value"] is None:
        return numbers.MISSING
    low, high = (None if figure[key] is None else 100 * figure[key] for key in ("ci_low", "ci_high"))
    return numbers.estimate(100 * figure["value"], low, high, 0).replace(" ", "% ", 1)


def _estimate(figure: Document | None, scale: float = 1.0) -> Cell:
    if figure is None or figure["value"] is None:
        return None
    return Estimate(*(None if figure[key] is None else scale * figure[key] for key in ("value", "ci_low", "ci_high")))


def _subtitle(document: Document) -> str:
    heads = measured(document)
    people = max((head["people"] for head in heads.values()), default=0)
    who = "people that the model has not seen" if document["people"] == "unseen" else "people of another population"
    return f"on {numbers.number(people)} {who}, horizon {document['horizon_min']:g} min"


def _models(heads: dict[str, Document]) -> Table:
    columns = (
        Column("Predicts", align="left"),
        Column("Of the observable", "%", decimals=0),
        Column("Of the true", "%", decimals=0),
        Column("AUC", decimals=3),
        Column("Calibration error", decimals=4),
    )
    rows = tuple(
        (
            name,
            _estimate(head["oracle_fraction"], 100),
            _estimate(head["latent_fraction"], 100),
            *(_estimate(head[key]) for key in ("auc", "ece")),
        )
        for name, head in heads.items()
    )
    caption = (
        "The share of the way, in log loss, from the base rate to the best prediction from what can be seen, and to "
        "the true probabilities that nobody can see. 95% intervals over people."
    )
    seen = "; ".join(f"{name}: {numbers.count(head['rows'], 'row')}" for name, head in heads.items())
    return Table(columns, rows, f"{caption} Evaluated: {seen}. {_oracle_rows(heads)}".strip())


def _oracle_rows(heads: dict[str, Document]) -> str:
    told = [
        f"{name}: {numbers.count(head['oracle']['rows'], 'row')} of "
        f"{numbers.count(head['oracle']['people'], 'person', 'people')}"
        for name, head in heads.items()
        if head["oracle"]
    ]
    return f"The oracle has looked at a sample ({'; '.join(told)})." if told else ""


def _section(name: str, head: Document) -> Section:
    body: list[Block] = [_losses(head)]
    if head["baselines"]:
        body.append(_baselines(head))
    return Section(f"Log loss: {name}", tuple(body))


def _losses(head: Document) -> Chart:
    found = [("model", head["log_loss"], BLUE)]
    found += [(baseline(each).title, one["log_loss"], MUTED) for each, one in head["baselines"].items()]
    found += [("true probabilities", head["latent"]["log_loss"], GREEN)] if head["latent"] else []
    found += [("observable oracle", head["oracle"]["log_loss"], ORANGE)] if head["oracle"] else []
    found.sort(key=lambda row: -row[1]["value"])
    rows = [charts.Interval(label, *_finite(figure), colour) for label, figure, colour in found]
    best, worst = found[-1], found[0]
    caption = (
        f"Highest: {worst[0]}, {text(worst[1], 4)}; lowest: {best[0]}, {text(best[1], 4)}. Intervals of single "
        "predictors overlap where paired differences (the table) do not."
    )
    if head["oracle"] and head["oracle"]["rows"] != head["rows"]:
        caption += " The observable oracle stands on its sample of people alone, whose base rate may differ."
    return charts.interval_plot(
        rows, unit="log loss, nats", caption=caption, alt_text=f"Log loss of {len(rows)} predictors.", zero=False
    )


def _finite(figure: Document) -> tuple[float, float, float]:
    values = [figure[key] for key in ("value", "ci_low", "ci_high")]
    return (*(float("nan") if value is None else float(value) for value in values),)  # type: ignore[return-value]  # three


def _baselines(head: Document) -> Table:
    columns = (
        Column("Baseline", align="left"),
        Column("Log loss", decimals=3),
        Column("AUC", decimals=3),
        Column("Model better by", "log loss", decimals=4),
        Column("The model is", align="left"),
    )
    rows = tuple(
        (
            baseline(name).title,
            *(_estimate(one[key]) for key in ("log_loss", "auc", "difference")),
            Mark(_OUTCOMES[one["verdict"]], one["verdict"]),
        )
        for name, one in head["baselines"].items()
    )
    first = next(iter(head["baselines"].values()))
    return Table(
        columns,
        rows,
        f"On {numbers.count(first['rows'], 'row')} of {numbers.count(first['people'], 'person', 'people')} that no "
        "baseline was fitted on. Differences are paired: the same rows, "
        "people resampled. Open: the interval holds 0.",
    )


def _calibration(heads: dict[str, Document]) -> Chart | Paragraph:
    curves = {name: _bins(head) for name, head in heads.items()}
    every = [each for bins in curves.values() for each in bins]
    if not every:
        return Paragraph("No row of these people has a label.")
    outside = sum(not each.low <= each.predicted <= each.high for each in every)
    worst = max(every, key=lambda each: abs(each.observed - each.predicted))
    return charts.calibration_curve(
        [charts.Calibration(name, bins) for name, bins in curves.items()],
        caption=(
            f"Forecast against what came true, 95% intervals over people. {outside} of {len(every)} intervals miss the "
            f"forecast; the furthest point is {numbers.number(100 * abs(worst.observed - worst.predicted), 1)} "
            f"percentage points off, at a forecast of {numbers.share(worst.predicted)} "
            f"({numbers.count(worst.count, 'row')})."
        ),
        alt_text=f"Calibration of {len(curves)} heads against the diagonal.",
    )


def _bins(head: Document) -> tuple[charts.Bin, ...]:
    return tuple(
        charts.Bin(each["predicted"], each["observed"], each["low"], each["high"], each["count"])
        for each in head["calibration"]
        if each["low"] is not None
    )


def _checks(name: str, head: Document) -> tuple[Check, ...]:
    error = head["ece"]["value"]
    known = head["oracle"] is not None
    looked_at = (
        f"the oracle has looked at {numbers.count(head['oracle']['people'], 'person', 'people')}" if known else ""
    )
    return (
        Check(
            f"Calibrated: {name}",
            error <= _CALIBRATED,
            f"calibration error {text(head['ece'], 4)}; at most {_CALIBRATED} is wanted",
        ),
        Check(f"Best possible known: {name}", True if known else None, looked_at or "see above for how to find it out"),
    )


def _reproduce(document: Document) -> Reproduce:
    model = document["model"]
    return reproduce(
        document,
        {
            "model": model["version"],
            "trained on": "this lake" if model["trained_on_this_lake"] else "another lake, or another part of this one",
            "baselines fitted on": document["baselines_fitted_on"],
        },
    )
