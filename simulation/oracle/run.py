"""The observable oracle over a recording: every sampled person filtered, on a few threads, and judged."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from infra.contracts.identity import Pseudonyms
from simulation.core.model import pseudonym_key
from simulation.oracle.cloud import Cloud
from simulation.oracle.config import HEADS, OracleConfig
from simulation.oracle.filter import PersonFilter, Predictions
from simulation.oracle.laws import LawBook
from simulation.oracle.prior import Prior
from simulation.oracle.recording import Recording, true_of_windows
from simulation.oracle.score import judge, log_losses, paired
from simulation.oracle.timeline import Timeline

Progress = Callable[[int], None]
Filtered = list[tuple[Timeline, Predictions]]


@dataclass(frozen=True)
class Oracle:
    """Predictions of every person that was filtered, and what it took. `partial`: it was stopped early."""

    filtered: Filtered
    seconds: float
    partial: bool

    @property
    def steps(self) -> int:
        """Minutes lived by suppositions, looks ahead included."""
        return sum(found.steps for _, found in self.filtered)


def consult(recording: Recording, config: OracleConfig, progress: Progress) -> Oracle:
    """Filter every person of a recording. Cost is linear in people × ticks × particles.

    Ctrl-C ends it between two minutes: whoever is finished counts.
    """
    book, prior = LawBook(recording.scenario), Prior(recording.scenario, config.seed)
    pseudonyms = Pseudonyms(pseudonym_key(recording.scenario.seed))
    stop = threading.Event()

    def one(line: Timeline, config: OracleConfig = config) -> tuple[Timeline, Predictions]:
        number = int(pseudonyms.decode(np.array([line.person], np.uint64))[0])
        cloud = Cloud(prior, config, number, line.offset)
        watcher = PersonFilter(book, cloud, line, recording.span, recording.around[line.person])
        return line, watcher.run(stop)

    if recording.lines:
        # What is compiled at its first use is not what is timed.
        one(max(recording.lines, key=lambda line: len(line.rows)), replace(config, particles=16, first_guesses=1))
    began, filtered = time.perf_counter(), list[tuple[Timeline, Predictions]]()
    with ThreadPoolExecutor(config.threads) as pool:
        waiting = {pool.submit(one, line) for line in recording.lines}
        try:
            while waiting:
                waiting = _collect(waiting, filtered, progress)
        except KeyboardInterrupt:
            stop.set()
            pool.shutdown(cancel_futures=True)
    filtered.sort(key=lambda pair: pair[0].person)
    return Oracle(filtered, time.perf_counter() - began, stop.is_set())


def _collect(waiting: set[Future[Any]], filtered: Filtered, progress: Progress) -> set[Future[Any]]:
    done, rest = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        filtered.append(future.result())
        progress(1)
    return rest


def predictions_table(oracle: Oracle) -> pa.Table:
    """One row a prediction: event_id, person (uint64), tick (int64), head, probability; by person and time."""
    parts = []
    for line, found in oracle.filtered:
        for head in HEADS:
            values = found.by_head[head]
            held = np.flatnonzero(~np.isnan(values))
            rows = line.rows[held]
            columns = {
                "event_id": pa.array(np.ascontiguousarray(rows["event_id"]).view(np.uint64)),
                "person": pa.array(np.full(len(held), line.person, np.uint64)),
                "tick": pa.array(rows["tick"].astype(np.int64)),
                "head": pa.array([head] * len(held), pa.string()),
                "probability": pa.array(values[held]),
            }
            parts.append(pa.table(columns))
    return pa.concat_tables(parts) if parts else pa.table({})


@dataclass(frozen=True)
class Scored:
    """The rows of one head with a known label, predicted and true probabilities, and whose they are."""

    label: np.ndarray[Any, np.dtype[np.bool_]]
    observable: np.ndarray[Any, np.dtype[np.float64]]
    latent: np.ndarray[Any, np.dtype[np.float64]]
    person: np.ndarray[Any, np.dtype[np.uint64]]


def scored(oracle: Oracle, recording: Recording, head: str) -> Scored:
    """Rows of a head that have a label, a prediction and a truth, in the run (the warm-up is only learned from)."""
    parts = [_scored(line, found, recording, head) for line, found in oracle.filtered]
    return Scored(
        label=np.concatenate([part.label for part in parts]),
        observable=np.concatenate([part.observable for part in parts]),
        latent=np.concatenate([part.latent for part in parts]),
        person=np.concatenate([part.person for part in parts]),
    )


def _scored(line: Timeline, found: Predictions, recording: Recording, head: str) -> Scored:
    truth = dict(true_of_windows(line, recording.truth))[head]
    use = line.known[head] & ~np.isnan(found.by_head[head]) & ~np.isnan(truth)
    use &= line.rows["tick"] >= recording.scenario.run_first_tick
    person = np.full(int(use.sum()), line.person, np.uint64)
    return Scored(line.label[head][use], found.by_head[head][use], truth[use], person)


def verdicts(oracle: Oracle, recording: Recording) -> dict[str, Any]:
    """By head: rows, log losses, differences with intervals, AUC, ECE and calibration bins."""
    result = {}
    for head in HEADS:
        rows = scored(oracle, recording, head)
        result[head] = judge(rows.label, rows.observable, rows.latent, rows.person)
    return result


def improvement(small: Oracle, large: Oracle, recording: Recording) -> dict[str, Any]:
    """By head: how much lower the log loss of the second is on the rows of both, with its interval."""
    result = {}
    for head in HEADS:
        one, other = scored(small, recording, head), scored(large, recording, head)
        gain = log_losses(one.label, one.observable) - log_losses(other.label, other.observable)
        result[head] = paired(gain, one.person).as_dict()
    return result
