"""`report.html` of a run of the population alone: what was sent and read, how people fared, what it took."""

from pathlib import Path
from typing import Any, cast

import polars as pl

from infra.contracts.worlds import World
from infra.pages import (
    Block,
    Chart,
    Check,
    Column,
    Figure,
    Figures,
    Outcome,
    Page,
    Paragraph,
    Reproduce,
    Section,
    Swatch,
    Table,
    Verdict,
    charts,
    numbers,
    write_page,
)
from infra.pages.palette import MUTED, of_world
from services.experiments.course import LOOK_EVERY, STATES, STEPS
from services.experiments.pages_facts import RunFacts, read_run
from services.experiments.pages_verdict import finished, notices, reproduce, worlds_present
from services.experiments.pages_worlds import binned_series, events_chart, time_axes

_WORLDS = [world.label for world in World if world is not World.NONE]
_POINTS = 96
_MEGABYTE = 1e6


def build_population_report(run_dir: Path) -> Path:
    """Write `report.html` into the folder of a run without services and return its path.

    Reads `summary.json`, `series.parquet` and `environment.json`.

    Raises:
        BadInput: there is no `summary.json`, or one of the files is of another shape.
    """
    return write_page(population_page(read_run(run_dir)), run_dir / "report.html")


def population_page(facts: RunFacts) -> Page:
    """The page of such a run, from what was read of it."""
    return Page(
        title=f"Population {facts.summary.get('run_id', 'without a name')}",
        subtitle=_subtitle(facts),
        verdict=_verdict(facts),
        notices=notices(facts),
        table=_ends_table(facts),
        sections=(_fared(facts), _practices(facts), _took(facts)),
        health=tuple(_checks(facts)),
        reproduce=_reproduce(facts),
    )


def _subtitle(facts: RunFacts) -> str:
    people, ticks, shards = (int(facts.number(name) or 0) for name in ("people", "ticks", "shards"))
    parts = (
        f"scenario {facts.summary.get('scenario')}",
        numbers.count(people, "person", "people"),
        numbers.count(ticks, "simulated minute"),
        numbers.count(shards, "shard"),
        "no services",
        f"seed {facts.summary.get('seed')}",
    )
    return ", ".join(parts)


def _verdict(facts: RunFacts) -> Verdict:
    """Whether what was sent is what was read."""
    sent, read = facts.number("events_emitted"), facts.number("events_read")
    failed = [check for check in _checks(facts) if check.ok is False]
    people = numbers.count(int(facts.number("people") or 0), "person", "people")
    sentence = f"{people} wrote {numbers.number(sent)} events into Kafka, and {numbers.number(read)} were read back"
    if failed:
        told = ", and ".join(f"{check.name.lower()}: {check.text}" for check in failed[:2])
        return Verdict(Outcome.BAD, f"{sentence}; but {told}.", "Not all arrived")
    whole = f"{sentence}: each once, none lost."
    return Verdict(Outcome.UNKNOWN, whole, "A partial run") if facts.partial else Verdict(Outcome.OK, whole, "Complete")


def _ends_table(facts: RunFacts) -> Table:
    """Rows at both ends, a stream each."""
    sent, read = facts.part("rows_emitted"), facts.part("rows_read")
    columns = (
        Column("Stream", align="left"),
        Column("Sent", "rows"),
        Column("Read", "rows"),
        Column("Missing", "rows"),
    )
    rows = tuple(
        (stream, rows, read.get(stream, 0), max(0, rows - read.get(stream, 0))) for stream, rows in sent.items()
    )
    return Table(columns, rows, "What the shards sent, counted as it left, and what a reader of every topic got.")


def _fared(facts: RunFacts) -> Section:
    if facts.series is None:
        return Section("How people fared", (Paragraph("The course of the run was not kept."),))
    looked = facts.series.filter(pl.col("people").is_not_null())
    worlds = [world for world in _WORLDS if world in set(facts.series["world"])]
    body: list[Block] = [_worlds_table(facts, looked, worlds), events_chart(binned_series(facts.series), worlds)]
    if looked.height:
        body.append(_states_chart(looked, worlds))
    return Section("How people fared", tuple(body))


