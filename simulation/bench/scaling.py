"""What a population costs from ten thousand people to a million: linear, or not."""

from collections.abc import Callable
from typing import Any

from simulation.bench.measuring import Span, measure, waking
from simulation.core.model import Metaverse

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)


def scaling_table(largest: int, span: Span, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """A row for each size up to `largest`: cost of an agent-step (ns), rates, bytes a person with all buffers.

    `cost_ratio` is the cost of an agent-step against that of the smallest population: 1 everywhere would be linear.
    """
    rows: list[dict[str, Any]] = []
    for people in (size for size in SIZES if size <= largest):
        row = _row(people, span)
        row["cost_ratio"] = round(row["ns_per_agent_step"] / (rows or [row])[0]["ns_per_agent_step"], 2)
        rows.append(row)
        progress(f"{people:>9,} people: {row['ns_per_agent_step']} ns an agent-step, {row['bytes_per_person']} B each")
    return rows


def _row(people: int, span: Span) -> dict[str, Any]:
    model = Metaverse(waking(people))
    measured = measure(model, span)
    return {
        "people": people,
        "ns_per_agent_step": round(1e9 / measured.rate, 1),
        "agent_steps_per_s": round(measured.rate),
        "events_per_s": round(measured.events / measured.seconds),
        "bytes_per_person": round(model.nbytes / people, 1),
    }
