"""The decision engine: one decision a person in session and tick, with the propensity of what was done.

Pure: everything it knows comes from the batches it is given and the state it keeps. Draws are counter-based, so
neither the order of rows, nor the partitioning, nor a restart moves a decision.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.commands import COMMAND, Practice
from infra.contracts.decisions import DECISION, Reason
from infra.contracts.draws import Purpose, bits, uniform
from models.people import PeopleTable
from models.policies.people_state import COLUMNS, observe
from models.policies.points import ACTIONS, Points, Policy, policy_id
from models.policies.rules import MINUTE_US, Burden, DecisionRules, local_days_and_hours, reasons

_NO_DRAW = 0
_DECISION_ID = 1
_COMMAND_ID = 2


class Decided(NamedTuple):
    """A tick's decisions (`records.DECISION`) and the orders that carry them out (`records.COMMAND`)."""

    decisions: pa.RecordBatch
    commands: pa.RecordBatch


@dataclass(frozen=True, kw_only=True)
class _Contexts:
    """The last scored event of each person in session; every array has shape (n,), ascending by person."""

    person: NDArray[np.uint64]
    rows: NDArray[np.int64]  # in the state table
    event: NDArray[np.uint64]
    occurred_at: NDArray[np.int64]
    intended_at: NDArray[np.int64]
    lapse: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.person)


