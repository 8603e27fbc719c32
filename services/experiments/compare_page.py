"""The page of `calmverse compare`: which policy is better, on which measure, and how sure that is."""

from pathlib import Path
from typing import Any

from infra.pages import (
    Cell,
    Chart,
    Check,
    Column,
    Mark,
    Outcome,
    Page,
    Reproduce,
    Section,
    Table,
    Verdict,
    charts,
    numbers,
    write_page,
)
from infra.pages.palette import of_policy
from services.experiments.pages_comparison import Comparison, Contrast, is_finite

_PARTIAL = "This comparison is partial: it was stopped before all runs were done."


def build_compare_page(result: dict[str, Any], path: Path) -> Path:
    """Write the page of a comparison and return its path.

    `result`:
        policies: list of names, in the order to show. seeds: list of ints.
        primary: name of the measure that the verdict is about (optional; the first of `metrics`).
        metrics: {name: {"unit": str, "better": "higher" | "lower", "title": str (optional)}}.
        values: [{"policy", "seed", "metric", "value"}], a mean over people each.
        differences: [{"policy", "baseline", "metric", "difference", "ci_low", "ci_high"}], paired over seeds; over
        people where there is one seed.
        Optional: scenario, people, days, partial (bool), checks [{"name", "ok", "text"}],
        reproduce {"command", "seed", "versions": {name: version}, "facts": {name: value}}.

    Numbers that are missing or NaN are shown as missing; a measure that nobody was measured on is left out.
    """
    return write_page(compare_page(result), path)


def compare_page(result: dict[str, Any]) -> Page:
    """The page of a comparison as a value."""
    found = Comparison(result)
    reproduce = result.get("reproduce") or {}
    return Page(
        title=f"Comparison of {', '.join(found.policies)}",
        subtitle=_subtitle(found),
        verdict=_verdict(found),
        notices=(_PARTIAL,) if result.get("partial") else (),
        table=_main_table(found),
        sections=tuple(_metric_section(found, name) for name in found.metrics),
        health=(_pairs_check(found), *(Check(c["name"], c["ok"], c["text"]) for c in result.get("checks", ()))),
        reproduce=Reproduce(
            str(reproduce.get("command", "calmverse compare")),
            reproduce.get("seed"),
            reproduce.get("versions") or {},
            reproduce.get("facts") or {},
        ),
    )


def _subtitle(found: Comparison) -> str:
    result = found.result
    parts = [
        f"scenario {result['scenario']}" if result.get("scenario") else "",
        numbers.count(result["people"], "person", "people") if result.get("people") else "",
        numbers.count(result["days"], "day") if isinstance(result.get("days"), int) else "",
        numbers.count(len(found.seeds), "seed"),
    ]
    return ", ".join(part for part in parts if part)


def _verdict(found: Comparison) -> Verdict:
    """The best policy on the primary measure against its baseline; open when no interval leaves zero out."""
    rows = found.of_metric(found.primary)
    title = found.title(found.primary).lower()
    if not rows:
        return Verdict(Outcome.UNKNOWN, f"No policy was compared on {title}.", "Not measured")
    best = max(rows, key=lambda row: row.gain)
    figure = f"{best.estimate} {found.unit(found.primary)}"
    over = f"over {numbers.count(len(found.seeds), 'seed')}"
    if best.outcome is Outcome.OK:
        others = " and ".join(row.policy for row in rows if row.outcome is not Outcome.OK)
        rest = f"; of {others} this cannot be said" if others else ""
        sentence = f"{best.policy.capitalize()} is better than {best.baseline} on {title} by {figure} {over}{rest}."
        return Verdict(Outcome.OK, sentence, "A better policy")
    if all(row.outcome is Outcome.BAD for row in rows):
        sentence = f"Every policy is worse than {best.baseline} on {title}; the least bad, {best.policy}, by {figure}."
        return Verdict(Outcome.BAD, sentence, "No better policy")
    nearest = f"the nearest to it, {best.policy}, is at {figure}"
    sentence = f"No policy is told to be better than {best.baseline} on {title} {over}; {nearest}."
    return Verdict(Outcome.UNKNOWN, sentence, "Undecided")


