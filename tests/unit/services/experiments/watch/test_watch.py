"""What a watched population shows, and that watching does not change it."""

import json
import threading

import numpy as np
import pytest
from scipy.stats import f_oneway

from models.policies import catalog
from models.policies.engine import DecisionEngine
from models.policies.rules import DecisionRules
from services.experiments.inprocess import Mind, run_closed, run_ticks
from services.experiments.watch.api import create_router
from services.experiments.watch.picture import explained_by_circles, look
from services.experiments.watch.population import Pace, WatchedPopulation
from simulation.core.model import Metaverse
from simulation.scenarios import load
from tests.support.asgi import Web

MORNING = 9 * 60
RULES = DecisionRules(quiet_start_hour=0, quiet_end_hour=0)


def population(people: int = 300) -> Metaverse:
    made = Metaverse(load("tiny", {"people": str(people)}))
    run_ticks(made, MORNING)
    return made


def mind() -> Mind:
    return Mind(engine=DecisionEngine(catalog.create("random", {"probability": 0.2}), RULES, 3))


def test_a_look_says_what_the_population_says() -> None:
    made = population()
    seen = look(made, offers=4)
    inside = made.people["world"] > 0
    assert seen["tick"] == made.tick - 1
    assert seen["inside"] == inside.sum() == sum(world["people"] for world in seen["worlds"]) > 0
    assert seen["wandering"] == pytest.approx(made.people["wandering"][inside].mean(), abs=1e-4)
    assert seen["circles"]["total"] == len(seen["circles"]["stress"])
    assert json.loads(json.dumps(seen, allow_nan=False)) == seen


def test_what_circles_explain_is_the_intraclass_correlation_of_an_analysis_of_variance() -> None:
    made = population()
    people = made.people
    # Everybody inside, circles of one size, a difference between circles that is known.
    people["world"] = 1
    shift = np.random.default_rng(1).normal(0, 0.1, people["circle"].max() + 1)
    people["stress"] = 0.4 + shift[people["circle"]] + np.random.default_rng(2).normal(0, 0.1, len(people))
    sizes = np.bincount(people["circle"])
    whole = np.flatnonzero(sizes == sizes[0])
    people["world"][~np.isin(people["circle"], whole)] = 0
    groups = [people["stress"][people["circle"] == circle] for circle in whole]
    ratio = f_oneway(*groups).statistic
    assert explained_by_circles(made) == pytest.approx((ratio - 1) / (ratio + sizes[0] - 1), abs=1e-4)


def test_nobody_in_a_world_is_not_an_error() -> None:
    made = population()
    made.people["world"] = 0
    seen = look(made, offers=0)
    assert (seen["inside"], seen["wandering"], seen["circles"]["explained"]) == (0, None, None)


def test_a_watched_population_lives_as_an_unwatched_one() -> None:
    watched, alone = population(), population()
    thread_body = WatchedPopulation(watched, mind(), 30, Pace(minutes_per_second=None))
    thread_body.run()
    run_closed(alone, mind(), 30)
    assert thread_body.failure is None
    assert (watched.people == alone.people).all()
    (*_, last) = thread_body.since(-1)["looks"]
    assert last["tick"] == watched.tick - 1
    assert last["offers"] > 0
    assert thread_body.since(last["tick"])["looks"] == []


def test_a_paused_population_stands_still_until_it_is_told_to_go_on_or_to_stop() -> None:
    made = population()
    before = made.tick
    watched = WatchedPopulation(made, mind(), 10, Pace(minutes_per_second=0))
    thread = threading.Thread(target=watched.run)
    thread.start()
    watched.change(Pace(minutes_per_second=None))
    thread.join(20)
    assert made.tick == before + 10
    still = WatchedPopulation(made, mind(), 10, Pace(minutes_per_second=0))
    thread = threading.Thread(target=still.run)
    thread.start()
    still.stop()
    thread.join(20)
    assert made.tick == before + 10


def test_the_page_and_its_data_are_served_and_a_senseless_pace_is_refused() -> None:
    watched = WatchedPopulation(population(), mind(), 5, Pace(minutes_per_second=None))
    watched.run()
    web = Web(create_router(watched, "tiny <b>", "calmverse watch tiny"))
    page = web.get("/")
    assert page.status_code == 200
    assert b"tiny &lt;b&gt;" in page.content
    assert b"http:" not in page.content
    assert len(web.get("/looks?since=-1").json()["looks"]) == 1
    assert web.post("/pace", {"minutes_per_second": -1}).status_code == 422
    assert web.post("/pace", {"minutes_per_second": 12}).status_code == 200
    assert watched.pace == Pace(minutes_per_second=12)
