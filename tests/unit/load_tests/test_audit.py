"""The audit: a system that works is clean, and every fault in its topics is found where it was made."""

import dataclasses
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from infra.bus.recording import Recorded
from infra.contracts.topics import stream_of
from load_tests.audit.auditing import audit
from load_tests.audit.evidence import Evidence
from tests.support.faults import FAULTS, Faulty, doubled, is_located, read, reordered
from tests.support.recorded import TOPICS, Pipeline

TICKS = 12
RECORDS = Pipeline(TICKS).records
IN_TRANSACTIONS = Pipeline(TICKS, transactions=True).records


def committed_only(records: list[Recorded]) -> Evidence:
    return dataclasses.replace(read(records), transactions=True)


@pytest.mark.parametrize("records", [RECORDS, IN_TRANSACTIONS])
def test_a_system_that_works_is_clean_and_everything_is_counted(records: list[Recorded]) -> None:
    verdict = audit(committed_only(records))
    assert verdict.findings == []
    assert verdict.clean
    assert verdict.counts["records"] == len(records)
    assert verdict.counts["emitted"] == verdict.counts["scored"] == 40 * 2 * TICKS
    assert verdict.counts["decided"] == 40 * TICKS
    assert 0 < verdict.counts["applied"] < verdict.counts["ordered"]  # those of the last tick are not answered yet


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("written", [RECORDS, IN_TRANSACTIONS])
def test_every_fault_is_found_and_located(
    written: list[Recorded], fault: Callable[[list[Recorded], int], Faulty], seed: int
) -> None:
    at = int(np.random.default_rng([seed, FAULTS.index(fault)]).integers(len(written)))
    records, evidence, own = fault(written, at)
    verdict = audit(evidence or committed_only(records))
    assert not verdict.clean
    assert is_located(verdict, own, slack=1 if fault is reordered else 0)


def test_without_transactions_a_repeated_record_is_told_but_harmless() -> None:
    records, _, again = doubled(RECORDS, 5)
    verdict = audit(read(records))
    assert verdict.clean
    assert [(found.rule, found.offset) for found in verdict.findings] == [("repeated", again.offset)]
    assert verdict.counts["repeated"] == 1


def test_what_is_on_its_way_is_not_lost_while_the_system_runs() -> None:
    last = max(int(dict(record.headers)["calm_tick"]) for record in RECORDS)
    on_their_way = [
        record
        for record in RECORDS
        if stream_of(record.topic) == "events" or int(dict(record.headers)["calm_tick"]) < last
    ]
    evidence = committed_only(on_their_way)
    assert audit(dataclasses.replace(evidence, running=True)).clean
    assert {found.rule for found in audit(evidence).findings} == {"not scored"}


def test_a_run_that_ended_without_any_score_is_not_clean() -> None:
    events = [record for record in RECORDS if stream_of(record.topic) == "events"]
    evidence = read(events)
    unscored = [found for found in audit(evidence).findings if found.rule == "not scored"]
    assert sum(found.count for found in unscored) == 40 * 2 * TICKS
    still_warming_up = audit(dataclasses.replace(evidence, running=True))
    assert "not scored" not in {found.rule for found in still_warming_up.findings}


def test_a_lake_alone_does_not_tell_of_records_and_dead_letters() -> None:
    verdict = audit(Evidence(rows=read(RECORDS).rows))
    assert verdict.clean
    assert set(verdict.counts) == {"emitted", "scored", "decided", "ordered", "applied"}


def test_an_unreadable_record_needs_a_dead_letter() -> None:
    own = next(record for record in RECORDS if record.value)
    broken = [record._replace(value=b"nothing") if record is own else record for record in RECORDS]
    verdict = audit(committed_only(broken))
    assert ("unreadable", own.offset) in [(found.rule, found.offset) for found in verdict.findings]
    told = {"calm_dead_topic": own.topic, "calm_dead_partition": own.partition, "calm_dead_offset": own.offset}
    headers = [(name, str(value).encode()) for name, value in told.items()]
    letter = Recorded(TOPICS.deadletter(own.topic), own.partition, 0, None, b"nothing", headers)
    sent_again = letter._replace(offset=1, value=b"", headers=[("calm_dead_marked", b"1")])
    verdict = audit(committed_only([*broken, letter, sent_again]))
    assert verdict.counts["dead_letters"] == 1
    assert "unreadable" not in {found.rule for found in verdict.findings}


@pytest.mark.parametrize(("rule", "change"), [("not archived", -1), ("archived twice", 1)])
def test_the_lake_must_have_every_row_once(rule: str, change: int) -> None:
    evidence = committed_only(RECORDS)
    scores = evidence.of("scores")
    lake = scores.slice(1) if change < 0 else pl.concat([scores, scores.slice(0, 1)])
    verdict = audit(dataclasses.replace(evidence, archived={"scores": lake}))
    assert [(found.rule, found.service, found.count) for found in verdict.findings] == [(rule, "archiver", 1)]
    assert audit(dataclasses.replace(evidence, archived={"scores": scores})).clean


def test_a_row_in_somebody_elses_partition_is_found() -> None:
    evidence = committed_only(RECORDS)
    moved = evidence.of("decisions").with_columns(partition=(pl.col("partition") + 1) % 4)
    verdict = audit(dataclasses.replace(evidence, rows=evidence.rows | {"decisions": moved}))
    assert {found.rule for found in verdict.findings} == {"wrong partition"}
    assert sum(found.count for found in verdict.findings) == 40 * TICKS