def _main_table(found: Comparison) -> Table:
    """A measure a row: the baseline's mean, and how far each other policy is from it."""
    contrasts = found.contrasts
    baselines = sorted({row.baseline for row in contrasts})
    policies = [policy for policy in found.policies if any(row.policy == policy for row in contrasts)]
    columns = (
        Column("Measure", align="left"),
        *(Column(baseline, "mean") for baseline in baselines),
        *(Column(policy, f"less {' or '.join(baselines)}") for policy in policies),
    )
    rows = tuple(
        (
            f"{found.title(name)}, {found.unit(name)}",
            *(found.mean(name, baseline) for baseline in baselines),
            *(_cell(found.of_metric(name), policy) for policy in policies),
        )
        for name in found.metrics
    )
    paired = f"differences are paired by {found.pairing}, with 95% intervals"
    return Table(columns, rows, f"Means over people and seeds; {paired}. ✓ better, ✕ worse, ? open.")


def _cell(contrasts: list[Contrast], policy: str) -> Cell:
    return next((Mark(row.outcome, row.estimate) for row in contrasts if row.policy == policy), None)


def _metric_section(found: Comparison, metric: str) -> Section:
    table = _values_table(found, metric)
    rows = found.of_metric(metric)
    return Section(found.title(metric), (_forest(found, rows, metric, table) if rows else table,))


def _forest(found: Comparison, rows: list[Contrast], metric: str, table: Table) -> Chart:
    intervals = [
        charts.Interval(
            f"{row.policy} {numbers.MINUS} {row.baseline}",
            row.difference,
            row.low,
            row.high,
            of_policy(row.policy),
            found.pairs(row),
        )
        for row in rows
    ]
    chart = charts.paired_differences(
        intervals,
        unit=f"{found.title(metric).lower()}, {found.unit(metric)}: difference ({rows[0].better} is better)",
        caption=" ".join(_said(found, row) for row in rows),
        alt_text=f"For each of {len(rows)} policies a point with its interval, and a ring for each seed.",
    )
    return Chart(chart.pictures, chart.caption, chart.alt, data=table)


def _said(found: Comparison, row: Contrast) -> str:
    pairs = found.pairs(row)
    ahead = sum(row.sign * pair > 0 for pair in pairs)
    words = {
        Outcome.OK: "is better than",
        Outcome.BAD: "is worse than",
        Outcome.UNKNOWN: "cannot be told from",
    }
    of_seeds = f"; it is ahead on {ahead} of {numbers.count(len(pairs), 'seed')} (rings)" if pairs else ""
    return f"{row.policy.capitalize()} {words[row.outcome]} {row.baseline}{of_seeds}."


def _values_table(found: Comparison, metric: str) -> Table:
    columns = (Column("Seed", align="left"), *(Column(policy, found.unit(metric)) for policy in found.policies))
    by_policy = [found.values(metric, policy) for policy in found.policies]
    rows = tuple((str(seed), *(values.get(seed) for values in by_policy)) for seed in found.seeds)
    return Table(columns, rows, f"{found.title(metric)} of each run: a mean over people.")


def _pairs_check(found: Comparison) -> Check:
    """Every policy has a value on every seed, of each measure that any of them has."""
    values = {(row["metric"], row["policy"], row["seed"]) for row in found.result["values"] if is_finite(row["value"])}
    there = sum(metric in found.metrics for metric, _, _ in values)
    wanted = len(found.policies) * len(found.seeds) * len(found.metrics)
    text = f"{numbers.number(there)} of {numbers.number(wanted)} values (policies × seeds × measures)"
    never = [found.title(metric).lower() for metric in found.result["metrics"] if metric not in found.metrics]
    if never:
        text += f"; nobody was measured on {', '.join(never)}"
    return Check("Every pair complete", there == wanted, text)
