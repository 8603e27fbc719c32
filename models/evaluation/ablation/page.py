"""`ablation.html`: which settings are better than which, from the document of `compare.ablate`."""

from typing import Any

from infra.pages import Chart, Check, Column, Estimate, Mark, Outcome, Page, Section, Table, Verdict, charts, numbers
from infra.pages.palette import BLUE
from models.evaluation.page import text
from models.evaluation.results import reproduce

Document = dict[str, Any]
_OUTCOMES = {"better": Outcome.OK, "worse": Outcome.BAD, "open": Outcome.UNKNOWN}
_SAID = {"better": "better than", "worse": "worse than", "open": "not told from"}
_ENOUGH_STARTS = 5


def ablation_page(document: Document) -> Page:
    """The page of an ablation."""
    heads = heads_of(document)
    return Page(
        title="Settings compared",
        subtitle=_subtitle(document),
        verdict=verdict(document),
        table=_differences(document),
        sections=(
            *(Section(f"Differences: {head}", (_chart(document, head),)) for head in heads),
            Section("Each setting alone", (_alone(document),)),
        ),
        health=_checks(document),
        reproduce=reproduce(document, {"settings of all": _common(document), "base": document["base"]}),
    )


def heads_of(document: Document) -> list[str]:
    """The heads that are compared."""
    return list(document["arms"][document["base"]]["heads"])


def others(document: Document) -> dict[str, Document]:
    """The arms that are held against the base, by name."""
    return {name: arm for name, arm in document["arms"].items() if name != document["base"]}


def verdict(document: Document) -> Verdict:
    """One sentence: which arm is better than the base at what."""
    found: list[str] = []
    sentences = []
    for name, arm in others(document).items():
        parts = []
        for head, one in arm["heads"].items():
            found.append(one["verdict"])
            parts.append(f"{_SAID[one['verdict']]} {document['base']} at {head} ({text(one['difference'], 4)})")
        sentences.append(f"{name} is {', '.join(parts)}")
    sentence = f"{'; '.join(sentences)}."
    if "worse" in found:
        return Verdict(Outcome.BAD, sentence, "Worse somewhere")
    if set(found) == {"better"}:
        return Verdict(Outcome.OK, sentence, "Better")
    return Verdict(Outcome.UNKNOWN, sentence, "Not told apart everywhere")


def _subtitle(document: Document) -> str:
    share = document["label_share"]
    labels = "" if share == 1 else f", {numbers.share(share)} of the labels"
    return (
        f"{numbers.count(document['starts'], 'random start')} each, judged on "
        f"{numbers.count(document['people'], 'person', 'people')} that none has seen, horizon "
        f"{document['horizon_min']:g} min{labels}"
    )


def _estimate(figure: Document) -> Estimate:
    return Estimate(figure["value"], figure["ci_low"], figure["ci_high"])


def _differences(document: Document) -> Table:
    columns = (
        Column("Setting", align="left"),
        Column("Predicts", align="left"),
        Column("Better by", "log loss", decimals=4),
        Column("Starts in which it is better"),
        Column("It is", align="left"),
    )
    rows = tuple(
        (
            name,
            head,
            _estimate(one["difference"]),
            f"{sum(each > 0 for each in one['differences'])} of {document['starts']}",
            Mark(_OUTCOMES[one["verdict"]], one["verdict"]),
        )
        for name, arm in others(document).items()
        for head, one in arm["heads"].items()
    )
    caption = (
        f"Log loss of {document['base']} less that of the setting, on the same rows. 95% intervals over people and "
        "random starts, both drawn anew; the part of the starts is widened as Student's t is for so few. Open: the "
        "interval holds 0."
    )
    return Table(columns, rows, caption)


def _alone(document: Document) -> Table:
    columns = (
        Column("Setting", align="left"),
        Column("Predicts", align="left"),
        Column("Log loss", decimals=4),
        Column("Below the base rate by", decimals=4),
        Column("Fitting", "s", decimals=1),
    )
    rows = tuple(
        (name, head, _estimate(one["log_loss"]), _estimate(one["better_than_base_rate"]), float(arm["seconds"]))
        for name, arm in document["arms"].items()
        for head, one in arm["heads"].items()
    )
    seen = "; ".join(
        f"{head}: {numbers.count(one['rows'], 'row')} of {numbers.count(one['people'], 'person', 'people')}"
        for head, one in document["arms"][document["base"]]["heads"].items()
    )
    return Table(columns, rows, f"Judged: {seen}. The base rate is that of the labels that the training saw.")


def _chart(document: Document, head: str) -> Chart:
    found = {name: arm["heads"][head] for name, arm in others(document).items()}
    rows = [
        charts.Interval(name, *_finite(one["difference"]), BLUE, tuple(one["differences"]))
        for name, one in found.items()
    ]
    best = max(found, key=lambda name: float(found[name]["difference"]["value"]))
    caption = (
        f"Right of the line: better than {document['base']}. Rings are the single starts. Furthest right: {best}, "
        f"{text(found[best]['difference'], 4)}."
    )
    return charts.paired_differences(
        rows, unit="log loss, nats", caption=caption, alt_text=f"Differences of {len(rows)} settings at {head}."
    )


def _finite(figure: Document) -> tuple[float, float, float]:
    values = [figure[key] for key in ("value", "ci_low", "ci_high")]
    return (*(float("nan") if value is None else float(value) for value in values),)  # type: ignore[return-value]  # three


def _checks(document: Document) -> tuple[Check, ...]:
    useless = [
        f"{name} at {head}"
        for name, arm in document["arms"].items()
        for head, one in arm["heads"].items()
        if not (one["better_than_base_rate"]["ci_low"] or 0) > 0
    ]
    starts = document["starts"]
    return (
        Check(
            "Enough random starts",
            starts >= _ENOUGH_STARTS,
            f"{starts}; with fewer than {_ENOUGH_STARTS} intervals are wide",
        ),
        Check(
            "Every setting learns",
            not useless,
            f"no better than the base rate: {', '.join(useless)}" if useless else "all are better than the base rate",
        ),
    )


def _common(document: Document) -> str:
    return " ".join(f"{key}={value}" for key, value in document["common"].items()) or "the defaults"
