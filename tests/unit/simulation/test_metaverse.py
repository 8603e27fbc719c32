"""The model from the outside: Mesa's ways, orders, determinism, effects."""

import mesa
import numpy as np
import polars as pl
import pytest

from infra.contracts.digest import Digest
from infra.contracts.kinds import EventKind
from infra.contracts.time import TICK_US
from simulation.cognition.scales import anxiety_severity, depression_severity
from simulation.core.group_agent import Groups
from simulation.core.model import Metaverse
from simulation.core.person import Person
from simulation.core.world_agent import Place
from simulation.scenarios import load
from simulation.scenarios.model import Scenario
from tests.unit.simulation.orders import command_batch, offers_to_everyone

STATES = (
    *("focus", "fatigue", "stress", "mood", "wandering", "world", "answers", "lapses", "exposures", "minutes"),
    *("trust", "skill", "left", "gloom", "worry", "debt"),
)


def digest(scenario: Scenario, seed: int, ticks: int = 90) -> str:
    """Digest of the events of the first ticks."""
    model, total = Metaverse(scenario, seed), Digest()
    for _ in range(ticks):
        model.step()
        total.add_events(model.drain().events)
    return total.hexdigest()


def busy(overrides: dict[str, str] | None = None, ticks: int = 60) -> Metaverse:
    """A small population some time into its morning."""
    model = Metaverse(load("tiny", overrides or {}))
    for _ in range(ticks):
        model.step()
    return model


def test_one_seed_gives_one_digest_and_another_gives_another() -> None:
    tiny = load("tiny")
    assert digest(tiny, 7) == digest(tiny, 7) != digest(tiny, 8)


def test_the_model_is_a_mesa_model_whose_agents_are_its_worlds_and_their_groups() -> None:
    model = busy(ticks=30)
    collector = mesa.DataCollector(
        model_reporters={"mood": lambda m: float(m.people["mood"].mean()), "tick": "tick"},
        agent_reporters={"residents": lambda agent: len(agent.residents) if isinstance(agent, Place) else 0},
    )
    collector.collect(model)
    model.step()
    collector.collect(model)
    assert len(model.agents.select(agent_type=Place)) == 6
    assert len(model.agents.select(agent_type=Groups)) == 5
    assert model.steps == 31
    frame = collector.get_model_vars_dataframe()
    assert list(frame["tick"]) == [model.tick - 1, model.tick]
    residents = collector.get_agent_vars_dataframe()["residents"]
    assert list(residents.groupby(level=0).sum()) == [200, 200]


def test_the_tick_is_the_next_minute_since_the_epoch() -> None:
    scenario = load("tiny")
    model = Metaverse(scenario)
    assert model.tick == scenario.first_tick == int(scenario.start.timestamp()) // 60
    model.step()
    assert model.drain().tick == scenario.first_tick
    assert model.tick == scenario.first_tick + 1


