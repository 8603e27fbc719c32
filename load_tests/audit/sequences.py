"""What rows say: nobody's sequence has a gap, everything is there once, and each step follows from the one before."""

import numpy as np
import polars as pl

from infra.contracts.identity import partition_of
from infra.contracts.kinds import EventKind
from load_tests.audit.evidence import Evidence
from load_tests.audit.finding import Finding, findings

_NUMBERED = ("events", "outcomes", "decisions")
"""Streams whose rows number a person's own, gapless from 0; scores repeat the numbers of their events."""


def audit_rows(evidence: Evidence) -> list[Finding]:
    """Every rule about rows."""
    found: list[Finding] = []
    for stream in evidence.rows:
        found += doubled(evidence, stream) + misplaced(evidence, stream) + going_back(evidence, stream)
    for stream in _NUMBERED:
        found += gaps(evidence, stream)
    return found + unscored(evidence) + commands(evidence) + answers(evidence) + unarchived(evidence)


def doubled(evidence: Evidence, stream: str) -> list[Finding]:
    """An id that a stream has twice, in different records or in one."""
    key = "ref" if stream == "scores" else "id"
    rows = evidence.of(stream)
    again = rows.filter(~pl.col(key).is_first_distinct())
    return _by_record("doubled", stream, again, "{} rows were there before")


def misplaced(evidence: Evidence, stream: str) -> list[Finding]:
    """A row in a partition that is not its person's."""
    rows = evidence.of(stream)
    own = partition_of(rows["person"].to_numpy()) if len(rows) else np.zeros(0, np.int32)
    return _by_record("wrong partition", stream, rows.filter(pl.Series(own) != rows["partition"]), "{} rows")


def going_back(evidence: Evidence, stream: str) -> list[Finding]:
    """A person's row behind one with a later number."""
    if stream == "interventions":  # commands are not numbered
        return []
    late = evidence.of(stream).filter(pl.col("seq") < pl.col("seq").cum_max().over("person"))
    return _by_record("out of order", stream, late, "{} rows come after later ones of the same person")


def gaps(evidence: Evidence, stream: str) -> list[Finding]:
    """Numbers of a person that are not there: located at the next row of that person, before which they should be."""
    rows = evidence.of(stream).unique("id", keep="first", maintain_order=True).sort("person", "seq")
    before = pl.col("seq").cast(pl.Int64).shift(1).over("person").fill_null(-1)
    jump = rows.with_columns(lost=pl.col("seq").cast(pl.Int64) - before - 1).filter(pl.col("lost") > 0)
    lost = jump.group_by("partition", "offset", "source").agg(count=pl.col("lost").sum(), people=pl.len())
    told = lost.sort("partition", "offset").select(
        "partition",
        "offset",
        "count",
        service="source",
        stream=pl.lit(stream),
        detail=pl.format("{} rows of {} people before this offset are not there", "count", "people"),
    )
    return findings("lost", told)


def unscored(evidence: Evidence) -> list[Finding]:
    """Events of the scored ticks without a score; scores of no event."""
    events, scores = evidence.of("events"), evidence.of("scores")
    if scores.is_empty() and evidence.running:
        return []
    live = events if scores.is_empty() else events.filter(pl.col("tick") >= scores["tick"].min())
    if evidence.running:
        live = live.filter(pl.col("tick") < pl.lit(scores["tick"].max()))
    without = live.join(scores, left_on="id", right_on="ref", how="anti").with_columns(source=pl.lit("monitor"))
    of_nothing = scores.join(events, left_on="ref", right_on="id", how="anti")
    return [
        *_by_record("not scored", "events", without, "{} events have no score"),
        *_by_record("of nothing", "scores", of_nothing, "{} scores of events that are not there"),
    ]


def commands(evidence: Evidence) -> list[Finding]:
    """Decisions to offer something without a command; commands without such a decision."""
    offers = evidence.of("decisions").filter(pl.col("what") > 0)
    orders = evidence.of("interventions")
    due = offers.filter(pl.col("tick") < pl.col("tick").max()) if evidence.running else offers
    unordered = due.join(orders, left_on="id", right_on="ref", how="anti")
    undecided = orders.join(offers, left_on="ref", right_on="id", how="anti")
    return [
        *_by_record("not ordered", "decisions", unordered, "{} decisions without their command"),
        *_by_record("of nothing", "interventions", undecided, "{} commands without their decision"),
        *_by_record(
            "doubled",
            "interventions",
            orders.filter(~pl.col("ref").is_first_distinct() & pl.col("id").is_first_distinct()),
            "{} commands for a decision that has one",
        ),
    ]


def answers(evidence: Evidence) -> list[Finding]:
    """Offers shown for a command that was never given, or twice for one."""
    shown = evidence.of("events").filter((pl.col("what") == EventKind.OFFER_SHOWN) & (pl.col("ref") > 0))
    unknown = shown.join(evidence.of("interventions"), left_on="ref", right_on="id", how="anti")
    twice = shown.filter(~pl.col("ref").is_first_distinct())
    return [
        *_by_record("of nothing", "events", unknown, "{} offers shown without a command"),
        *_by_record("applied twice", "events", twice, "{} offers shown again for one command"),
    ]


def unarchived(evidence: Evidence) -> list[Finding]:
    """Rows of a record that the lake does not have, or has more often."""
    found: list[Finding] = []
    for stream, kept in evidence.archived.items():
        sent = evidence.of(stream).group_by("partition", "offset").agg(sent=pl.len())
        there = kept.group_by("partition", "offset").agg(kept=pl.len())
        if evidence.running:
            sent = sent.join(there.group_by("partition").agg(end=pl.col("offset").max()), on="partition")
            sent = sent.filter(pl.col("offset") <= pl.col("end")).drop("end")
        both = sent.join(there, on=["partition", "offset"], how="full", coalesce=True).fill_null(0)
        less, more = pl.col("kept") < pl.col("sent"), pl.col("kept") > pl.col("sent")
        for rule, wrong in (("not archived", less), ("archived twice", more)):
            told = both.filter(wrong).sort("partition", "offset")
            found += findings(
                rule,
                told.select(
                    "partition",
                    "offset",
                    service=pl.lit("archiver"),
                    stream=pl.lit(stream),
                    count=(pl.col("sent").cast(pl.Int64) - pl.col("kept").cast(pl.Int64)).abs(),
                    detail=pl.format("{} rows sent, {} in the lake", "sent", "kept"),
                ),
            )
    return found


def _by_record(rule: str, stream: str, rows: pl.DataFrame, detail: str) -> list[Finding]:
    """A finding for each record that has some of `rows`."""
    grouped = rows.group_by("partition", "offset", "source").agg(count=pl.len()).sort("partition", "offset")
    told = grouped.select(
        "partition",
        "offset",
        service="source",
        stream=pl.lit(stream),
        count=pl.col("count").cast(pl.Int64),
        detail=pl.format(detail, "count"),
    )
    return findings(rule, told)
