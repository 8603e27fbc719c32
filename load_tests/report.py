"""The page of a load test: did every limit hold, and what happened second by second."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.pages import (
    Block,
    Chart,
    Check,
    Column,
    Figure,
    Figures,
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
from infra.pages.palette import BLUE, MUTED, ORANGE, VERMILLION, Colour

_PERCENTILES = (("p50", BLUE), ("p95", ORANGE), ("p99", VERMILLION))
_KEPT_UP = 0.99
"""Share of the asked rate that has to be reached for the test to be the test that was asked for."""


def build_loadtest_page(result: dict[str, Any], path: Path) -> Path:
    """Write the page of a load test and return its path.

    `result`:
        rate: events a second asked for. seconds: length. events_sent, achieved_rate (events a second).
        latency_ms: {"p50", "p95", "p99", "max"} from each event's intended time.
        slo: [{"name", "limit", "value", "ok"}], `unit` optional (ms).
        series: [{"second", "p50", "p95", "p99", "lag", "sent", "received"}], lag in events.
        Optional: title, subtitle, partial (bool), failure (text), events_received, checks [{"name", "ok", "text"}],
        reproduce {"command", "seed", "versions", "facts"}.

    Numbers that are missing are shown as missing.
    """
    return write_page(loadtest_page(result), path)


def loadtest_page(result: dict[str, Any]) -> Page:
    """The page of a load test as a value."""
    reproduce = result.get("reproduce") or {}
    return Page(
        title=str(result.get("title") or "Load test"),
        subtitle=str(result.get("subtitle") or _subtitle(result)),
        verdict=_verdict(result),
        notices=_notices(result),
        table=_slo_table(result),
        sections=(Section("Latency", tuple(_latency(result))), Section("Throughput and lag", tuple(_flow(result)))),
        health=(_rate_check(result), *_lost_check(result), *_given_checks(result)),
        reproduce=Reproduce(
            str(reproduce.get("command", "calmverse loadtest pipeline")),
            reproduce.get("seed"),
            reproduce.get("versions") or {},
            reproduce.get("facts") or {},
        ),
    )


def _subtitle(result: dict[str, Any]) -> str:
    return f"{numbers.number(result['rate'])} events a second for {numbers.seconds(result['seconds'])}"


def _notices(result: dict[str, Any]) -> tuple[str, ...]:
    partial = ("This load test is partial: it was stopped before its end.",) if result.get("partial") else ()
    return (*partial, str(result["failure"])) if result.get("failure") else partial


def _verdict(result: dict[str, Any]) -> Verdict:
    slo, latency = result.get("slo") or [], result.get("latency_ms") or {}
    load = f"At {numbers.number(_whole(result.get('achieved_rate')))} events a second"
    figure = f"99 in 100 events took less than {numbers.milliseconds(latency.get('p99'))}"
    missed = [limit for limit in slo if limit["ok"] is False]
    if missed:
        worst = missed[0]
        value, most = _amount(worst, "value"), _amount(worst, "limit")
        rest = f" and {numbers.count(len(missed) - 1, 'more limit')}" if len(missed) > 1 else ""
        return Verdict(
            Outcome.BAD, f"{load}, {worst['name']} was {value}, over its limit of {most}{rest}.", "SLO missed"
        )
    if not slo:
        return Verdict(Outcome.UNKNOWN, f"{load}, {figure}; no limit was set.", "No limit set")
    if any(limit["ok"] is None for limit in slo) or result.get("partial"):
        return Verdict(Outcome.UNKNOWN, f"{load}, {figure}; not every limit could be checked.", "Undecided")
    limits = "its limit" if len(slo) == 1 else f"all {len(slo)} limits"
    return Verdict(Outcome.OK, f"{load}, {figure}; it held {limits}.", "SLO held")


def _amount(limit: dict[str, Any], key: str) -> str:
    unit = limit.get("unit", "ms")
    return numbers.milliseconds(limit.get(key)) if unit == "ms" else f"{numbers.number(limit.get(key))} {unit}".strip()


def _slo_table(result: dict[str, Any]) -> Table | None:
    slo = result.get("slo") or []
    if not slo:
        return None
    columns = (Column("Limit", align="left"), Column("At most"), Column("Measured"), Column("Held", align="left"))
    words = {Outcome.OK: "held", Outcome.BAD: "missed", Outcome.UNKNOWN: "not measured"}
    rows = tuple(
        (
            str(limit["name"]),
            _amount(limit, "limit"),
            _amount(limit, "value"),
            Mark(Outcome.of(limit["ok"]), words[Outcome.of(limit["ok"])]),
        )
        for limit in slo
    )
    return Table(columns, rows, "Latency counts from the moment an event should have been sent, so a stall counts too.")


def _latency(result: dict[str, Any]) -> list[Block]:
    latency = result.get("latency_ms") or {}
    titles = {"p50": "Median", "p95": "95th percentile", "p99": "99th percentile", "max": "Slowest"}
    items = [Figure(title, numbers.milliseconds(latency[key])) for key, title in titles.items() if key in latency]
    body: list[Block] = [Figures(tuple(items))] if items else []
    series = result.get("series") or []
    return [*body, _percentiles(series, result.get("slo") or [])] if series else [*body, Paragraph(_NO_SERIES)]


_NO_SERIES = "No figures by second were kept."


def _percentiles(series: Sequence[dict[str, Any]], slo: Sequence[dict[str, Any]]) -> Chart:
    limit = next((s for s in slo if str(s["name"]).startswith("p99") and s.get("limit")), None)
    lines = [_line(series, name, name, colour) for name, colour in _PERCENTILES]
    axes = charts.Axes(
        "seconds of the test",
        "latency, ms (logarithmic)",
        log=True,
        limit=(f"limit of p99, {numbers.milliseconds(limit['limit'])}", float(limit["limit"])) if limit else None,
    )
    return charts.percentiles_over_time(
        lines, axes, caption=_percentile_caption(series, limit), alt_text="Percentiles of latency by second."
    )


def _percentile_caption(series: Sequence[dict[str, Any]], limit: dict[str, Any] | None) -> str:
    known = [row for row in series if row.get("p99") is not None]
    if not known:
        return "No event arrived."
    worst = max(known, key=lambda row: float(row["p99"]))
    text = f"p99 was highest in second {numbers.number(worst['second'])}, {numbers.milliseconds(worst['p99'])}"
    if limit is None:
        return f"{text}."
    over = sum(row["p99"] > limit["limit"] for row in known)
    return f"{text}; it was over its limit in {over} of {numbers.count(len(known), 'second')}."


def _flow(result: dict[str, Any]) -> list[Block]:
    series = result.get("series") or []
    asked, got = result.get("rate"), _whole(result.get("achieved_rate"))
    figures = Figures(
        (
            Figure("Asked for", numbers.number(asked), "events/s"),
            Figure("Reached", numbers.number(got), "events/s", _share(got, asked)),
            Figure("Events sent", numbers.number(result.get("events_sent"))),
        )
    )
    return [figures, _rates(series), _lag(series)] if series else [figures]


def _rates(series: Sequence[dict[str, Any]]) -> Chart:
    lines = (_line(series, "sent", "sent", MUTED, dashed=True), _line(series, "received", "received", BLUE))
    sent, received = (sum(row.get(key) or 0 for row in series) for key in ("sent", "received"))
    return charts.line_chart(
        [charts.LinePanel("", lines)],
        charts.Axes("seconds of the test", "events a second", zero=True),
        caption=f"{numbers.number(sent)} events were sent (dashed) and {numbers.number(received)} came out scored.",
        alt_text="Events sent and received by second.",
    )


def _lag(series: Sequence[dict[str, Any]]) -> Chart:
    rows = [row for row in series if row.get("lag") is not None]
    most = max(rows, key=lambda row: float(row["lag"]), default={"lag": 0, "second": 0})
    last = rows[-1]["lag"] if rows else 0
    return charts.line_chart(
        [charts.LinePanel("", (_line(series, "lag", "lag", VERMILLION),))],
        charts.Axes("seconds of the test", "events sent and not yet scored", zero=True),
        caption=(
            f"Lag was at most {numbers.number(most['lag'])} events, in second {numbers.number(most['second'])}, "
            f"and {numbers.number(last)} at the end."
        ),
        alt_text="Lag by second.",
    )


def _line(
    series: Sequence[dict[str, Any]], key: str, label: str, colour: Colour, *, dashed: bool = False
) -> charts.Line:
    values = tuple(float("nan") if row.get(key) is None else float(row[key]) for row in series)
    return charts.Line(label, tuple(float(row["second"]) for row in series), values, colour, dashed=dashed)


def _rate_check(result: dict[str, Any]) -> Check:
    asked, got = result.get("rate"), result.get("achieved_rate")
    name = "Asked rate reached"
    if not asked or got is None:
        return Check(name, None, "the rate was not measured")
    return Check(name, got >= _KEPT_UP * asked, f"{_share(got, asked)}; at least {_KEPT_UP:.0%} must be")


def _lost_check(result: dict[str, Any]) -> list[Check]:
    sent, received = result.get("events_sent"), result.get("events_received")
    if sent is None or received is None:
        return []
    return [Check("Every event came out", sent == received, f"{numbers.number(received)} of {numbers.number(sent)}")]


def _given_checks(result: dict[str, Any]) -> list[Check]:
    return [Check(check["name"], check["ok"], check["text"]) for check in result.get("checks", ())]


def _share(got: float | None, asked: float | None) -> str:
    return f"{numbers.share(got / asked)} of it" if got is not None and asked else ""


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
