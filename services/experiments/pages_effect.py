"""What a policy changed: the table under the verdict, and the picture of all measures."""

from dataclasses import dataclass
from math import isfinite

from infra.contracts.metrics import METRICS, Metric
from infra.pages import Block, Chart, Column, Estimate, Mark, Outcome, Paragraph, Section, Table, charts, numbers
from infra.pages.palette import of_policy
from services.experiments.pages_facts import RunFacts

# Their mean without offers is zero, or their scale has no zero: a change in per cent says nothing.
_WITHOUT_SHARE = {"mood", "offers", "practice_minutes", "burden"}
# What a policy does, not what comes of it: "better" is no word for it.
_COSTS = {"offers", "practice_minutes"}
_ASKED = "what it asked"
_NOT_MEASURED = float("nan")


@dataclass(frozen=True)
class Measured:
    """One measure in both arms, with the paired difference and its 95% interval, in the measure's unit."""

    metric: Metric
    run: float
    twin: float
    difference: float
    low: float
    high: float

    @property
    def outcome(self) -> Outcome:
        """OK is better with offers, BAD worse; an interval with zero in it leaves it open."""
        if charts.covers_zero(self.low, self.high):
            return Outcome.UNKNOWN
        return Outcome.of((self.metric.better == "higher") == (self.difference > 0))


def measured(facts: RunFacts) -> list[Measured]:
    """The measures that the summary has, in the order of their definitions; the primary effect alone if only that."""
    found = facts.part("metrics")
    if not found and facts.part("effect"):
        found = {str(facts.part("effect").get("metric", "")): facts.part("effect")}
    return [_measured(metric, found[name]) for name, metric in METRICS.items() if name in found]


def _measured(metric: Metric, figures: dict[str, object]) -> Measured:
    run, twin, difference, low, high = (
        _number(figures.get(key)) for key in ("run", "twin", "difference", "ci_low", "ci_high")
    )
    return Measured(metric, run, twin, difference, low, high)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else _NOT_MEASURED


def effect_table(facts: RunFacts) -> Table | None:
    """Every measure with offers and without, and the paired difference; None when nothing was measured."""
    rows = measured(facts)
    if not rows:
        return None
    columns = (
        Column("Measure", align="left"),
        Column("With offers"),
        Column("Without"),
        Column("Difference"),
        Column("With offers it is", align="left"),
    )
    words = {Outcome.OK: "better", Outcome.BAD: "worse", Outcome.UNKNOWN: "not told apart"}
    cells = tuple(
        (
            f"{row.metric.title}, {row.metric.unit.replace('-', numbers.MINUS)}",
            row.run,
            row.twin,
            Estimate(row.difference, row.low, row.high),
            _ASKED if row.metric.name in _COSTS else Mark(row.outcome, words[row.outcome]),
        )
        for row in rows
    )
    people = facts.number("people")
    over = f" over {numbers.count(int(people), 'person', 'people')}" if people else " over people"
    return Table(
        columns,
        cells,
        "The same people, days and random numbers with the policy's offers and without any (the twin). "
        f"Differences are paired by person; 95% intervals{over}.",
    )


def effect_section(facts: RunFacts) -> Section | None:
    """All measures on one scale, as changes in per cent of the twin; None when none can be shown so."""
    rows = [row for row in measured(facts) if row.metric.name not in _WITHOUT_SHARE and _has_share(row)]
    if not rows:
        return None
    body: tuple[Block, ...] = (_share_chart(rows, facts.policy),)
    cost = _cost(measured(facts))
    return Section("What the offers changed", (*body, Paragraph(cost)) if cost else body)


def _has_share(row: Measured) -> bool:
    return isfinite(row.twin) and row.twin > 0 and isfinite(row.difference)


def _share_chart(rows: list[Measured], policy: str) -> Chart:
    colour = of_policy(policy)
    intervals = [
        charts.Interval(
            f"{row.metric.title} ({row.metric.better} is better)",
            100 * row.difference / row.twin,
            100 * row.low / row.twin,
            100 * row.high / row.twin,
            colour,
        )
        for row in rows
    ]
    return charts.interval_plot(
        intervals,
        unit="change with offers, % of the mean without (0 = no change)",
        caption=_share_caption(rows),
        alt_text=f"A point with its 95% interval for each of {len(rows)} measures, beside a line at no change.",
    )


def _share_caption(rows: list[Measured]) -> str:
    def names(outcome: Outcome) -> str:
        return ", ".join(row.metric.title.lower() for row in rows if row.outcome is outcome)

    better, worse, open_ = names(Outcome.OK), names(Outcome.BAD), names(Outcome.UNKNOWN)
    parts = [f"Better with offers: {better or 'nothing'}", f"worse: {worse or 'nothing'}"]
    return "; ".join(parts) + (f"; not told apart: {open_}." if open_ else ".")


def _cost(rows: list[Measured]) -> str:
    """What it asked of people, in a sentence."""
    by_name = {row.metric.name: row for row in rows if isfinite(row.run)}
    offers, minutes = by_name.get("offers"), by_name.get("practice_minutes")
    if not offers or not minutes:
        return ""
    asked = f"{_two_digits(offers.run)} offers and {_two_digits(minutes.run)} minutes of practice a day"
    return f"It asked of a person {asked}."


def _two_digits(value: float) -> str:
    return numbers.number(value, numbers.significant(value, 2))
