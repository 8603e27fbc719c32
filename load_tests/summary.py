"""The result of a load test as one JSON document: what `summary.json` holds and the page is made from."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from load_tests import lag, measure, slo
from load_tests.executions.logs import ArrivedLog, SentLog, load_arrived, load_sent
from load_tests.measure import Latencies, Window
from load_tests.runner import Execution, Progress, settings_of
from load_tests.slo import Slo
from load_tests.system import describe

LATE_AFTER_MS: Final = 10.0
_SATURATED_SHARE: Final = 0.05

LATENCY_FROM: Final = (
    "intended_at: the time at which the event's slice is due by the schedule, whenever it was really sent; "
    "to the moment at which the receiver had read the score (or the decision)"
)


@dataclass(frozen=True, kw_only=True)
class Logs:
    """What sender and receiver wrote down; scores of events that were not sent are left out of `scores`."""

    sent: SentLog
    scores: ArrivedLog
    decisions: ArrivedLog
    census: measure.Census

    @classmethod
    def read(cls, execution: Execution) -> "Logs":
        """From the files of a run; empty where there are none."""
        sent = load_sent(execution.sent_file)
        scores = load_arrived(execution.arrived_file, "scores")
        known = np.isin(scores.row_id, sent.event_id)
        kept = ArrivedLog(
            row_id=scores.row_id[known], intended_us=scores.intended_us[known], arrived_us=scores.arrived_us[known]
        )
        return cls(
            sent=sent,
            scores=kept,
            decisions=load_arrived(execution.arrived_file, "decisions"),
            census=measure.census(sent, scores),
        )


def summarise(execution: Execution, progress: Progress, slos: tuple[Slo, ...]) -> dict[str, Any]:
    """The whole result; valid (with `partial` true and nulls) also for a load that ended early or never began."""
    logs = Logs.read(execution)
    window = _reached(progress.window(execution.scenario), logs.sent)
    scores, decisions = Latencies.of(logs.scores, window), Latencies.of(logs.decisions, window)
    seconds = measure.series(logs.sent, logs.scores, window)
    lags = np.array([entry["lag"] for entry in seconds])
    found = _Values(scores, decisions, logs.census, lags)
    checked = slo.check(slos, found.value_of)
    passed = all(each.ok for each in checked) and not progress.partial
    return {
        **_identity(execution, progress),
        "achieved_rate": _rate(logs.sent, window),
        "events_sent": logs.census.sent,
        "events_scored": logs.census.scored,
        "events_lost": logs.census.lost,
        "events_duplicated": logs.census.duplicated,
        "scores_unknown": logs.census.unknown,
        "repeated_frames": progress.receiver.get("repeated_frames", 0),
        "undecodable": progress.receiver.get("undecodable", 0),
        "decisions": len(logs.decisions.row_id),
        "decisions_duplicated": len(logs.decisions.row_id) - len(np.unique(logs.decisions.row_id)),
        "decisions_complete": progress.decided,
        "latency_from": LATENCY_FROM,
        "latency_ms": scores.document(),
        "decision_latency_ms": decisions.document(),
        "lag": _lag(lags, execution.scenario.rate),
        "sender": _sender(logs.sent),
        "slo": [each.document() for each in checked],
        "passed": passed,
        "verdict": _verdict(progress, checked, passed),
        "series": seconds,
    }


@dataclass(frozen=True)
class _Values:
    """The measured values that an SLO may be about."""

    scores: Latencies
    decisions: Latencies
    census: measure.Census
    lags: np.ndarray[Any, Any]

    def value_of(self, metric: str) -> float | None:
        """Value of a metric, in the unit of its SLO."""
        if metric in ("lost", "duplicated"):
            return float(getattr(self.census, metric))
        if metric == "lag":
            return float(self.lags.max()) if len(self.lags) else None
        stream = self.decisions if metric.startswith("decisions.") else self.scores
        return stream.named_ms(metric.removeprefix("decisions."))


def _identity(execution: Execution, progress: Progress) -> dict[str, Any]:
    scenario = execution.scenario
    return {
        "run_id": execution.system.namespace,
        "kind": "loadtest",
        "scenario": scenario.name,
        "partial": progress.partial,
        "failure": str(progress.failure) if progress.failure else None,
        **settings_of(scenario),
        "time_factor": 60_000 / scenario.slice_ms,
        "drain_limit_s": execution.drain,
        "system": describe(progress.live) if progress.live else None,
        "processes_left": progress.leftovers,
    }


def _reached(planned: Window, sent: SentLog) -> Window:
    """The part of the measured window that the load came to: all of it unless it was stopped early."""
    last = int(sent.due_us[-1]) if len(sent.due_us) else planned.start_us
    return Window(planned.start_us, max(planned.start_us, min(planned.end_us, last)))


def _rate(sent: SentLog, window: Window) -> float | None:
    """Events handed to the producer a second, of those that were due in the measured time."""
    if window.seconds <= 0:
        return None
    inside = window.holds(sent.due_us)
    # A sender that is behind needs longer than the window for the events that are due in it.
    took = max(window.seconds, (int(sent.handed_us[inside].max(initial=0)) - window.start_us) / measure.SECOND_US)
    return float(sent.rows[inside].sum()) / took


def _lag(lags: np.ndarray[Any, Any], rate: float) -> dict[str, Any]:
    found = lag.trend(lags, rate)
    return {
        "max": float(lags.max()) if len(lags) else None,
        "last": float(lags[-1]) if len(lags) else None,
        "slope_per_s": found.slope,
        "slope_error": found.error,
        "grows": found.grows,
        "rule": lag.RULE,
    }


def _sender(sent: SentLog) -> dict[str, Any]:
    """How well the sender kept the schedule: where it did not, the machine was too busy, whatever the system did."""
    late_ms = sent.late_us / 1000
    late = int((late_ms > LATE_AFTER_MS).sum())
    return {
        "slices": len(late_ms),
        "late_slices": late,
        "late_after_ms": LATE_AFTER_MS,
        "worst_late_ms": float(late_ms.max()) if len(late_ms) else None,
        "kept_up": late <= _SATURATED_SHARE * len(late_ms),
    }


def _verdict(progress: Progress, checked: tuple[slo.Checked, ...], passed: bool) -> str:
    """The result in one sentence."""
    if progress.failure is not None:
        return f"The load test failed: {progress.failure}"
    if progress.partial:
        return "The load test was stopped early: there is no verdict."
    if passed:
        return f"All {len(checked)} objectives were met."
    missed = [str(each) for each in checked if not each.ok]
    return f"{len(missed)} of {len(checked)} objectives missed: {'; '.join(missed)}."
