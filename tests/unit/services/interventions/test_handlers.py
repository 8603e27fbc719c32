"""A tick of scores through the handler, without a broker."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from infra.bus.messages import Received
from infra.bus.ticks import TickBatch
from infra.contracts.batches import by_partition
from infra.contracts.frames import Frame, TickEnd
from infra.contracts.identity import partition_of
from infra.contracts.topics import Topics
from infra.telemetry.setup import Telemetry
from models.policies import catalog
from models.policies.engine import DecisionEngine
from models.policies.rules import DecisionRules
from services.interventions.handlers import DecideHandler
from services.interventions.store import DecisionStore
from tests.support.activity import Crowd, score_batch

TOPICS = Topics("test")
RULES = DecisionRules(quiet_start_hour=0, quiet_end_hour=0, cool_down_minutes=2)


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[Telemetry]:
    with Telemetry("test", tmp_path / "spans") as telemetry:
        yield telemetry


def handler(path: Path, telemetry: Telemetry) -> DecideHandler:
    store = DecisionStore(path)
    if not store.timeline():
        store.change("threshold", {})
    return DecideHandler(DecisionEngine(catalog.create("never"), RULES, 3), store, TOPICS, telemetry)


def tick_batch(tick: int, events: pa.RecordBatch, scores: pa.RecordBatch) -> TickBatch:
    frames, ends = [], {}
    for stream, batch in (("scores", scores), ("events", events)):
        topic = TOPICS.of(stream)
        attributes = {"model_version": "m1"} if stream == "scores" else {}
        for partition, rows in by_partition(batch).items():
            frame = Frame(stream=stream, tick=tick, source="x", batch=rows, attributes=attributes)
            frames.append(Received(topic, partition, 2 * tick, frame))
        for partition in range(4):
            end = TickEnd(stream=stream, tick=tick, source="x", frames=0, rows=0)
            ends[(topic, partition)] = Received(topic, partition, 2 * tick + 1, end)
    return TickBatch(tick=tick, frames=frames, ends=ends, offsets={})


def ticks(count: int) -> list[TickBatch]:
    crowd, batches = Crowd(60, seed=2), []
    for tick in range(count):
        events = crowd.tick(tick)
        lapse = np.random.default_rng(tick).random(events.num_rows).astype(np.float32)
        batches.append(tick_batch(tick, events, score_batch(events, lapse)))
    return batches


def test_decisions_and_orders_go_out_by_partition_with_the_lineage_of_it(tmp_path: Path, telemetry: Telemetry) -> None:
    (batch,) = ticks(1)
    outputs = handler(tmp_path / "a.sqlite", telemetry).handle(batch)
    assert {output.frame.stream for output in outputs} == {"decisions", "interventions"}
    for output in outputs:
        assert output.topic == TOPICS.of(output.frame.stream)
        persons = output.frame.batch.column("person").to_numpy()
        assert (partition_of(persons) == output.partition).all()
        assert {(part.topic, part.partition) for part in output.frame.lineage} == {
            (TOPICS.scores, output.partition),
            (TOPICS.events, output.partition),
        }
    decided = [output.frame.batch for output in outputs if output.frame.stream == "decisions"]
    rows = pa.Table.from_batches(decided)
    assert set(rows.column("model_version").to_pylist()) == {"m1"}
    assert set(rows.column("policy_id").to_pylist()) == {"threshold(epsilon=0.02,main_share=0.7,threshold=0.5)"}


def test_a_tick_without_scores_has_no_output_but_is_seen(tmp_path: Path, telemetry: Telemetry) -> None:
    subject = handler(tmp_path / "a.sqlite", telemetry)
    events = Crowd(60, seed=2).tick(0)
    assert subject.handle(tick_batch(0, events, score_batch(events.slice(0, 0), np.empty(0, dtype=np.float32)))) == []
    assert subject.progress.tick == 0


def test_a_restart_repeats_ticks_bit_for_bit_also_across_a_change_of_policy(
    tmp_path: Path, telemetry: Telemetry
) -> None:
    batches = ticks(12)
    first = handler(tmp_path / "a.sqlite", telemetry)
    for batch in batches[:4]:
        first.handle(batch)
    state = first.snapshot()
    before = [first.handle(batch) for batch in batches[4:6]]
    first._store.change("random", {"probability": 0.5})
    before += [first.handle(batch) for batch in batches[6:]]
    second = handler(tmp_path / "a.sqlite", telemetry)
    second.restore(state)
    assert [second.handle(batch) for batch in batches[4:]] == before
    policies = {
        text
        for outputs in before
        for output in outputs
        if output.frame.stream == "decisions"
        for text in output.frame.batch.column("policy_id").to_pylist()
    }
    assert len(policies) == 2