class DecisionEngine:
    """Applies the rules, asks the policy, draws the action, remembers the offers.

    `policy` may be exchanged between ticks; the state is the same for every policy.
    """

    def __init__(self, policy: Policy, rules: DecisionRules, seed: int) -> None:
        self.policy = policy
        self._rules = rules
        self._seed = seed
        self._people = PeopleTable(COLUMNS)

    def decide(self, tick: int, scores: pa.RecordBatch, events: pa.RecordBatch, *, model_version: str = "") -> Decided:
        """Decisions of a tick from its scores and its events (rows of both in any order).

        A decision point is a person with a scored event in the tick who has not left by its end. A point that the
        rules close gets no offer, with propensity 1. Rows come out ascending by person.
        """
        observe(self._people, events, self._rules.practice_minutes)
        contexts = self._contexts(scores)
        days, hours = local_days_and_hours(contexts.occurred_at, self._people["offset_minutes"][contexts.rows])
        self._turn_days(contexts.rows, days)
        reason = reasons(self._rules, self._burden(contexts, hours))
        action, propensity = self._draw(tick, contexts, hours, reason)
        decisions = self._decisions(tick, contexts, (action, propensity, reason), model_version)
        self._remember(contexts, action)
        return Decided(decisions, self._commands(tick, decisions))

    def snapshot(self) -> bytes:
        """The state, as bytes that depend on it alone (not on the policy)."""
        return self._people.snapshot()

    def restore(self, data: bytes) -> None:
        """Become the state of `snapshot`; raises ValueError for bytes that are not one."""
        self._people.restore(data)

    def _contexts(self, scores: pa.RecordBatch) -> _Contexts:
        columns = {name: scores.column(name).to_numpy(zero_copy_only=False) for name in scores.schema.names}
        order = np.lexsort((columns["seq"], columns["person"]))
        persons = columns["person"][order]
        last = order[np.append(persons[1:] != persons[:-1], True)] if len(order) else order
        rows = self._people.enroll(columns["person"][last])
        here = self._people["in_session"][rows] != 0
        last, rows = last[here], rows[here]
        return _Contexts(
            person=columns["person"][last],
            rows=rows,
            event=columns["event_id"][last],
            occurred_at=columns["occurred_at"][last],
            intended_at=columns["intended_at"][last],
            lapse=columns["lapse"][last],
        )

    def _turn_days(self, rows: NDArray[np.int64], days: NDArray[np.int64]) -> None:
        # A day never turns back: a late event or a change of time zone must not empty the count.
        later = days > self._people["day"][rows]
        self._people["day"][rows[later]] = days[later]
        self._people["offers_today"][rows[later]] = 0

    def _burden(self, contexts: _Contexts, hours: NDArray[np.int64]) -> Burden:
        rows = contexts.rows
        return Burden(
            offers_today=self._people["offers_today"][rows].astype(np.int64),
            since_offer_us=contexts.occurred_at - self._people["last_offer"][rows],
            practising=contexts.occurred_at < self._people["practice_until"][rows],
            local_hour=hours,
        )

    def _draw(
        self, tick: int, contexts: _Contexts, hours: NDArray[np.int64], reason: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """The final action and its probability, both shape (n,)."""
        probabilities = self._checked(self._points(contexts, hours))
        probabilities[reason != Reason.OPEN] = np.eye(ACTIONS)[Practice.NONE]
        # Divided by its own last value: an action of probability 0 is never drawn, whatever the rounding.
        cumulative = np.cumsum(probabilities, axis=1)
        cumulative /= cumulative[:, -1:]
        draw = uniform(self._seed, Purpose.POLICY_OFFER, contexts.person, tick, _NO_DRAW)
        action = (draw[:, None] >= cumulative).sum(axis=1)
        return action.astype(np.uint8), probabilities[np.arange(len(contexts)), action]

    def _points(self, contexts: _Contexts, hours: NDArray[np.int64]) -> Points:
        return Points(
            person=contexts.person,
            occurred_at=contexts.occurred_at,
            lapse=contexts.lapse,
            local_hour=hours,
            **{name: self._people[name][contexts.rows] for name in ("world", "valence", "arousal")},
        )

    def _checked(self, points: Points) -> NDArray[np.float64]:
        probabilities = np.array(self.policy.probabilities(points), dtype=np.float64)
        if probabilities.shape != (len(points), ACTIONS):
            raise ValueError(f"policy {self.policy.name} answered shape {probabilities.shape} for {len(points)} points")
        if (probabilities < 0).any() or not np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-9, rtol=0):
            raise ValueError(f"policy {self.policy.name} answered probabilities that are not a distribution")
        return probabilities

    def _decisions(
        self, tick: int, contexts: _Contexts, drawn: tuple[NDArray[Any], ...], model_version: str
    ) -> pa.RecordBatch:
        action, propensity, reason = drawn
        count = len(contexts)
        expiry_us = round(self._rules.expiry_minutes * MINUTE_US)
        columns: dict[str, Any] = {
            "decision_id": bits(self._seed, Purpose.POLICY_OFFER, contexts.person, tick, _DECISION_ID),
            "person": contexts.person,
            "tick": np.full(count, tick, dtype=np.int64),
            "seq": self._people["decisions"][contexts.rows],
            "occurred_at": contexts.occurred_at,
            "intended_at": contexts.intended_at,
            "action": action,
            "propensity": propensity,
            "available": (reason == Reason.OPEN).astype(np.uint8),
            "reason": reason,
            "context_event": contexts.event,
            "lapse": contexts.lapse,
            "expires_at": contexts.occurred_at + expiry_us,
            "policy_id": pa.repeat(policy_id(self.policy), count),
            "model_version": pa.repeat(model_version, count),
        }
        return _batch(columns, DECISION.arrow)

    def _remember(self, contexts: _Contexts, action: NDArray[np.uint8]) -> None:
        self._people["decisions"][contexts.rows] += 1
        offered = action != Practice.NONE
        rows = contexts.rows[offered]
        self._people["offers_today"][rows] += 1
        self._people["last_offer"][rows] = contexts.occurred_at[offered]

    def _commands(self, tick: int, decisions: pa.RecordBatch) -> pa.RecordBatch:
        action = decisions.column("action").to_numpy(zero_copy_only=False)
        offered = decisions.take(pa.array(np.flatnonzero(action != Practice.NONE)))
        person = offered.column("person").to_numpy(zero_copy_only=False)
        minutes = np.full(offered.num_rows, self._rules.practice_minutes, dtype=np.float32)
        columns: dict[str, Any] = {
            "command_id": bits(self._seed, Purpose.POLICY_OFFER, person, tick, _COMMAND_ID),
            "decision_id": offered.column("decision_id"),
            "person": person,
            "practice": offered.column("action"),
            "minutes": minutes,
            "issued_at": offered.column("occurred_at"),
            "expires_at": offered.column("expires_at"),
            "intended_at": offered.column("intended_at"),
        }
        return _batch(columns, COMMAND.arrow)


def _batch(columns: dict[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [pa.array(columns[field.name], type=field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