def _worlds_table(facts: RunFacts, looked: pl.DataFrame, worlds: list[str]) -> Table:
    columns = (
        Column("World", align="left"),
        Column("Events"),
        Column("People at a time", "mean", decimals=1),
        Column("At most"),
        *(Column(state.capitalize(), "mean", decimals=3) for state in STATES),
    )
    events = facts.part("worlds")
    rows = tuple(
        (Swatch(world, of_world(world)), int(events.get(world, 0)), *_means(looked, world)) for world in worlds
    )
    caption = (
        f"Events of the whole run; people and their states from a look each {LOOK_EVERY} minutes, a mean over people. "
        f"{_busiest(events)}"
    )
    return Table(columns, rows, caption)


def _busiest(events: dict[str, int]) -> str:
    total = sum(events.values())
    if not total:
        return "Nothing happened."
    most = max(events, key=lambda world: events[world])
    return f"{most.capitalize()} has {numbers.share(events[most] / total)} of the events."


def _means(looked: pl.DataFrame, world: str) -> tuple[float | int | None, ...]:
    """People at a time, at most, and the mean states of a world."""
    rows = looked.filter(pl.col("world") == world)
    people = float(cast(float, rows["people"].sum())) if rows.height else 0.0
    if not people:
        return (0.0, 0, *(None for _ in STATES))
    sums = (float(cast(float, (rows[f"{state}_mean"] * rows["people"]).sum())) for state in STATES)
    return (people / rows.height, int(cast(int, rows["people"].max())), *(total / people for total in sums))


def _states_chart(looked: pl.DataFrame, worlds: list[str]) -> Chart:
    thinned = _thinned(looked)
    panels = [charts.LinePanel(world, _state_lines(thinned, world), of_world(world)) for world in worlds]
    return charts.series_by_world(
        panels,
        time_axes(thinned, "mean over the people there"),
        caption=_states_caption(looked, worlds),
        alt_text=f"Focus, stress and mood over time in {len(worlds)} worlds.",
    )


