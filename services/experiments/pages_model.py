"""How good the model is: against the base rate, logistic regression, and the best possible predictor.

`quality.json`, all keys optional: {"heads": {name: figures}, "notes": [text]} with the figures of
`models.evaluation.evaluate`: auc, log_loss, base_log_loss, logistic_log_loss, latent_oracle_log_loss, gap_closed, ece,
people, difference_to_logistic {mean, ci_low, ci_high} (logistic's log loss less the model's, bootstrap by person), and
calibration [{predicted, observed, count, low, high}]. It adds to the summary's `model.heads`.
"""

import math
from typing import Any

from infra.pages import Block, Cell, Chart, Column, Estimate, Mark, Outcome, Paragraph, Section, Table, charts, numbers
from services.experiments.pages_facts import Facts, RunFacts

_TITLE = "How good the model is"
_Z = 1.959964
"""97.5% quantile of the normal distribution."""


def model_section(facts: RunFacts) -> Section:
    """A table of log losses, the share of the way to the oracle, and calibration."""
    heads = merged_heads(facts)
    if not heads:
        return Section(_TITLE, (Paragraph("No model was trained in this run."),))
    body: list[Block] = [_table(heads)]
    sentence = " ".join(text for name, head in heads.items() if (text := _head_sentence(name, head)))
    if sentence:
        body.append(Paragraph(sentence))
    chart = _calibration(heads)
    if chart:
        body.append(chart)
    notes = facts.quality.get("notes") or facts.part("model").get("notes") or ()
    return Section(_TITLE, (*body, *(Paragraph(f"{str(note).capitalize()}.") for note in notes)))


def merged_heads(facts: RunFacts) -> dict[str, Facts]:
    """Heads of the summary, with what `quality.json` adds."""
    summary = facts.part("model").get("heads") or {}
    quality = facts.quality.get("heads") or {}
    return {name: {**summary.get(name, {}), **quality.get(name, {})} for name in dict.fromkeys([*summary, *quality])}


def share_of_gap(head: Facts) -> float | None:
    """How much of the way from the base rate to the latent oracle the model goes, in log loss; None if unknown."""
    if head.get("gap_closed") is not None:
        return float(head["gap_closed"])
    base, model, oracle = (head.get(key) for key in ("base_log_loss", "log_loss", "latent_oracle_log_loss"))
    if base is None or model is None or oracle is None or base <= oracle:
        return None
    return float((base - model) / (base - oracle))


def _table(heads: dict[str, Facts]) -> Table:
    columns = (
        Column("Predicts", align="left"),
        Column("AUC", decimals=3),
        Column("Base rate", "log loss", decimals=4),
        Column("Logistic", "log loss", decimals=4),
        Column("Attention", "log loss", decimals=4),
        Column("Oracle", "log loss", decimals=4),
        Column("Gain on logistic", "log loss", decimals=4),
        Column("Beats logistic", align="left"),
    )
    rows = tuple((name, *_cells(head)) for name, head in heads.items())
    caption = "Lower log loss is better. On people and times that the model was not trained on"
    people = next((head["people"] for head in heads.values() if head.get("people")), None)
    caption += f" ({numbers.count(people, 'person', 'people')})." if people else "."
    return Table(columns, rows, caption + " The oracle knows the true probability behind every event.")


def _cells(head: Facts) -> tuple[Cell, ...]:
    keys = ("auc", "base_log_loss", "logistic_log_loss", "log_loss", "latent_oracle_log_loss")
    gain = _gain(head)
    words = {Outcome.OK: "yes", Outcome.BAD: "no", Outcome.UNKNOWN: "open"}
    outcome = _beats(gain)
    return (*(head.get(key) for key in keys), gain, Mark(outcome, words[outcome]))


def _gain(head: Facts) -> Estimate | None:
    paired = head.get("difference_to_logistic") or {}
    if paired.get("mean") is not None:
        return Estimate(paired["mean"], paired.get("ci_low"), paired.get("ci_high"))
    logistic, model = head.get("logistic_log_loss"), head.get("log_loss")
    return None if logistic is None or model is None else Estimate(logistic - model, None, None)


def _beats(gain: Estimate | None) -> Outcome:
    if gain is None or gain.value is None or gain.low is None or gain.high is None:
        return Outcome.UNKNOWN
    if gain.low > 0:
        return Outcome.OK
    return Outcome.BAD if gain.value <= 0 else Outcome.UNKNOWN


def _head_sentence(name: str, head: Facts) -> str:
    gap, error = share_of_gap(head), head.get("ece")
    parts = [
        f"goes {numbers.share(gap, 0)} of the way from the base rate to the best possible" if gap is not None else "",
        f"forecasts {numbers.number(100 * error, 1)} percentage points too high or low on average"
        if error is not None
        else "",
    ]
    said = " and ".join(part for part in parts if part)
    return f"For {name}, the model {said}." if said else ""


def _calibration(heads: dict[str, Facts]) -> Chart | None:
    curves = {name: _bins(head.get("calibration") or []) for name, head in heads.items()}
    curves = {name: bins for name, bins in curves.items() if bins}
    if not curves:
        return None
    every = [bin_ for bins in curves.values() for bin_ in bins]
    outside = sum(not b.low <= b.predicted <= b.high for b in every)
    worst = max(every, key=lambda b: abs(b.observed - b.predicted))
    return charts.calibration_curve(
        [charts.Calibration(name, bins) for name, bins in curves.items()],
        caption=(
            f"Forecast against what came true, 95% intervals. {outside} of {len(every)} intervals miss the forecast; "
            f"the furthest point is {numbers.number(100 * abs(worst.observed - worst.predicted), 1)} percentage points "
            f"off, at a forecast of {numbers.share(worst.predicted)}."
        ),
        alt_text=f"Calibration of {len(curves)} heads against the diagonal.",
    )


def _bins(rows: list[dict[str, Any]]) -> tuple[charts.Bin, ...]:
    found = []
    for row in rows:
        if not row.get("count"):
            continue
        low, high = row.get("low"), row.get("high")
        if low is None or high is None:
            low, high = wilson(row["observed"], row["count"])
        found.append(charts.Bin(row["predicted"], row["observed"], low, high, row["count"]))
    return tuple(found)


def wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share out of `count` (Wilson, JASA 22, 1927)."""
    centre = share + _Z**2 / (2 * count)
    half = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    scale = 1 + _Z**2 / count
    return (centre - half) / scale, (centre + half) / scale
