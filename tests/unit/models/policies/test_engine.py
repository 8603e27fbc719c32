"""What closes a decision point, what opens it again, and what an offer carries."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from infra.contracts.commands import Practice
from infra.contracts.decisions import Reason
from infra.contracts.kinds import EventKind
from infra.contracts.worlds import World
from models.policies import catalog
from models.policies.engine import DecisionEngine
from models.policies.points import ACTIONS, Points
from models.policies.practices import MAIN_PRACTICE, practice_shares
from models.policies.rules import DecisionRules, local_days_and_hours
from tests.support.activity import START_US, Crowd, event_batch, score_batch

MINUTE_US = 60_000_000
OPEN = DecisionRules(quiet_start_hour=0, quiet_end_hour=0, cool_down_minutes=0, daily_cap=1000)
EAGER = catalog.create("threshold", {"threshold": 0, "epsilon": 1e-9})


def one_event(minute: float, kind: int = 4, seq: int | None = None, **columns: Any) -> pa.RecordBatch:  # noqa: ANN401  any column
    given = {"event_id": [int(minute * 10) + 1], "person": np.array([9], dtype=np.uint64), "kind": [kind]}
    place = {"seq": [int(minute * 10) if seq is None else seq], "occurred_at": [START_US + int(minute * MINUTE_US)]}
    payloads: dict[str, Any] = {name: columns.pop(name) for name in ("emotion", "practice") if name in columns}
    return event_batch({**given, **place, **columns}, payloads)


def decide(engine: DecisionEngine, minute: float, *events: pa.RecordBatch) -> dict[str, Any]:
    batch = pa.Table.from_batches(events or [one_event(minute)]).combine_chunks().to_batches()[0]
    decisions, commands = engine.decide(
        int(minute), score_batch(batch, np.full(batch.num_rows, 0.9, np.float32)), batch
    )
    assert commands.num_rows <= decisions.num_rows <= 1
    return {**decisions.to_pylist()[0], "command": commands.to_pylist()} if decisions.num_rows else {}


def test_an_offer_becomes_an_order_that_expires() -> None:
    rules = DecisionRules(quiet_start_hour=0, quiet_end_hour=0, practice_minutes=7, expiry_minutes=3)
    made = decide(DecisionEngine(EAGER, rules, 1), 2, one_event(2, intended_at=[77]))
    (order,) = made["command"]
    assert order["decision_id"] == made["decision_id"] != order["command_id"]
    assert (order["practice"], order["minutes"], order["intended_at"]) == (made["action"], 7.0, 77)
    assert order["issued_at"] == made["occurred_at"] == START_US + 2 * MINUTE_US
    assert order["expires_at"] == made["expires_at"] == made["occurred_at"] + 3 * MINUTE_US


def test_an_accepted_practice_closes_the_point_until_it_is_over() -> None:
    engine = DecisionEngine(EAGER, OPEN, 1)
    accepted = {"command": [1.0], "minutes": [10.0]}
    assert decide(engine, 1, one_event(1, EventKind.OFFER_ACCEPTED, practice=accepted))["reason"] == Reason.IN_PRACTICE
    assert decide(engine, 10)["reason"] == Reason.IN_PRACTICE
    assert decide(engine, 11)["reason"] == Reason.OPEN
    decide(engine, 12, one_event(12, EventKind.OFFER_ACCEPTED, practice=accepted))
    stopped = decide(engine, 13, one_event(13, EventKind.PRACTICE_ABANDONED, practice=accepted))
    assert stopped["reason"] == Reason.OPEN


def test_an_acceptance_without_minutes_counts_as_the_rules_say() -> None:
    engine = DecisionEngine(EAGER, DecisionRules(quiet_end_hour=0, quiet_start_hour=0, practice_minutes=4), 1)
    decide(engine, 1, one_event(1, EventKind.OFFER_ACCEPTED))
    assert [decide(engine, minute)["reason"] for minute in (4, 5)] == [Reason.IN_PRACTICE, Reason.OPEN]


def test_the_daily_cap_starts_again_at_local_midnight() -> None:
    rules = DecisionRules(daily_cap=1, cool_down_minutes=0, quiet_start_hour=0, quiet_end_hour=0)
    engine = DecisionEngine(EAGER, rules, 1)
    offset: dict[str, Any] = {"utc_offset_minutes": [60]}  # 08:00 UTC is 09:00 there: midnight is 15 hours away
    assert decide(engine, 0, one_event(0, **offset))["action"] != Practice.NONE
    assert decide(engine, 15 * 60 - 1, one_event(15 * 60 - 1, **offset))["reason"] == Reason.DAILY_CAP
    assert decide(engine, 15 * 60, one_event(15 * 60, **offset))["reason"] == Reason.OPEN


def test_a_late_event_of_yesterday_does_not_empty_the_count() -> None:
    rules = DecisionRules(daily_cap=1, cool_down_minutes=0, quiet_start_hour=0, quiet_end_hour=0)
    engine = DecisionEngine(EAGER, rules, 1)
    decide(engine, 16 * 60)
    decide(engine, 15 * 60, one_event(15 * 60, seq=20_000))
    assert decide(engine, 16 * 60 + 1, one_event(16 * 60 + 1, seq=20_001))["reason"] == Reason.DAILY_CAP


def test_who_has_left_is_not_decided_about() -> None:
    engine = DecisionEngine(EAGER, OPEN, 1)
    assert decide(engine, 1, one_event(1), one_event(1.5, EventKind.SESSION_ENDED)) == {}
    assert decide(engine, 2)["seq"] == 0


def test_the_last_scored_event_is_the_context() -> None:
    events = [one_event(1), one_event(1.5), one_event(1.2)]
    made = decide(DecisionEngine(EAGER, OPEN, 1), 1, *events)
    assert (made["context_event"], made["occurred_at"]) == (16, START_US + 90_000_000)


def test_ordinals_of_a_person_have_no_gap() -> None:
    engine = DecisionEngine(EAGER, OPEN, 1)
    assert [decide(engine, minute)["seq"] for minute in range(5)] == [0, 1, 2, 3, 4]


def test_ids_are_a_function_of_seed_person_and_tick() -> None:
    first, again, other = (decide(DecisionEngine(EAGER, OPEN, seed), 3) for seed in (1, 1, 2))
    assert first == again
    assert first["decision_id"] != other["decision_id"]


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**63), order=st.randoms(use_true_random=False), cut=st.integers(0, 60))
def test_neither_order_nor_partitioning_moves_a_decision(seed: int, order: Any, cut: int) -> None:  # noqa: ANN401  hypothesis gives no type
    rules = DecisionRules(cool_down_minutes=1, daily_cap=2)
    whole = DecisionEngine(catalog.create("random", {"probability": 0.5}), rules, seed)
    parts = [DecisionEngine(whole.policy, rules, seed) for _ in range(2)]
    crowd = Crowd(25, seed=seed % 1000)
    for tick in range(4):
        events = crowd.tick(tick)
        rows = list(range(events.num_rows))
        order.shuffle(rows)
        shuffled = events.take(pa.array(rows, pa.int64()))
        lapse = np.full(events.num_rows, 0.5, np.float32)
        expected = whole.decide(tick, score_batch(events, lapse), events)
        persons = shuffled.column("person").to_numpy()
        found = []
        for half, engine in enumerate(parts):
            mine = shuffled.filter(pa.array((persons % 61 < cut) == bool(half)))
            found.append(engine.decide(tick, score_batch(mine, lapse[: mine.num_rows]), mine))
        for at in range(2):
            together = pa.Table.from_batches([each[at] for each in found]).sort_by("person")
            assert together.equals(pa.Table.from_batches([expected[at]]))


def test_a_policy_that_answers_nonsense_is_stopped() -> None:
    @dataclass(frozen=True)
    class Wrong:
        name: ClassVar[str] = "wrong"

        def probabilities(self, points: Points) -> NDArray[np.float64]:
            return np.full((len(points), ACTIONS), 0.5)

    with pytest.raises(ValueError, match="not a distribution"):
        decide(DecisionEngine(Wrong(), OPEN, 1), 1)


def points(world: World, valence: float, arousal: float) -> Points:
    return Points(
        person=np.array([1], dtype=np.uint64),
        occurred_at=np.array([START_US]),
        lapse=np.array([0.5], dtype=np.float32),
        world=np.array([world], dtype=np.uint8),
        local_hour=np.array([9]),
        valence=np.array([valence], dtype=np.float32),
        arousal=np.array([arousal], dtype=np.float32),
    )


@pytest.mark.parametrize("world", list(World))
def test_the_world_chooses_the_practice_and_tension_overrides_it(world: World) -> None:
    calm = practice_shares(points(world, float("nan"), float("nan")), 0.7)[0]
    tense = practice_shares(points(world, -0.8, 0.8), 0.7)[0]
    assert calm.argmax() == MAIN_PRACTICE[world]
    assert tense.argmax() == Practice.BREATHING
    assert [calm.sum(), tense.sum()] == pytest.approx([1, 1])


def test_an_emotion_reading_reaches_the_policy() -> None:
    seen: list[Points] = []

    @dataclass(frozen=True)
    class Looking:
        name: ClassVar[str] = "looking"

        def probabilities(self, points: Points) -> NDArray[np.float64]:
            seen.append(points)
            return np.eye(ACTIONS)[np.zeros(len(points), dtype=np.int64)]

    engine = DecisionEngine(Looking(), OPEN, 1)
    reading = {"valence": [-0.5], "arousal": [0.25]}
    decide(
        engine, 1, one_event(1, world=[World.WORK]), one_event(1.5, EventKind.EMOTION_READ, emotion=reading, world=[3])
    )
    decide(engine, 2)
    assert [float(each.valence[0]) for each in seen] == [-0.5, -0.5]
    assert [int(each.world[0]) for each in seen] == [World.WORK, World.NONE]


@given(st.integers(-(2**40), 2**45), st.integers(-720, 840))
def test_local_hours_are_hours_also_before_the_epoch(moment_us: int, offset: int) -> None:
    days, hours = local_days_and_hours(np.array([moment_us]), np.array([offset], dtype=np.int16))
    assert 0 <= hours[0] <= 23
    assert int(days[0]) * 24 + int(hours[0]) == (moment_us + offset * MINUTE_US) // (60 * MINUTE_US)
