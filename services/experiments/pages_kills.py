"""What was killed on purpose while the run went on, and how long it took until it was back."""

from statistics import median
from typing import Any

from infra.pages import Column, Section, Table, numbers
from services.experiments.pages_facts import RunFacts

_COLUMNS = (
    Column("Killed", align="left"),
    Column("In tick"),
    Column("Back after", "s"),
    Column("Longest tick meanwhile", "s"),
)


def kills_section(facts: RunFacts) -> tuple[Section, ...]:
    """A row a kill; no section where nothing was killed."""
    found = facts.summary.get("kills")
    kills: list[dict[str, Any]] = found if isinstance(found, list) else []
    if not kills:
        return ()
    rows = tuple(
        (kill["victim"], kill["tick"] + 1, round(kill["back_s"], 2), round(kill["longest_tick_s"], 2)) for kill in kills
    )
    return (Section("What was killed", (Table(_COLUMNS, rows, _caption(kills)),)),)


def _caption(kills: list[dict[str, Any]]) -> str:
    """How often, and the times by victim."""
    times: dict[str, list[float]] = {}
    for kill in kills:
        times.setdefault(kill["victim"], []).append(kill["back_s"])
    back = "; ".join(
        f"{victim} {numbers.seconds(median(each))}, at most {numbers.seconds(max(each))}"
        for victim, each in times.items()
    )
    return (
        f"{numbers.count(len(kills), 'kill')} by SIGKILL at random moments. Half of the time back within: {back}. A "
        "service is back when it answers that it is ready, a node when it holds copies of all that it should."
    )
