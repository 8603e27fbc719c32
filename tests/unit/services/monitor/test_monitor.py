"""Ticks of events through the monitor's handler, without a broker, with the real model."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import torch

from infra.bus.messages import Received
from infra.bus.ticks import TickBatch
from infra.contracts.batches import by_partition
from infra.contracts.errors import BadInput
from infra.contracts.frames import Frame, Lineage, TickEnd
from infra.contracts.identity import partition_of
from infra.contracts.topics import PARTITIONS, Topics
from infra.settings import Settings
from infra.telemetry import names
from infra.telemetry.setup import Telemetry
from infra.telemetry.spans import read_spans
from models.attention.model import AttentionConfig, AttentionModel
from models.serving.local import LocalForward
from models.serving.scorer import Scorer, ScorerConfig
from services.monitor.domain import Phase, lag
from services.monitor.handlers import ScoreHandler, TracedForward
from services.monitor.main import MonitorConfig, open_forward
from tests.support.activity import Crowd

TOPICS = Topics("test")


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[Telemetry]:
    with Telemetry("test", tmp_path / "spans") as telemetry:
        yield telemetry


@pytest.fixture(scope="module")
def forward() -> LocalForward:
    torch.manual_seed(1)
    return LocalForward(AttentionModel(AttentionConfig(d_model=8, heads=2, window=4, hidden=8)), "m1")


def handler(forward: LocalForward, telemetry: Telemetry, score_from_tick: int = 0) -> ScoreHandler:
    scorer = Scorer(TracedForward(forward, telemetry), ScorerConfig(rows=4))
    return ScoreHandler(scorer, TOPICS, Phase(score_from_tick=score_from_tick), telemetry)


def ticks(count: int) -> list[TickBatch]:
    crowd = Crowd(60, seed=2)
    return [tick_batch(crowd, tick) for tick in range(count)]


def tick_batch(crowd: Crowd, tick: int) -> TickBatch:
    parts = by_partition(crowd.tick(tick))
    frames = [
        Received(
            TOPICS.events,
            partition,
            2 * tick,
            Frame(stream="events", tick=tick, source="x", batch=rows.slice(0, rows.num_rows)),
        )
        for partition, rows in parts.items()
    ]
    ends = {
        (TOPICS.events, partition): Received(
            TOPICS.events, partition, 2 * tick + 1, TickEnd(stream="events", tick=tick, source="x", frames=1, rows=1)
        )
        for partition in range(PARTITIONS)
    }
    return TickBatch(tick=tick, frames=frames, ends=ends, offsets={})


def test_each_partition_gets_the_scores_of_its_people_and_their_lineage(
    forward: LocalForward, telemetry: Telemetry
) -> None:
    (batch,) = ticks(1)
    outputs = handler(forward, telemetry).handle(batch)
    assert {output.partition for output in outputs} == set(range(PARTITIONS))
    for output in outputs:
        assert output.topic == TOPICS.scores
        assert output.frame.attributes == {"model_version": "m1"}
        assert output.frame.lineage == (Lineage(TOPICS.events, output.partition, 0, 1),)
        assert (partition_of(output.frame.batch.column("person").to_numpy()) == output.partition).all()
    events = sum(frame.batch.num_rows for frame in batch.of("events"))
    assert sum(output.frame.batch.num_rows for output in outputs) == events


def test_ticks_of_the_warm_up_build_state_and_are_not_scored(forward: LocalForward, telemetry: Telemetry) -> None:
    warm, cold = handler(forward, telemetry, score_from_tick=3), handler(forward, telemetry)
    batches = ticks(4)
    outputs = [warm.handle(batch) for batch in batches]
    assert outputs[:3] == [[], [], []]
    expected = [cold.handle(batch) for batch in batches][3]
    assert [output.frame.batch.column("lapse") for output in outputs[3]] == [
        output.frame.batch.column("lapse") for output in expected
    ]
    status = warm.status()
    assert (status.tick, status.model_version, status.events_missing, status.events_refused) == (3, "m1", 0, 0)
    assert status.events_scored == sum(output.frame.batch.num_rows for output in outputs[3])
    assert status.people > 0


def test_a_restart_repeats_ticks_bit_for_bit(forward: LocalForward, telemetry: Telemetry) -> None:
    batches = ticks(8)
    first, second = handler(forward, telemetry), handler(forward, telemetry)
    for batch in batches[:4]:
        first.handle(batch)
    second.restore(first.snapshot())
    for batch in batches[4:]:
        pairs = zip(first.handle(batch), second.handle(batch), strict=True)
        assert all(
            one.frame.batch.column("lapse").to_numpy().tobytes()
            == other.frame.batch.column("lapse").to_numpy().tobytes()
            for one, other in pairs
        )
    assert first.snapshot() == second.snapshot()


def test_the_forward_call_is_a_span_inside_that_of_the_tick(forward: LocalForward, tmp_path: Path) -> None:
    with Telemetry("test", tmp_path) as telemetry:
        handler(forward, telemetry).handle(ticks(1)[0])
    spans = read_spans(tmp_path)
    score = spans.row(by_predicate=pl.col("name") == names.SCORE_TICK, named=True)
    call = spans.row(by_predicate=pl.col("name") == names.FORWARD_CALL, named=True)
    assert (call["trace_id"], call["parent_id"]) == (score["trace_id"], score["span_id"])


def test_lag_counts_records_not_worked_on() -> None:
    assert lag({0: 10, 1: 5}, {0: 7}) == 8
    assert lag({0: 10}, {0: 10}) == 0


def test_a_monitor_without_a_model_says_what_to_set() -> None:
    with pytest.raises(BadInput, match="CALMVERSE_RAY_ADDRESS"):
        open_forward(MonitorConfig(), Settings())
