"""What records say of themselves: every tick counted, in order, read once and only then left behind."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from load_tests.audit.evidence import Evidence
from load_tests.audit.finding import Finding, findings

_LOOK_BACK = 4
"""Offsets before a record at which a missing one is looked for: ends of transactions take offsets, too."""
_TICK = ("stream", "partition", "source", "tick")


def audit_records(evidence: Evidence) -> list[Finding]:
    """Every rule about records; none applies where there is only a lake."""
    if evidence.records.is_empty():
        return []
    rules = (repeated, unreadable, uncounted, unended, out_of_order, skipped, committed_early)
    return [found for rule in rules for found in rule(evidence)]


def repeated(evidence: Evidence) -> list[Finding]:
    """A record that is there twice: readers drop the second, unless transactions should have hidden it.

    They do not for those who take what comes from outside, and end no ticks: killed, they send again under the same id.
    """
    of_ticks = pl.col("source").is_in(evidence.records.filter(pl.col("kind") == "end")["source"].unique().implode())
    twice = evidence.records.filter("repeat").with_columns(
        service="source",
        count=pl.lit(1),
        detail=pl.format("{} {} of tick {} is there again", "kind", "id", "tick"),
    )
    return [
        *findings("repeated", twice.filter(of_ticks), harmless=not evidence.transactions),
        *findings("repeated", twice.filter(~of_ticks), harmless=True),
    ]


def unreadable(evidence: Evidence) -> list[Finding]:
    """A record that cannot be read, and no dead letter about it."""
    where = ["stream", "partition", "offset"]
    bad = evidence.records.filter(pl.col("kind") == "unreadable").join(evidence.letters, on=where, how="anti")
    told = bad.select(*where, service=pl.lit("unknown"), count=pl.lit(1), detail=pl.lit("unreadable, no dead letter"))
    return findings("unreadable", told)


def uncounted(evidence: Evidence) -> list[Finding]:
    """A tick-end whose counts are not those of the frames before it."""
    first = evidence.records.filter(~pl.col("repeat"))
    frames = first.filter(pl.col("kind") == "frame").group_by(_TICK).agg(found=pl.len(), held=pl.col("rows").sum())
    ends = first.filter(pl.col("kind") == "end").join(frames, on=_TICK, how="left")
    wrong = ends.with_columns(pl.col("found", "held").fill_null(0)).with_columns(
        lost=pl.col("frames") - pl.col("found"), lost_rows=pl.col("rows") - pl.col("held")
    )
    wrong = wrong.filter((pl.col("lost") != 0) | (pl.col("lost_rows") != 0))
    return [_miscounted(row, evidence) for row in wrong.sort("stream", "partition", "offset").to_dicts()]


def _miscounted(row: dict[str, Any], evidence: Evidence) -> Finding:
    lost = row["lost"] > 0 or row["lost_rows"] > 0
    return Finding(
        rule="lost" if lost else "not counted",
        service=row["source"],
        stream=row["stream"],
        partition=row["partition"],
        offset=_hole_before(row, evidence) if lost else row["offset"],
        count=abs(row["lost"]) or 1,
        detail=f"tick {row['tick']} ended with {row['frames']} frames of {row['rows']} rows: "
        f"{row['found']} of {row['held']} rows are there",
    )


def unended(evidence: Evidence) -> list[Finding]:
    """A tick that a source did not end in a partition, although it ended later ones there, or this one elsewhere."""
    ends = evidence.records.filter((pl.col("kind") == "end") & ~pl.col("repeat")).sort("stream", "partition", "offset")
    step = ends.with_columns(before=pl.col("tick").shift(1).over("stream", "partition", "source"))
    gaps = step.filter(pl.col("tick") - pl.col("before") > 1)
    found = [_unended(row, int(row["before"]), int(row["tick"]), evidence) for row in gaps.to_dicts()]
    if evidence.running:
        return found
    last = ends.group_by("stream", "source", "partition").agg(pl.col("tick", "offset").max())
    latest = last.with_columns(latest=pl.col("tick").max().over("stream", "source"))
    for row in latest.filter(pl.col("tick") < pl.col("latest")).sort("stream", "partition").to_dicts():
        behind = row | {"offset": int(row["offset"]) + 1}
        found.append(_unended(behind, int(row["tick"]), int(row["latest"]) + 1, evidence))
    return found


def _unended(row: dict[str, Any], before: int, after: int, evidence: Evidence) -> Finding:
    return Finding(
        rule="tick-end lost",
        service=row["source"],
        stream=row["stream"],
        partition=row["partition"],
        offset=_hole_before(row, evidence, closing=True),
        count=after - before - 1,
        detail=f"no end of tick {before + 1}{f' to {after - 1}' if after - before > 2 else ''}",
    )


def out_of_order(evidence: Evidence) -> list[Finding]:
    """A frame behind the end of its tick, or a tick behind a later one, of one source in one partition."""
    own = ["stream", "partition", "source"]
    closing = evidence.records.filter(pl.col("kind") == "end").select(own).unique()
    kept = evidence.records.filter((pl.col("kind") != "unreadable") & ~pl.col("repeat")).join(closing, on=own)
    # A frame comes before the end of its tick: twice the tick, one more for the end, never goes back.
    step = (2 * pl.col("tick") + (pl.col("kind") == "end")).alias("step")
    sorted_ = kept.with_columns(step).sort("stream", "partition", "offset")
    late = sorted_.filter(pl.col("step") < pl.col("step").cum_max().over(own))
    return findings(
        "out of order",
        late.select(
            "stream",
            "partition",
            "offset",
            service="source",
            count=pl.lit(1),
            detail=pl.format("{} {} of tick {} comes after a later one", "kind", "id", "tick"),
        ),
    )


def skipped(evidence: Evidence) -> list[Finding]:
    """Input records that no tick of a service was made from, though earlier and later ones were; or two ticks were."""
    spans = evidence.lineage.group_by("source", "stream", "partition", "tick").agg(
        pl.col("first").min(), pl.col("last").max()
    )
    found: list[Finding] = []
    for (service, stream, partition), own in spans.sort("tick").group_by("source", "stream", "partition"):
        offsets = _inputs(evidence, str(stream), int(str(partition)))
        for first, last, rule in _gaps(own["first"].to_numpy(), own["last"].to_numpy()):
            touched = offsets[(offsets >= first) & (offsets <= last)]
            if len(touched):
                found.append(
                    Finding(
                        rule=rule,
                        service=str(service),
                        stream=str(stream),
                        partition=int(str(partition)),
                        offset=int(touched[0]),
                        count=len(touched),
                        detail=f"offsets {touched[0]} to {touched[-1]} were {rule} by {service}",
                    )
                )
    return found


def committed_early(evidence: Evidence) -> list[Finding]:
    """An offset committed past what the service has written of: after a crash, what lies between would be skipped."""
    last = evidence.lineage.group_by("source", "stream", "partition").agg(pl.col("last").max())
    done = {(str(row[0]), str(row[1]), int(row[2])): int(row[3]) for row in last.iter_rows()}
    found = []
    for (service, stream, partition), offset in sorted(evidence.committed.items()):
        offsets = _inputs(evidence, stream, partition)
        early = offsets[(offsets > done.get((service, stream, partition), -1)) & (offsets < offset)]
        if len(early):
            found.append(
                Finding(
                    rule="committed early",
                    service=service,
                    stream=stream,
                    partition=partition,
                    offset=int(early[0]),
                    count=len(early),
                    detail=f"offset {offset} is committed, nothing is written of offsets {early[0]} to {early[-1]}",
                )
            )
    return found


def _inputs(evidence: Evidence, stream: str, partition: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Offsets, ascending, of a partition's records that a reader must heed: of sources that end ticks, no repeats."""
    here = evidence.records.filter(
        (pl.col("stream") == stream) & (pl.col("partition") == partition) & ~pl.col("repeat")
    )
    closing = here.filter(pl.col("kind") == "end").select("source").unique()
    heeded = here.filter(pl.col("kind") != "unreadable").join(closing, on="source", how="semi")
    return heeded["offset"].sort().to_numpy()


