"""What happened in each world: counts, events by kind, focus over the day with offers and without."""

from typing import cast

import polars as pl

from infra.contracts.kinds import KINDS
from infra.contracts.time import TICK_US
from infra.contracts.worlds import World
from infra.pages import Block, Chart, Figure, Figures, Paragraph, Section, charts, numbers
from infra.pages.palette import TWIN, of_world
from services.experiments.pages_facts import RunFacts

_TICKS_AN_HOUR = 3_600_000_000 // TICK_US
_TICKS_A_DAY = 24 * _TICKS_AN_HOUR
_POINTS = 96
"""Points a line is drawn with at most: a quarter of an hour each, on one day."""
_KINDS_SHOWN = 6
_ORDER = [world.label for world in World if world is not World.NONE] + [World.NONE.label]


def worlds_section(facts: RunFacts) -> Section:
    """Figures first, then a small picture a world for focus, for events an hour, and for kinds of events."""
    figures = _figures(facts)
    body: list[Block] = [figures] if figures.items else []
    if facts.series is not None:
        body += _series_blocks(facts.series)
    if facts.kinds is not None and facts.kinds.height:
        body.append(_kinds_chart(facts.kinds))
    elif facts.part("worlds"):
        body.append(_worlds_chart(facts.part("worlds")))
    else:
        body.append(Paragraph("Events by world were not counted."))
    return Section("What happened", tuple(body))


def _figures(facts: RunFacts) -> Figures:
    people, events = facts.number("people"), facts.number("events_emitted")
    applied, decisions = facts.number("interventions_applied"), facts.number("decisions")
    wall, ticks = facts.number("wall_s"), facts.number("ticks")
    scored = facts.number("events_scored")
    items = [
        Figure("Events", numbers.number(events), note=_joined(_each(events, people), _scored(scored, events))),
        Figure("Decisions", numbers.number(decisions), note=_each(decisions, people)),
        Figure("Practices applied", numbers.number(applied), note=_each(applied, people)),
        Figure("Wall time", numbers.seconds(wall), note=f"{numbers.number(ticks)} simulated minutes" if ticks else ""),
    ]
    return Figures(tuple(item for item in items if item.value != numbers.MISSING))


def _each(value: float | None, people: float | None) -> str:
    return f"{numbers.number(value / people)} a person" if value is not None and people else ""


def _scored(scored: float | None, events: float | None) -> str:
    if scored is None or not events:
        return ""
    return "all scored" if scored == events else f"{numbers.share(scored / events, 2)} scored"


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _series_blocks(series: pl.DataFrame) -> list[Block]:
    binned = binned_series(series)
    worlds = [world for world in _ORDER if world in set(binned["world"])]
    return [_focus_chart(binned, worlds), events_chart(binned, worlds)]


