"""HTTP of interventions, over a real store."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.policies import catalog
from models.policies.engine import DecisionEngine
from models.policies.rules import DecisionRules
from services.interventions.api import create_router
from services.interventions.store import DecisionStore
from tests.support.activity import Crowd, score_batch
from tests.support.asgi import Web

SERVICE = "the-service"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DecisionStore]:
    store = DecisionStore(tmp_path / "store.sqlite")
    store.change("never", {})
    yield store
    store.close()


def client(store: DecisionStore, token: str | None) -> Web:
    return Web(create_router(store, token))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def decide_a_tick(store: DecisionStore, tick: int = 0) -> list[int]:
    events = Crowd(20, seed=3).tick(tick)
    scores = score_batch(events, np.full(events.num_rows, 0.9, dtype=np.float32))
    engine = DecisionEngine(catalog.create("threshold"), DecisionRules(quiet_start_hour=0, quiet_end_hour=0), 1)
    decisions, _ = engine.decide(tick, scores, events, model_version="m1")
    store.add(decisions)
    return [int(person) for person in decisions.column("person").to_pylist()]


def test_a_persons_record_shows_what_was_decided_and_why(store: DecisionStore) -> None:
    person = decide_a_tick(store)[0]
    answer = client(store, None).get(f"/people/{person}/decisions").json()
    assert answer["person"] == str(person)
    (decision,) = answer["decisions"]
    assert decision["person"] == str(person)
    assert decision["policy_id"].startswith("threshold(")
    assert decision["model_version"] == "m1"
    assert 0 < decision["propensity"] < 1
    assert decision["available"] is True
    assert decision["reason"] == "open"
    assert isinstance(decision["action"], str)


def test_records_are_closed_to_strangers_and_to_other_people(store: DecisionStore) -> None:
    first, second = decide_a_tick(store)[:2]
    web = client(store, SERVICE)
    path = f"/people/{first}/decisions"
    assert web.get(path).status_code == 401
    assert web.get(path, headers=bearer("guess")).status_code == 401
    assert web.get(f"/people/{second}/token").status_code == 401
    other = web.get(f"/people/{second}/token", headers=bearer(SERVICE)).json()["token"]
    assert web.get(path, headers=bearer(other)).status_code == 403
    mine = web.get(f"/people/{first}/token", headers=bearer(SERVICE)).json()["token"]
    assert web.get(path, headers=bearer(mine)).status_code == 200
    assert web.get(path, headers=bearer(SERVICE)).status_code == 200


def test_a_person_nobody_decided_about_is_not_found(store: DecisionStore) -> None:
    assert client(store, None).get("/people/1/decisions").status_code == 404
    assert client(store, None).get(f"/people/{2**64}/decisions").status_code == 422
    assert client(store, None).get("/people/1/token").status_code == 404


def test_a_policy_takes_effect_at_the_tick_after_the_last_one_begun(store: DecisionStore) -> None:
    web = client(store, None)
    assert web.get("/policy").json()["in_force"]["policy_id"] == "never()"
    assert store.begin(41).name == "never"
    changed = web.put("/policy", json={"name": "random", "parameters": {"probability": 0.25}}).json()
    assert (changed["from_tick"], changed["parameters"]["probability"]) == (42, 0.25)
    assert web.get("/policy").json()["in_force"]["name"] == "never"
    assert [store.begin(tick).name for tick in (41, 42, 43)] == ["never", "random", "random"]
    answer = web.get("/policy").json()
    assert answer["in_force"]["policy_id"] == changed["policy_id"]
    assert [change["from_tick"] for change in answer["changes"]] == [-1, 42]
    assert set(answer["known"]) >= {"never", "random", "threshold"}


def test_a_change_never_reaches_back_into_ticks_begun_before_a_crash(store: DecisionStore) -> None:
    for tick in range(90, 101):
        store.begin(tick)
    store.begin(95)  # repeated after a restart from a snapshot
    assert store.change("random", {}).from_tick == 101


def test_an_unknown_policy_is_refused_with_the_known_ones(store: DecisionStore) -> None:
    answer = client(store, None).put("/policy", json={"name": "treshold"})
    assert answer.status_code == 422
    assert "did you mean 'threshold'" in answer.json()["detail"]["message"]
    assert answer.json()["detail"]["known"] == list(catalog.discover())
    wrong = client(store, None).put("/policy", json={"name": "random", "parameters": {"probability": 2}})
    assert wrong.status_code == 422
    assert len(store.timeline()) == 1


def test_only_the_token_changes_the_policy(store: DecisionStore) -> None:
    web = client(store, SERVICE)
    assert web.put("/policy", json={"name": "random"}).status_code == 401
    assert web.put("/policy", json={"name": "random"}, headers=bearer(SERVICE)).status_code == 200


def test_the_switch_and_the_record_survive_a_restart(tmp_path: Path) -> None:
    first = DecisionStore(tmp_path / "store.sqlite")
    first.change("never", {})
    first.begin(7)
    first.change("random", {"probability": 0.5})
    person = decide_a_tick(first)[0]
    first.close()
    second = DecisionStore(tmp_path / "store.sqlite")
    assert second.begin(8).name == "random"
    assert len(second.decisions(person, 10)) == 1
    decide_a_tick(second)
    assert len(second.decisions(person, 10)) == 1, "a repeated tick adds nothing"
    second.close()