def _gaps(
    first: "np.ndarray[tuple[int], np.dtype[np.int64]]", last: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> Iterator[tuple[int, int, str]]:
    """Offsets (from, to, inclusive) between neighbouring spans, and those that two spans share."""
    for place in range(1, len(first)):
        if first[place] > last[place - 1] + 1:
            yield int(last[place - 1]) + 1, int(first[place]) - 1, "skipped"
        elif first[place] <= last[place - 1]:
            yield int(first[place]), int(last[place - 1]), "read twice"


def _hole_before(row: dict[str, Any], evidence: Evidence, *, closing: bool = False) -> int:
    """The last offset before a record that is not there, looked for back to the tick-end before; else its own.

    A lost tick-end is `closing` a transaction, where there are any: its end has the offset behind it.
    """
    own = evidence.records.filter((pl.col("stream") == row["stream"]) & (pl.col("partition") == row["partition"]))
    earlier = own.filter(pl.col("offset") < row["offset"])["offset"]
    missing = np.setdiff1d(np.arange(row["offset"] - _LOOK_BACK, row["offset"]), earlier.to_numpy())
    last = missing[missing >= 0][-1:]
    behind = closing and evidence.transactions and len(last) and last[0] - 1 in missing
    return int(last[0]) - bool(behind) if len(last) else int(row["offset"])
