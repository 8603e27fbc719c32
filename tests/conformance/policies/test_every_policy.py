"""The rules that every policy keeps, held against each one that discovery finds."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from infra.contracts.commands import COMMAND, Practice
from infra.contracts.decisions import DECISION, Reason
from models.policies import catalog
from models.policies.engine import DecisionEngine
from models.policies.points import ACTIONS, Points
from models.policies.rules import DecisionRules
from tests.support.activity import START_US, Crowd, event_batch, score_batch

OPEN_RULES = DecisionRules(daily_cap=1000, quiet_start_hour=0, quiet_end_hour=0, cool_down_minutes=0)
TICK_US = 60_000_000

every_policy = pytest.mark.parametrize("name", list(catalog.discover()))


def random_points(count: int, seed: int = 3) -> Points:
    generator = np.random.default_rng(seed)
    return Points(
        person=np.arange(count, dtype=np.uint64),
        occurred_at=np.full(count, START_US),
        lapse=generator.random(count).astype(np.float32),
        world=generator.integers(0, 6, count).astype(np.uint8),
        local_hour=generator.integers(0, 24, count),
        valence=np.where(generator.random(count) < 0.3, np.nan, generator.uniform(-1, 1, count)).astype(np.float32),
        arousal=generator.uniform(-1, 1, count).astype(np.float32),
    )


def one_event_each(persons: NDArray[np.uint64], tick: int, offset_minutes: int = 0) -> pa.RecordBatch:
    count = len(persons)
    columns = {
        "event_id": np.arange(count) + tick * count,
        "person": persons,
        "seq": np.full(count, tick),
        "world": np.arange(count) % 6,
        "kind": np.full(count, 4),
        "occurred_at": np.full(count, START_US + tick * TICK_US),
        "utc_offset_minutes": np.full(count, offset_minutes),
    }
    return event_batch(columns)


def scores_of(events: pa.RecordBatch, seed: int = 0) -> pa.RecordBatch:
    return score_batch(events, np.random.default_rng(seed).random(events.num_rows).astype(np.float32))


def column(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    values: NDArray[Any] = batch.column(name).to_numpy(zero_copy_only=False)
    return values


@every_policy
def test_probabilities_are_a_distribution_over_the_actions(name: str) -> None:
    probabilities = catalog.create(name).probabilities(random_points(1000))
    assert probabilities.shape == (1000, ACTIONS)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-12)


@every_policy
def test_a_policy_that_offers_leaves_every_action_possible(name: str) -> None:
    probabilities = catalog.create(name).probabilities(random_points(1000))
    offers = probabilities[:, 1:].any()
    assert not offers or ((probabilities > 0) & (probabilities < 1)).all()


@every_policy
def test_a_missing_score_is_still_a_decision(name: str) -> None:
    events = one_event_each(np.arange(1, 50, dtype=np.uint64), 0)
    scores = score_batch(events, np.full(49, np.nan, dtype=np.float32))
    decisions, _ = DecisionEngine(catalog.create(name), OPEN_RULES, 1).decide(0, scores, events)
    assert decisions.num_rows == 49
    assert (column(decisions, "propensity") > 0).all()


@every_policy
def test_actions_are_drawn_as_often_as_their_propensities_say(name: str) -> None:
    people = np.arange(1, 20_001, dtype=np.uint64)
    events = one_event_each(people, 0)
    engine = DecisionEngine(catalog.create(name), OPEN_RULES, seed=11)
    decisions, _ = engine.decide(0, scores_of(events), events)
    actions, propensity = column(decisions, "action"), column(decisions, "propensity")
    assert ((propensity > 0) & (propensity <= 1)).all()
    # The sum over points of 1/propensity for one action has mean n: the identity importance weighting rests on.
    policy, world = catalog.create(name), column(events, "world")
    points = Points(
        person=people,
        occurred_at=np.full(len(people), START_US),
        lapse=column(decisions, "lapse"),
        world=world,
        local_hour=np.full(len(people), 8),
        valence=np.full(len(people), np.nan, dtype=np.float32),
        arousal=np.full(len(people), np.nan, dtype=np.float32),
    )
    probabilities = policy.probabilities(points)
    for action in range(ACTIONS):
        expected, variance = probabilities[:, action].sum(), (probabilities * (1 - probabilities))[:, action].sum()
        assert abs((actions == action).sum() - expected) <= 4 * np.sqrt(variance)
    np.testing.assert_array_equal(propensity, probabilities[np.arange(len(people)), actions])


@every_policy
def test_batch_order_and_partitioning_move_no_decision(name: str) -> None:
    whole, split = (DecisionEngine(catalog.create(name), OPEN_RULES, 5) for _ in range(2))
    crowd, shuffle = Crowd(60, seed=4), np.random.default_rng(0)
    parts = [DecisionEngine(catalog.create(name), OPEN_RULES, 5) for _ in range(2)]
    for tick in range(20):
        events = crowd.tick(tick)
        scores = scores_of(events, tick)
        expected = whole.decide(tick, scores, events)
        order = pa.array(shuffle.permutation(events.num_rows))
        assert split.decide(tick, scores.take(order), events.take(order)) == expected
        halves = []
        for half, engine in enumerate(parts):
            mine = pa.array(column(events, "person") % 2 == half)
            halves.append(engine.decide(tick, scores.filter(mine), events.filter(mine)).decisions)
        together = pa.Table.from_batches(halves).sort_by("person")
        assert together.equals(pa.Table.from_batches([expected.decisions]))


@every_policy
def test_caps_hold_whatever_the_policy_wants(name: str) -> None:
    rules = DecisionRules(daily_cap=2, quiet_start_hour=0, quiet_end_hour=0, cool_down_minutes=30)
    engine = DecisionEngine(catalog.create(name), rules, 2)
    people = np.arange(1, 301, dtype=np.uint64)
    offered_at: dict[int, list[int]] = {}
    for tick in range(300):
        events = one_event_each(people, tick)
        decisions, commands = engine.decide(tick, scores_of(events, tick), events)
        shut = column(decisions, "available") == 0
        assert (column(decisions, "action")[shut] == Practice.NONE).all()
        assert (column(decisions, "propensity")[shut] == 1.0).all()
        assert (shut == (column(decisions, "reason") != Reason.OPEN)).all()
        for person in column(commands, "person"):
            offered_at.setdefault(int(person), []).append(tick)
    assert all(len(ticks) <= 2 for ticks in offered_at.values())
    assert all(second - first >= 30 for first, second in (pair for pair in offered_at.values() if len(pair) == 2))


@every_policy
def test_nobody_is_disturbed_in_quiet_hours_of_their_own_clock(name: str) -> None:
    rules = DecisionRules(daily_cap=1000, quiet_start_hour=22, quiet_end_hour=7, cool_down_minutes=0)
    engine = DecisionEngine(catalog.create(name), rules, 2)
    people = np.arange(1, 2001, dtype=np.uint64)
    events = one_event_each(people, 0, offset_minutes=15 * 60)  # 08:00 UTC is 23:00 there
    decisions, commands = engine.decide(0, scores_of(events), events)
    assert commands.num_rows == 0
    assert set(column(decisions, "reason")) == {Reason.QUIET_HOURS}


@every_policy
def test_a_restored_engine_goes_on_bit_for_bit(name: str) -> None:
    rules = DecisionRules(cool_down_minutes=3, daily_cap=5)
    first = DecisionEngine(catalog.create(name), rules, 8)
    crowd = Crowd(80, seed=9)
    for tick in range(15):
        events = crowd.tick(tick)
        first.decide(tick, scores_of(events, tick), events)
    second = DecisionEngine(catalog.create(name), rules, 8)
    second.restore(first.snapshot())
    assert second.snapshot() == first.snapshot()
    for tick in range(15, 30):
        events = crowd.tick(tick)
        scores = scores_of(events, tick)
        assert second.decide(tick, scores, events) == first.decide(tick, scores, events)
    assert second.snapshot() == first.snapshot()


@every_policy
def test_decisions_and_commands_keep_their_contracts(name: str) -> None:
    engine = DecisionEngine(catalog.create(name), OPEN_RULES, 8)
    events = one_event_each(np.arange(1, 3001, dtype=np.uint64), 0)
    decisions, commands = engine.decide(0, scores_of(events), events)
    assert decisions.schema == DECISION.arrow
    assert commands.schema == COMMAND.arrow
    decisions.validate(full=True)
    offers = decisions.filter(pa.array(column(decisions, "action") != Practice.NONE))
    assert commands.column("decision_id").equals(offers.column("decision_id"))
    ids = [*column(decisions, "decision_id"), *column(commands, "command_id")]
    assert len(set(ids)) == len(ids)


@every_policy
def test_a_policy_that_says_it_needs_no_scores_looks_at_none(name: str) -> None:
    policy = catalog.create(name)
    points = random_points(1000)
    blind = replace(points, lapse=np.full(1000, np.nan, dtype=np.float32))
    same = np.array_equal(policy.probabilities(points), policy.probabilities(blind))
    assert same is not getattr(policy, "needs_scores", True)
