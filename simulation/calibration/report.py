"""`calibration.html`: what was published beside what the simulated population does."""

from math import isfinite, nan
from pathlib import Path

from infra.pages import (
    Block,
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
    write_page,
)
from infra.pages.palette import BLUE, MUTED
from infra.runs import environment
from simulation.calibration.fact import Curve, Part, Published, Result
from simulation.calibration.scorecard import ENOUGH, Scorecard

_GROUPS = (
    ("Thoughts and feelings", range(1, 7)),
    ("When people act", range(7, 10)),
    ("Notifications and prompts", (10, 11, 12, 13, 14, 22, 23)),
    ("Staying and leaving", (15, 16, 17)),
    ("What practice does", (18, 19, 20, 21)),
    ("Attention and sleep", (24, 25, 26, 27)),
)


def write_report(card: Scorecard, path: Path, command: str) -> Path:
    """Write the page of a scorecard; `command` is what was typed."""
    return write_page(page(card, command), path)


def page(card: Scorecard, command: str) -> Page:
    """The page of a scorecard."""
    return Page(
        title=f"Calibration of scenario {card.scenario.name}",
        subtitle=f"{len(card.results)} published findings, measured in {numbers.seconds(card.seconds)}",
        verdict=_verdict(card),
        table=_table(card),
        sections=tuple(_section(title, card, rows) for title, rows in _GROUPS),
        health=_health(card),
        reproduce=Reproduce(command, card.scenario.seed, environment()["versions"]),
    )


def _verdict(card: Scorecard) -> Verdict:
    total, missed = len(card.results), [result.fact.title for result in card.results if not result.passed]
    sentence = f"{card.passed} of {total} published findings hold in the simulated population."
    if missed:
        sentence += f" {len(missed)} do not: {'; '.join(title[0].lower() + title[1:] for title in missed)}."
    return Verdict(Outcome.of(card.ok), sentence, "" if card.ok else f"fewer than {ENOUGH}")


def _table(card: Scorecard) -> Table:
    columns = (
        Column("Finding", align="left"),
        Column("Simulated"),
        Column("Published"),
        Column("Agrees", align="left"),
    )
    rows = tuple(
        (
            _named(result),
            Estimate(*_ends(result.finding.parts[0])),
            _published(result.finding.parts[0].published),
            _mark(result),
        )
        for result in card.results
    )
    caption = (
        f"{card.passed} of {len(card.results)} agree. The first number of each finding, with its 95% interval by "
        "bootstrap over people; all numbers are below. Where a paper gives no interval, the margin that the finding "
        "allows stands in its place."
    )
    return Table(columns, rows, caption)


def _named(result: Result) -> str:
    part = result.finding.parts[0]
    measured = f"{part.name}, {part.unit}" if part.unit else part.name
    words = [word for word, told in (("held out", result.fact.held_out), ("recalled", result.fact.recalled)) if told]
    remark = f" ({', '.join(words)})" if words else ""
    return f"{result.fact.row}. {result.fact.title}: {measured}{remark}"


def _mark(result: Result) -> Mark:
    parts = result.finding.parts
    holding = sum(part.passed for part in parts)
    text = ("yes" if result.passed else "no") if len(parts) == 1 else f"{holding} of {len(parts)} numbers"
    return Mark(Outcome.of(result.passed), text)


def _ends(part: Part) -> tuple[float, float, float]:
    return part.simulated.value, part.simulated.low, part.simulated.high


def _published(published: Published) -> Estimate | str:
    if not isfinite(published.high):
        return f"above {published.low:g}"
    if published.value is None:
        return f"{published.low:g} to {published.high:g}"
    return Estimate(published.value, published.low, published.high)


def _section(title: str, card: Scorecard, rows: range | tuple[int, ...]) -> Section:
    body: list[Block] = []
    for result in card.results:
        if result.fact.row in rows:
            body += _fact(result)
    return Section(title, tuple(body))


def _fact(result: Result) -> list[Block]:
    fact = result.fact
    told = f"{fact.row}. {fact.title}. Source: {fact.source}. Protocol: {fact.protocol}. Passes where {fact.rule}."
    if result.finding.note:
        told += f" Beside it: {result.finding.note}."
    blocks: list[Block] = [Paragraph(told)]
    units: dict[str, list[Part]] = {}
    for part in result.finding.parts:
        units.setdefault(part.unit, []).append(part)
    blocks += [_intervals(parts, unit) for unit, parts in units.items()]
    if result.finding.curve is not None:
        blocks.append(_curve(result.finding.curve))
    return blocks


def _intervals(parts: list[Part], unit: str) -> Chart:
    rows = []
    for part in parts:
        one, other = part.simulated, part.published
        rows.append(charts.Interval(f"{part.name}, simulated", one.value, one.low, one.high, BLUE))
        if isfinite(other.high):
            # A published range has no middle that anybody measured: it is a line without a point.
            told = f"published, {other.low:g} to {other.high:g}" if other.value is None else "published"
            middle = nan if other.value is None else other.value
            rows.append(charts.Interval(f"{part.name}, {told}", middle, other.low, other.high, MUTED))
    agree = [part.name for part in parts if part.passed]
    miss = [part.name for part in parts if not part.passed]
    caption = "; ".join(
        f"{word}: {', '.join(names)}" for word, names in (("agrees", agree), ("does not agree", miss)) if names
    )
    return charts.interval_plot(
        rows,
        unit=unit or "value",
        caption=f"{caption[0].upper()}{caption[1:]}.",
        alt_text=f"Simulated and published intervals of {', '.join(part.name for part in parts)}.",
        zero=any(part.direction for part in parts),
    )


def _curve(curve: Curve) -> Chart:
    colours = {"published": MUTED}
    lines = tuple(
        charts.Line(name, x, y, colours.get(name, BLUE), dashed=name != next(iter(curve.lines)))
        for name, (x, y) in curve.lines.items()
    )
    ends = "; ".join(
        f"{name} from {numbers.number(y[0])} to {numbers.number(y[-1])}" for name, (_, y) in curve.lines.items()
    )
    return charts.line_chart(
        [charts.LinePanel(curve.title, lines)],
        charts.Axes(curve.x, curve.y),
        caption=f"{curve.title}: {ends}.",
        alt_text=f"{curve.title} over {curve.x}.",
    )


def _health(card: Scorecard) -> tuple[Check, ...]:
    known = [part for result in card.results for part in result.finding.parts if isfinite(part.simulated.low)]
    every = sum(len(result.finding.parts) for result in card.results)
    held = [result for result in card.results if result.fact.held_out]
    return (
        Check("Every number has an interval", len(known) == every, f"{len(known)} of {every}"),
        Check(
            "Held-out findings",
            None if not held else all(result.passed for result in held),
            f"{sum(result.passed for result in held)} of {len(held)} hold; no parameter was fitted to them",
        ),
        Check("Enough findings hold", card.ok, f"{card.passed}; at least {ENOUGH} must"),
    )