def test_events_happen_within_their_tick() -> None:
    model = busy()
    model.step()
    output = model.drain()
    assert output.events.num_rows > 0
    assert set(output.events.column("occurred_at").to_numpy() // TICK_US) == {output.tick}


def test_an_offer_is_shown_at_the_next_step_and_carries_its_command() -> None:
    model = busy()
    orders = offers_to_everyone(model)
    assert orders.num_rows > 10
    assert model.apply(orders).tolist() == orders.column("command_id").to_pylist()
    model.step()
    shown = pl.DataFrame(pl.from_arrow(model.drain().events)).filter(pl.col("kind") == EventKind.OFFER_SHOWN)
    assert set(shown["practice"].struct.field("command")) == set(orders.column("command_id").to_pylist())
    assert set(shown["person"]) == set(orders.column("person").to_pylist())


def test_every_offer_is_taken_up_or_dismissed_and_every_practice_ends() -> None:
    model = busy()
    kinds: list[int] = []
    model.apply(offers_to_everyone(model))
    for _ in range(40):
        model.step()
        events = pl.DataFrame(pl.from_arrow(model.drain().events))
        # Practices that nobody offered have no command.
        kinds += events.filter(pl.col("practice").struct.field("command") != 0)["kind"].to_list()
    shown, taken, dismissed = kinds.count(30), kinds.count(31), kinds.count(32)
    assert shown == taken + dismissed
    assert taken > 0
    assert taken == kinds.count(33) + kinds.count(34)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expires": -1}, "expired"),
        ({"practice": 9}, "unknown practice"),
        ({"practice": 0}, "unknown practice"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_counted_with_its_reason(change: dict[str, int], reason: str) -> None:
    model = busy()
    person = model.persons[model.people["world"] > 0][:3]
    assert len(model.apply(command_batch(person, model.tick, **change))) == 0
    assert model.refused == {reason: 3}


def test_strangers_sleepers_and_people_with_an_offer_get_none() -> None:
    model = busy()
    here = model.persons[model.people["world"] > 0][:1]
    away = model.persons[model.people["world"] == 0][:1]
    everyone = np.concatenate([here, here, away, np.array([12345], np.uint64)])
    assert len(model.apply(command_batch(everyone, model.tick))) == 1
    assert model.refused == {"not available": 2, "unknown person": 1}


def test_with_the_null_preset_offers_change_nothing_but_their_own_counts() -> None:
    offered, left_alone = busy({"effects.preset": "null"}), busy({"effects.preset": "null"})
    for step in range(120):
        if step % 10 == 0:
            offered.apply(offers_to_everyone(offered))
        offered.step()
        left_alone.step()
    assert offered.people["offers"].sum() > 200
    assert offered.people["practice_minutes"].sum() > 0
    for name in STATES:
        assert np.array_equal(offered.people[name], left_alone.people[name]), name


def test_with_the_strong_preset_mindfulness_keeps_minds_on_the_task() -> None:
    effects = {"people": "600", "effects.preset": "strong", "circle_size": "1"}
    offered, left_alone = busy(effects), busy(effects)
    for step in range(150):
        if step % 50 == 0:
            offered.apply(offers_to_everyone(offered))
        offered.step()
        left_alone.step()
    assert offered.people["awareness"].mean() > 0.1
    assert lapse_rate(offered) < lapse_rate(left_alone)


def lapse_rate(model: Metaverse) -> float:
    """Share of failed checks over the whole population."""
    return float(model.people["lapses"].sum() / model.people["checks"].sum())


def test_people_keep_their_random_numbers_whatever_happens_to_others() -> None:
    alone = {"circle_size": "1"}
    offered, left_alone = busy(alone), busy(alone)
    somebody = int(np.flatnonzero(offered.people["world"] > 0)[0])
    offered.apply(command_batch(offered.persons[[somebody]], offered.tick))
    for _ in range(60):
        offered.step()
        left_alone.step()
    others = np.arange(len(offered.people)) != somebody
    assert (offered.people[others] == left_alone.people[others]).all()
    assert offered.people[somebody]["offers"] == 1


def test_measuring_can_start_after_the_warm_up() -> None:
    model = busy()
    model.start_measuring()
    assert model.measure()["session_minutes"].sum() == 0
    model.step()
    assert 0 < model.measure()["session_minutes"].sum() <= 200


def test_scores_of_scales_are_those_of_the_kernels() -> None:
    model = busy()
    model.people["gloom"][:4], model.people["worry"][:4] = (-2.0, -0.1, 0.2, 2.0), (0.0, 0.25, 0.4, 1.0)
    measured = model.measure()
    for place, row in enumerate(model.people[:10]):
        person = Person(gloom=float(row["gloom"]), worry=float(row["worry"]))
        assert measured["depression"][place] == pytest.approx(27 * depression_severity(person))
        assert measured["anxiety"][place] == pytest.approx(21 * anxiety_severity(person))
    assert measured["depression"][0] == 0.0
    assert measured["depression"][3] == 27.0


def test_numbers_of_events_go_on_from_the_warm_up_into_the_run() -> None:
    model = busy()
    before = model.people["seq"].copy()
    model.start_measuring()
    model.step()
    events = model.drain().events
    first = dict(zip(events.column("person").to_pylist()[::-1], events.column("seq").to_pylist()[::-1], strict=True))
    expected = dict(zip(model.persons.tolist(), before.tolist(), strict=True))
    assert all(expected[person] == seq for person, seq in first.items())
