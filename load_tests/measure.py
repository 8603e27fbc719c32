"""From what was sent and what arrived to counts, latencies and a series over time.

Latency is the time of arrival less `intended_at`, the time by the schedule: never less the time of sending, so that a
sender that stalls cannot hide. Percentiles are of the exact values (no buckets): the smallest observed value that at
least that share of the observations does not exceed.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from load_tests import lag
from load_tests.executions.logs import ArrivedLog, Micros, SentLog

SECOND_US = 1_000_000


@dataclass(frozen=True)
class Window:
    """The measured part of a load, µs wall: events with start < intended_at ≤ end."""

    start_us: int
    end_us: int

    def holds(self, times_us: Micros) -> NDArray[np.bool_]:
        """Which of these times are inside, same shape."""
        return (times_us > self.start_us) & (times_us <= self.end_us)

    @property
    def seconds(self) -> float:
        """Its length, s."""
        return (self.end_us - self.start_us) / SECOND_US

    def edges_us(self) -> Micros:
        """Bounds of its whole seconds, (w+1,)."""
        return self.start_us + SECOND_US * np.arange(int(self.seconds) + 1, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Census:
    """What became of the events: `scored` counts those scored at least once, `duplicated` the scores beyond the first
    of an event, `unknown` the scores of events that were never sent."""

    sent: int
    scored: int
    lost: int
    duplicated: int
    unknown: int


def census(sent: SentLog, scores: ArrivedLog) -> Census:
    """Whether each event sent was scored exactly once."""
    unique, times = np.unique(scores.row_id, return_counts=True)
    known = np.isin(unique, sent.event_id)
    scored = int(known.sum())
    return Census(
        sent=len(sent.event_id),
        scored=scored,
        lost=len(sent.event_id) - scored,
        duplicated=int((times[known] - 1).sum()),
        unknown=int((~known).sum()),
    )


def first_arrivals(log: ArrivedLog) -> ArrivedLog:
    """The first arrival of each row; rows that came again do not count twice."""
    order = np.lexsort((log.arrived_us, log.row_id))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = log.row_id[order][1:] != log.row_id[order][:-1]
    kept = order[first]
    return replace(log, row_id=log.row_id[kept], intended_us=log.intended_us[kept], arrived_us=log.arrived_us[kept])


@dataclass(frozen=True)
class Latencies:
    """Latencies of one stream, µs, sorted ascending, (n,)."""

    sorted_us: Micros

    @classmethod
    def of(cls, log: ArrivedLog, window: Window) -> "Latencies":
        """Of the rows intended within the window; each row's first arrival."""
        first = first_arrivals(log)
        inside = window.holds(first.intended_us)
        return cls(np.sort(first.arrived_us[inside] - first.intended_us[inside]))

    def percentile_ms(self, share: float) -> float | None:
        """The value that `share` (in %, 0 to 100) of the latencies do not exceed, ms; None without any."""
        count = len(self.sorted_us)
        if not count:
            return None
        place = max(0, int(np.ceil(share / 100 * count - 1e-9)) - 1)
        return float(self.sorted_us[place]) / 1000

    def named_ms(self, name: str) -> float | None:
        """`max`, or a percentile such as `p99.9`, ms."""
        return self.percentile_ms(100.0 if name == "max" else float(name.removeprefix("p")))

    def document(self) -> dict[str, Any]:
        """As `summary.json` has it."""
        names = ("p50", "p95", "p99", "p99.9", "max")
        return {"count": len(self.sorted_us), **{name: self.named_ms(name) for name in names}}


def series(sent: SentLog, scores: ArrivedLog, window: Window) -> list[dict[str, Any]]:
    """One entry a whole measured second: latency percentiles of the events due in it (ms), its mean lag (events), and
    the events handed over and the scores that arrived in it."""
    edges = window.edges_us()
    first = first_arrivals(scores)
    handed = sent.per_event(sent.handed_us)
    lags = lag.mean_lag(handed, first.arrived_us, edges) if len(edges) > 1 else np.zeros(0)
    handed_counts, arrived_counts = np.histogram(handed, edges)[0], np.histogram(scores.arrived_us, edges)[0]
    entries = []
    for second, mean_lag in enumerate(lags.tolist()):
        latencies = Latencies.of(first, Window(int(edges[second]), int(edges[second + 1])))
        entries.append(
            {
                "second": second,
                **{name: latencies.named_ms(name) for name in ("p50", "p95", "p99")},
                "lag": round(mean_lag, 1),
                "sent": int(handed_counts[second]),
                "received": int(arrived_counts[second]),
            }
        )
    return entries
