"""Rules of the scorer, with the real model in this process."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from numpy.typing import NDArray

from infra.contracts.errors import BadInput
from infra.contracts.kinds import EXPOSURES
from infra.contracts.records import SCORE
from models.attention import checkpoint
from models.attention.model import AttentionConfig, AttentionModel
from models.features.tokens import encode
from models.serving.local import LocalForward, load
from models.serving.scorer import Scorer, ScorerConfig
from models.serving.shapes import Forward, PaddedBatch, Scores
from tests.support.activity import Crowd, event_batch

CONFIG = AttentionConfig(d_model=16, heads=2, window=6, hidden=16)
SMALL = ScorerConfig(rows=8, steps=(2, 4))


@pytest.fixture(scope="module")
def forward() -> LocalForward:
    torch.manual_seed(1)
    return LocalForward(AttentionModel(CONFIG), "test")


def scorer(forward: Forward) -> Scorer:
    return Scorer(forward, SMALL)


def column(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    values: NDArray[Any] = batch.column(name).to_numpy(zero_copy_only=False)
    return values


def same_bits(first: pa.RecordBatch, second: pa.RecordBatch) -> bool:
    """Also where a number is NaN, which equals nothing."""
    return all(column(first, name).tobytes() == column(second, name).tobytes() for name in SCORE.arrow.names)


def by_person(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.take(pa.array(np.lexsort((column(batch, "seq"), column(batch, "person")))))


def together(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def test_every_event_is_scored_once_and_in_order(forward: LocalForward) -> None:
    crowd, subject = Crowd(40, seed=1, most=9), scorer(forward)
    for tick in range(5):
        events = crowd.tick(tick)
        scores = subject.step(events)
        assert scores.schema == SCORE.arrow
        for name in ("event_id", "person", "seq", "occurred_at", "intended_at"):
            assert scores.column(name).equals(events.column(name))
        lapse = column(scores, "lapse")
        assert ((lapse > 0) & (lapse < 1)).all()


def test_only_exposures_have_an_interaction_score(forward: LocalForward) -> None:
    events = Crowd(60, seed=1).tick(0)
    interaction = column(scorer(forward).step(events), "interaction")
    exposure = np.isin(column(events, "kind"), [int(kind) for kind in EXPOSURES])
    assert exposure.any()
    np.testing.assert_array_equal(np.isfinite(interaction), exposure)


def test_scores_agree_with_the_whole_sequence_to_1e_5(forward: LocalForward) -> None:
    crowd, subject = Crowd(12, seed=2, share=0.8, most=6), scorer(forward)
    ticks = [crowd.tick(tick) for tick in range(12)]
    stepped = by_person(together([subject.step(events) for events in ticks]))
    assert_equal_to_the_whole(forward, stepped, by_person(together(ticks)))


def assert_equal_to_the_whole(forward: LocalForward, stepped: pa.RecordBatch, history: pa.RecordBatch) -> None:
    """The lapse scores of `stepped` are those of each person's whole history at once."""
    tokens, person = encode(history), column(history, "person")
    for one in np.unique(person):
        mine = tokens.take(person == one)
        arrays = (mine.kind, mine.features, mine.item, mine.time_us, np.ones(len(mine), dtype=np.bool_))
        with torch.inference_mode():
            logits = forward._model(*(torch.from_numpy(array)[None] for array in arrays))
        expected = torch.sigmoid(logits)[0, :, 1].numpy()
        np.testing.assert_allclose(column(stepped, "lapse")[person == one], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shards", [2, 3, 7])
def test_sharding_moves_no_bit(forward: LocalForward, shards: int) -> None:
    crowd, whole = Crowd(50, seed=3, most=6), scorer(forward)
    parts = [scorer(forward) for _ in range(shards)]
    for tick in range(8):
        events = crowd.tick(tick)
        expected = whole.step(events)
        shard = column(events, "person") % shards
        split = [each.step(events.filter(pa.array(shard == at))) for at, each in enumerate(parts)]
        assert same_bits(by_person(together(split)), expected)


def test_the_default_shapes_move_no_bit_either() -> None:
    torch.manual_seed(2)
    config = AttentionConfig()
    forward = LocalForward(AttentionModel(config), "default")
    whole, alone = Scorer(forward), Scorer(forward)
    crowd = Crowd(70, seed=3, most=5)
    for tick in range(3):
        events = crowd.tick(tick)
        expected, person = whole.step(events), column(events, "person")
        single = [alone.step(events.filter(pa.array(person == one))) for one in np.unique(person)]
        assert same_bits(together(single), expected)


def test_a_restored_scorer_goes_on_bit_for_bit(forward: LocalForward) -> None:
    crowd, first = Crowd(30, seed=4, most=6), scorer(forward)
    for tick in range(6):
        first.step(crowd.tick(tick))
    second = scorer(forward)
    second.restore(first.snapshot())
    assert second.counters == first.counters
    assert second.snapshot() == first.snapshot()
    for tick in range(6, 12):
        events = crowd.tick(tick)
        assert same_bits(second.step(events), first.step(events))
    assert second.snapshot() == first.snapshot()


def test_a_snapshot_does_not_show_in_which_order_people_came(forward: LocalForward) -> None:
    events = Crowd(30, seed=5).tick(0)
    person = column(events, "person")
    low, high = (pa.array(flags) for flags in (person < np.median(person), person >= np.median(person)))
    first, second = scorer(forward), scorer(forward)
    first.ingest(events)
    second.ingest(events.filter(high))
    second.ingest(events.filter(low))
    assert first.snapshot() == second.snapshot()


def test_a_snapshot_of_another_context_is_refused(forward: LocalForward) -> None:
    other = Scorer(LocalForward(AttentionModel(AttentionConfig(d_model=8, heads=1, window=3, hidden=8)), "other"))
    with pytest.raises(ValueError, match="columns"):
        other.restore(scorer(forward).snapshot())


def test_taking_events_in_without_scores_leaves_the_same_state(forward: LocalForward) -> None:
    crowd, first, second = Crowd(30, seed=6, most=20), scorer(forward), scorer(forward)
    for tick in range(4):
        events = crowd.tick(tick)
        first.ingest(events)
        second.step(events)
    events = crowd.tick(4)
    assert same_bits(first.step(events), second.step(events))
    assert (first.counters.ingested, first.counters.scored) == (
        second.counters.scored - events.num_rows,
        events.num_rows,
    )


def test_old_and_doubled_events_are_refused_and_counted(forward: LocalForward) -> None:
    crowd, subject = Crowd(30, seed=7), scorer(forward)
    events = crowd.tick(0)
    subject.step(events)
    state = subject._ring.people.snapshot()
    assert subject.step(events).num_rows == 0
    assert subject.counters.refused == events.num_rows
    assert subject._ring.people.snapshot() == state
    later = crowd.tick(1)
    doubled = by_person(together([later, later]))
    assert subject.step(doubled).column("event_id").equals(later.column("event_id"))
    assert subject.counters.refused == events.num_rows + later.num_rows


def test_missing_events_are_counted_and_the_rest_is_scored(forward: LocalForward) -> None:
    subject = scorer(forward)
    columns = {"person": np.array([5, 5, 9], dtype=np.uint64), "seq": [0, 3, 1], "kind": [4, 4, 4]}
    assert subject.step(event_batch(columns)).num_rows == 3
    assert subject.counters.missing == 3


def test_a_failing_forward_pass_leaves_the_state_alone(forward: LocalForward) -> None:
    class Failing:
        card = forward.card
        broken = False

        def __call__(self, batches: Sequence[PaddedBatch], traceparent: str | None = None) -> list[Scores]:
            if self.broken:
                raise OSError(traceparent)
            return forward(batches)

    failing = Failing()
    crowd, subject, expected = Crowd(20, seed=8), scorer(failing), scorer(forward)
    first, second = crowd.tick(0), crowd.tick(1)
    assert same_bits(subject.step(first), expected.step(first))
    failing.broken = True
    with pytest.raises(OSError, match="carrier"):
        subject.step(second, "carrier")
    failing.broken = False
    assert same_bits(subject.step(second), expected.step(second))
    assert subject.counters == expected.counters


def test_an_output_that_the_model_lacks_is_nan() -> None:
    config = AttentionConfig(d_model=8, heads=1, window=3, hidden=8, outputs=("interaction",))
    subject = Scorer(LocalForward(AttentionModel(config), "x"))
    assert np.isnan(column(subject.step(Crowd(9).tick(0)), "lapse")).all()


@pytest.mark.parametrize("mechanism", ["soft", "causal", "bidirectional"])
def test_a_mechanism_that_is_not_for_streaming_is_refused(mechanism: str, tmp_path: Path) -> None:
    model = AttentionModel(AttentionConfig(mechanism=mechanism, d_model=8, heads=1, window=3, hidden=8))
    checkpoint.save(tmp_path, model, {})
    with pytest.raises(BadInput, match=rf"'{mechanism}'.*cannot score events as they arrive.*one of banded, dynamic"):
        load(tmp_path)


@pytest.mark.parametrize("mechanism", ["dynamic", "multi_head", "self_attention", "time_decayed"])
def test_what_may_stream_scores_as_over_the_whole_sequence(mechanism: str) -> None:
    torch.manual_seed(4)
    model = AttentionModel(AttentionConfig(mechanism=mechanism, d_model=8, heads=2, window=4, hidden=8))
    with torch.no_grad():
        for parameter in model.layers.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.3)
    forward = LocalForward(model, mechanism)
    crowd, subject = Crowd(8, seed=2, share=0.8, most=6), scorer(forward)
    ticks = [crowd.tick(tick) for tick in range(8)]
    stepped = by_person(together([subject.step(events) for events in ticks]))
    assert_equal_to_the_whole(forward, stepped, by_person(together(ticks)))


def test_heads_of_several_classes_move_no_score_and_write_none() -> None:
    torch.manual_seed(4)
    model = AttentionModel(AttentionConfig(d_model=8, heads=1, window=3, hidden=8, outputs=("interaction", "lapse")))
    wide = AttentionModel(replace(model.config, outputs=("emotion", "lapse", "next_kind", "interaction")))
    wide.load_state_dict(model.state_dict(), strict=False)
    events = Crowd(9).tick(0)
    plain, other = (LocalForward(each, "x") for each in (model, wide))
    assert other.card.outputs == ("lapse", "interaction")
    assert same_bits(scorer(plain).step(events), scorer(other).step(events))


def test_a_model_without_scores_to_write_writes_none() -> None:
    config = AttentionConfig(d_model=8, heads=1, window=3, hidden=8, outputs=("emotion",))
    scores = scorer(LocalForward(AttentionModel(config), "x")).step(Crowd(9).tick(0))
    assert np.isnan(column(scores, "lapse")).all()
    assert np.isnan(column(scores, "interaction")).all()


def test_no_events_are_no_work(forward: LocalForward) -> None:
    subject = scorer(forward)
    assert subject.step(Crowd(9).tick(0).slice(0, 0)).num_rows == 0
    assert subject.people == 0