def binned_series(series: pl.DataFrame) -> pl.DataFrame:
    """Mean focus over people, and events an hour, in at most `_POINTS` steps; `hour` counts from the first midnight."""
    first, last = int(cast(int, series["tick"].min())), int(cast(int, series["tick"].max()))
    midnight = first - first % _TICKS_A_DAY
    step = max(1, -(-(last - first + 1) // _POINTS))
    weight = pl.when(pl.col("focus_mean").is_finite()).then(pl.col("people")).otherwise(0)
    table = series.with_columns(bin=(pl.col("tick") - first) // step, weight=weight)
    return (
        table.group_by("arm", "world", "bin")
        .agg(
            ticks=pl.col("tick").n_unique(),
            focus=(pl.col("focus_mean").fill_nan(0) * pl.col("weight")).sum() / pl.col("weight").sum(),
            people=pl.col("people").mean(),
            events=pl.col("events").sum(),
        )
        .with_columns(
            hour=(first - midnight + (pl.col("bin") + 0.5) * step) / _TICKS_AN_HOUR,
            events_an_hour=pl.col("events") * _TICKS_AN_HOUR / pl.col("ticks"),
        )
        .sort("world", "arm", "bin")
    )


def _focus_chart(binned: pl.DataFrame, worlds: list[str]) -> Chart:
    panels = [
        charts.LinePanel(
            world,
            (_line(binned, "twin", world, "focus"), _line(binned, "run", world, "focus")),
            of_world(world),
        )
        for world in worlds
    ]
    return charts.series_by_world(
        panels,
        time_axes(binned, "mean focus, 0 to 1"),
        caption=_focus_caption(binned, worlds),
        alt_text=f"Focus over time in {len(worlds)} worlds, the run as a line and its twin dashed.",
    )


def _focus_caption(binned: pl.DataFrame, worlds: list[str]) -> str:
    """How the arms differ, as means over people and time."""
    means = binned.filter(pl.col("focus").is_finite()).group_by("arm", "world")
    weighted = means.agg(focus=(pl.col("focus") * pl.col("people")).sum() / pl.col("people").sum())
    value = {(arm, world): focus for arm, world, focus in weighted.select("arm", "world", "focus").iter_rows()}
    changes = {
        world: value["run", world] - value["twin", world]
        for world in worlds
        if ("run", world) in value and ("twin", world) in value
    }
    if not changes:
        return "Mean focus of the people in each world; there is no twin to compare with."
    most = max(changes, key=lambda world: abs(changes[world]))
    higher = sum(change > 0 for change in changes.values())
    return (
        f"Mean focus of the people in each world, with offers (line) and without (dashed). It is higher with offers in "
        f"{higher} of {len(changes)} worlds; the largest change is {numbers.signed(changes[most])} in {most}. "
        "Means without intervals: the table above says what can be told apart."
    )


def events_chart(binned: pl.DataFrame, worlds: list[str]) -> Chart:
    """A small picture a world of events an hour over time, from `binned_series`."""
    panels = [
        charts.LinePanel(world, (_line(binned, "run", world, "events_an_hour", ""),), of_world(world))
        for world in worlds
    ]
    run = binned.filter(pl.col("arm") == "run")
    busiest = run.group_by("bin").agg(pl.col("events_an_hour").sum(), pl.col("hour").first()).sort("events_an_hour")
    caption = "Events an hour in each world."
    if busiest.height:
        hour, rate = busiest["hour"][-1], busiest["events_an_hour"][-1]
        caption += f" Together they were busiest about {_clock(hour)}, with {numbers.number(round(rate))} an hour."
    return charts.series_by_world(
        panels,
        time_axes(binned, "events an hour", zero=True),
        caption=caption,
        alt_text=f"Events an hour over time in {len(worlds)} worlds.",
    )


def _line(binned: pl.DataFrame, arm: str, world: str, column: str, label: str | None = None) -> charts.Line:
    rows = binned.filter((pl.col("arm") == arm) & (pl.col("world") == world))
    values = rows[column].fill_null(float("nan")).to_list()
    twin = arm == "twin"
    colour = TWIN if twin else of_world(world)
    return charts.Line(
        arm if label is None else label, tuple(rows["hour"].to_list()), tuple(values), colour, dashed=twin
    )


def time_axes(binned: pl.DataFrame, y: str, *, zero: bool = False) -> charts.Axes:
    """Axes over the hours of a day, or over the hours of several."""
    last = float(cast(float, binned["hour"].max()))
    if last <= 24:
        return charts.Axes("hour of the day", y, zero=zero, x_ticks=(0, 6, 12, 18, 24))
    step = 24 * max(1, round(last / 24 / 4))
    edges = tuple(float(hour) for hour in range(0, int(last) + step, step))
    return charts.Axes("hours from the first midnight", y, zero=zero, x_ticks=edges)


def _clock(hour: float) -> str:
    minutes = round(hour * 60)
    day = f"day {minutes // 1440 + 1}, " if minutes >= 1440 else ""
    return f"{day}{minutes % 1440 // 60:02d}:{minutes % 60:02d}"


_TITLES = {spec.name: kind.name.replace("_", " ").lower() for kind, spec in KINDS.items()}


def _kinds_chart(kinds: pl.DataFrame) -> Chart:
    worlds = [world for world in _ORDER if world in set(kinds["world"])]
    values = {world: _top_kinds(kinds.filter(pl.col("world") == world)) for world in worlds}
    total = int(kinds["events"].sum())
    by_kind = kinds.group_by("kind").agg(pl.col("events").sum()).sort("events", descending=True)
    kind, most = by_kind.row(0)
    return charts.bars_by_world(
        values,
        unit="",
        caption=(
            f"Events by kind, the {_KINDS_SHOWN} most frequent of each world. Of all {numbers.number(total)} events, "
            f"{numbers.share(most / total)} are {_TITLES.get(kind, kind)}."
        ),
        alt_text=f"Bars of the most frequent kinds of events in {len(worlds)} worlds.",
    )


def _top_kinds(kinds: pl.DataFrame) -> list[tuple[str, float]]:
    rows = [(_TITLES.get(kind, kind), float(events)) for kind, events in kinds.select("kind", "events").iter_rows()]
    shown, rest = rows[:_KINDS_SHOWN], rows[_KINDS_SHOWN:]
    return [*shown, (f"{len(rest)} other kinds", sum(events for _, events in rest))] if rest else shown


def _worlds_chart(worlds: dict[str, float]) -> Chart:
    rows = sorted(worlds.items(), key=lambda item: -item[1])
    bars = tuple(charts.Bar(world, events, colour=of_world(world)) for world, events in rows)
    total = sum(worlds.values()) or 1
    return charts.bars(
        [charts.BarPanel("", bars)],
        unit="",
        caption=f"Events by world. {rows[0][0].capitalize()} has the most, {numbers.share(rows[0][1] / total)} of all.",
        alt_text="A bar for the events of each world.",
    )
