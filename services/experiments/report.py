"""`report.html` of a run: what happened, what it changed, and whether to believe it."""

from pathlib import Path

from infra.pages import Page, numbers, write_page
from services.experiments.pages_decisions import decisions_section
from services.experiments.pages_effect import effect_section, effect_table
from services.experiments.pages_facts import RunFacts, read_run
from services.experiments.pages_kills import kills_section
from services.experiments.pages_latency import latency_section
from services.experiments.pages_model import model_section
from services.experiments.pages_verdict import checks, notices, reproduce, verdict
from services.experiments.pages_worlds import worlds_section


def build_report(run_dir: Path) -> Path:
    """Write `report.html` into a run's folder and return its path.

    Reads `summary.json` (needed); `series.parquet` (arm, tick, world, people, focus_mean, stress_mean, mood_mean,
    events), `quality.json` (see pages_model), `environment.json`, `lake/` and `spans/` where they are. What is missing
    is left out or said to be missing, so that a run that was stopped has a page too.

    Raises:
        BadInput: there is no `summary.json`, or one of the files is of another shape.
    """
    return write_page(report_page(read_run(run_dir)), run_dir / "report.html")


def report_page(facts: RunFacts) -> Page:
    """The page of a run, from what was read of it."""
    effect = effect_section(facts)
    return Page(
        title=f"Run {facts.summary.get('run_id', 'without a name')}",
        subtitle=_subtitle(facts),
        verdict=verdict(facts),
        notices=notices(facts),
        table=effect_table(facts),
        sections=(
            *((effect,) if effect else ()),
            worlds_section(facts),
            decisions_section(facts),
            model_section(facts),
            latency_section(facts),
            *kills_section(facts),
        ),
        health=tuple(checks(facts)),
        reproduce=reproduce(facts),
    )


def _subtitle(facts: RunFacts) -> str:
    people, days, seed = facts.number("people"), facts.number("days"), facts.number("seed")
    warmup = facts.number("warmup", "ticks")
    parts = [
        f"scenario {facts.summary['scenario']}" if facts.summary.get("scenario") else "",
        numbers.count(int(people), "person", "people") if people is not None else "",
        f"{_days(days)} simulated" if days is not None else "",
        f"after {_days(warmup / 1440)} of warm-up" if warmup else "",
        f"policy {facts.policy}" if facts.summary.get("policy") else "",
        f"seed {int(seed)}" if seed is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _days(days: float) -> str:
    return numbers.count(int(days), "day") if float(days).is_integer() else f"{numbers.number(days, 1)} days"