def _thinned(looked: pl.DataFrame) -> pl.DataFrame:
    """At most `_POINTS` looks, with the hour since the first midnight."""
    ticks = looked["tick"].unique().sort()
    kept = ticks.gather_every(max(1, -(-len(ticks) // _POINTS)))
    first = int(cast(int, ticks.min()))
    midnight = first - first % 1440
    return looked.filter(pl.col("tick").is_in(kept.implode())).with_columns(hour=(pl.col("tick") - midnight) / 60.0)


def _state_lines(thinned: pl.DataFrame, world: str) -> tuple[charts.Line, ...]:
    """Focus as a line in the world's colour, stress the same dashed, mood in grey."""
    rows = thinned.filter(pl.col("world") == world).sort("tick")
    hours = tuple(rows["hour"].to_list())
    looks = {"focus": (of_world(world), False), "stress": (of_world(world), True), "mood": (MUTED, False)}
    return tuple(
        charts.Line(state, hours, tuple(rows[f"{state}_mean"].fill_null(float("nan")).to_list()), colour, dashed=dashed)
        for state, (colour, dashed) in looks.items()
    )


def _states_caption(looked: pl.DataFrame, worlds: list[str]) -> str:
    found = {world: _means(looked, world)[2:] for world in worlds}
    known = {world: means for world, means in found.items() if means[0] is not None}
    caption = f"Focus (line) and stress (dashed), 0 to 1, and mood (grey), {numbers.MINUS}1 to 1, in each world."
    if not known:
        return f"{caption} Nobody was there at any look."
    ends = []
    for place, state in enumerate(STATES):
        high = max(known, key=lambda world: cast(float, known[world][place]))
        ends.append(f"{state} in {high} ({numbers.number(known[high][place], 3)})")
    return f"{caption} Over the run the highest mean is that of {', of '.join(ends)}."


def _practices(facts: RunFacts) -> Section:
    practices: dict[str, dict[str, int]] = facts.part("practices")
    title = "Practice and offers"
    if not practices:
        return Section(title, (Paragraph("Nobody practised, and nothing was offered."),))
    columns = (
        Column("Practice", align="left"),
        *(Column(name) for name in ("Offered", "Taken up", "Completed", "Broken off")),
    )
    rows: tuple[tuple[str | int, ...], ...] = tuple(
        (practice, *(counts[step] for step in STEPS.values())) for practice, counts in practices.items()
    )
    return Section(title, (Table(columns, rows, _practices_caption(practices)),))


def _practices_caption(practices: dict[str, dict[str, int]]) -> str:
    total = {step: sum(counts[step] for counts in practices.values()) for step in next(iter(practices.values()))}
    ended = total["completed"] + total["broken_off"]
    share = numbers.share(total["broken_off"] / ended) if ended else numbers.MISSING
    offered = "Nothing was offered, as there are no services: people practised unasked"
    if total["offered"]:
        taken_up = numbers.share(total["taken_up"] / total["offered"])
        offered = f"Of {numbers.count(total['offered'], 'offer')} {taken_up} were taken up"
    return f"{offered}. {numbers.count(ended, 'practice')} ended, of which {share} were broken off early."


def _took(facts: RunFacts) -> Section:
    """Time, memory, and how the topics were rotated."""
    wall, people, value_bytes = (facts.number(name) for name in ("wall_s", "people", "bytes"))
    steps = facts.number("agent_steps_per_s")
    items = [
        Figure("Wall time", numbers.seconds(wall), note=_phases(facts.part("phases_s"))),
        Figure("Speed", numbers.number(steps), "agent-steps/s", "while it ran"),
        Figure("Memory", _megabytes(facts.number("peak_memory_bytes")), "MB", "at most, besides the broker"),
        Figure("Memory of the broker", _megabytes(facts.number("peak_broker_memory_bytes")), "MB", "at most"),
        Figure("Memory a person", numbers.number(facts.number("bytes_per_person")), "bytes", "that grow with them"),
        Figure("Topics rotated", numbers.number(facts.number("topics_rotated")), note=_rotation(facts)),
        Figure("Frames", numbers.number(facts.number("frames")), note=_frames(facts, value_bytes)),
        Figure("Events a person", numbers.number((facts.number("events_emitted") or 0) / people) if people else "–"),
    ]
    return Section("What it took", (Figures(tuple(items)),))


def _phases(phases: dict[str, float]) -> str:
    return ", ".join(f"{name} {numbers.seconds(took)}" for name, took in phases.items())


def _megabytes(value: float | None) -> str:
    return numbers.number(round(value / _MEGABYTE)) if value else numbers.MISSING


def _rotation(facts: RunFacts) -> str:
    each = facts.number("ticks_a_topic")
    kept = ", all kept on disk" if facts.summary.get("topics_kept") else ""
    return (f"times, each {int(each)} minutes" if each else "times") + kept


def _frames(facts: RunFacts, value_bytes: float | None) -> str:
    ends = facts.number("tick_ends_read")
    return f"{_megabytes(value_bytes)} MB, and {numbers.number(ends)} tick-ends" if ends else ""


def _checks(facts: RunFacts) -> list[Check]:
    sent = numbers.number(facts.number("events_emitted"))
    same: Any = facts.summary.get("same_ids_at_both_ends")
    return [
        _zero(facts, "rows_lost", "Rows lost", "of all streams"),
        _zero(facts, "events_duplicated", "Events read twice", f"of {sent}"),
        Check(
            "Same ids at both ends", same, "the sum of all ids agrees" if same else "other rows arrived than were sent"
        ),
        _zero(
            facts, "tick_ends_that_disagree", "Wrong tick-ends", f"of {numbers.number(facts.number('tick_ends_read'))}"
        ),
        _zero(facts, "unreadable_frames", "Unreadable frames", f"beside {numbers.number(facts.number('frames'))}"),
        worlds_present(facts),
        finished(facts),
    ]


def _zero(facts: RunFacts, key: str, name: str, rest: str) -> Check:
    value = facts.number(key)
    return Check(name, None, "not counted") if value is None else Check(name, value == 0, f"{int(value):,} {rest}")


def _reproduce(facts: RunFacts) -> Reproduce:
    found = reproduce(facts)
    command = str(facts.summary.get("command") or found.command)
    return Reproduce(command, found.seed, found.versions, found.facts)
