"""What must hold of everything the population writes."""

import numpy as np
import polars as pl
import pytest

from infra.contracts.events import EVENT
from infra.contracts.kinds import EXPOSURES, KINDS, RESPONSES, EventKind
from infra.contracts.metrics import METRICS
from infra.contracts.time import TICK_US
from infra.contracts.worlds import World
from tests.unit.simulation.conftest import Recording

TEN_MINUTES = 10 * TICK_US


def test_five_thousand_people_would_have_550_to_900_thousand_events_a_day(day: Recording) -> None:
    assert 110 <= len(day.events) / len(day.model.people) <= 180


def test_every_world_has_a_meaningful_share_of_events(day: Recording) -> None:
    shares = day.events.group_by("world").len().with_columns(pl.col("len") / len(day.events))
    assert set(shares["world"]) == {world for world in World if world is not World.NONE}
    assert shares["len"].to_numpy().min() > 0.06


def test_event_numbers_are_gapless_per_person_and_rows_come_in_order(day: Recording) -> None:
    for table in (day.events, day.outcomes):
        ordered = table.sort("person", "seq")
        expected = pl.int_range(pl.len()).over("person")
        assert ordered.select((pl.col("seq") == expected).all()).item()
        assert ordered.select((pl.col("occurred_at").diff().over("person").fill_null(0) >= 0).all()).item()


def test_ids_are_unique_over_events_and_checks(day: Recording) -> None:
    ids = pl.concat([day.events["event_id"], day.outcomes["event_id"]])
    assert ids.n_unique() == len(ids)
    assert (ids == 0).sum() == 0


def test_payloads_are_set_for_their_kinds_only(day: Recording) -> None:
    family_of = {int(kind): spec.family for kind, spec in KINDS.items()}
    for struct in EVENT.structs():
        if struct.name == "sensitive":
            continue
        present = set(day.events.filter(pl.col(struct.name).is_not_null())["kind"])
        absent = set(day.events.filter(pl.col(struct.name).is_null())["kind"])
        assert {family_of[kind] for kind in present} <= {struct.name}
        assert all(family_of[kind] != struct.name for kind in absent)


def test_an_answer_refers_to_an_exposure_of_the_same_person_within_ten_minutes(day: Recording) -> None:
    answers = day.events.filter(pl.col("in_reply_to") != 0)
    assert set(answers["kind"]) <= set(RESPONSES)
    exposures = day.events.filter(pl.col("kind").is_in([int(kind) for kind in EXPOSURES]))
    joined = answers.join(exposures, left_on="in_reply_to", right_on="event_id", suffix="_asked")
    assert len(joined) == len(answers) == answers["in_reply_to"].n_unique()
    assert (joined["person"] == joined["person_asked"]).all()
    assert (joined["kind"] == joined["kind_asked"] + 1).all()
    gap = (joined["occurred_at"] - joined["occurred_at_asked"]).to_numpy()
    assert gap.min() > 0
    assert gap.max() < TEN_MINUTES


def test_every_response_answers_something(day: Recording) -> None:
    responses = day.events.filter(pl.col("kind").is_in([int(kind) for kind in RESPONSES]))
    assert (responses["in_reply_to"] != 0).all()


def test_every_exposure_and_attention_check_has_one_true_probability_between_0_and_1(day: Recording) -> None:
    probabilities = day.truth.filter(pl.col("kind") != 0)
    assert probabilities["probability"].is_between(0.0, 1.0, closed="none").all()
    exposures = day.events.filter(pl.col("kind").is_in([int(kind) for kind in EXPOSURES]))["event_id"]
    checks = day.outcomes.filter(pl.col("kind") == EventKind.ATTENTION_CHECKED)["event_id"]
    expected = pl.concat([exposures, checks]).sort()
    assert probabilities["ref"].sort().equals(expected)


def test_people_answer_as_often_as_the_true_probabilities_say(day: Recording) -> None:
    answered = day.events.filter(pl.col("in_reply_to") != 0).select(ref="in_reply_to", hit=1.0)
    exposures = day.truth.filter(pl.col("kind") > 100).join(answered, on="ref", how="left").fill_null(0.0)
    assert_calibrated(exposures["probability"].to_numpy(), exposures["hit"].to_numpy())


def test_people_fail_checks_as_often_as_the_true_probabilities_say(day: Recording) -> None:
    checks = day.truth.join(day.outcomes.select(ref="event_id", passed="passed"), on="ref")
    assert_calibrated(checks["probability"].to_numpy(), 1.0 - checks["passed"].to_numpy())


def assert_calibrated(probability: np.ndarray, hit: np.ndarray) -> None:
    """Over all and in each tenth of the range, hits lie within 4.5 standard errors of the probabilities' sum."""
    for low in np.linspace(0.0, 0.9, 10):
        inside = (probability >= low) & (probability < low + 0.1)
        error = np.sqrt((probability[inside] * (1.0 - probability[inside])).sum())
        assert abs(hit[inside].sum() - probability[inside].sum()) <= 4.5 * error + 1.0


def test_hidden_states_stay_in_their_ranges(day: Recording) -> None:
    for name in ("focus", "fatigue", "stress"):
        assert day.truth[name].is_between(0.0, 1.0).all()
    assert day.truth["mood"].is_between(-1.0, 1.0).all()
    assert np.isfinite(day.model.people["pressure"]).all()


def test_minds_wander_in_about_47_percent_of_sampled_moments(day: Recording) -> None:
    # CALIBRATION row 1: 46.9% (Killingsworth & Gilbert 2010).
    assert day.truth.filter(pl.col("kind") == 0)["wandering"].mean() == pytest.approx(0.469, abs=0.05)


def test_wandering_comes_in_episodes_and_makes_people_lapse(day: Recording) -> None:
    checks = day.truth.filter(pl.col("kind") == EventKind.ATTENTION_CHECKED)
    of_wandering = checks.group_by("wandering").agg(pl.col("probability").mean()).sort("wandering")["probability"]
    assert of_wandering[1] > 4 * of_wandering[0]
    rows = day.truth.sort("person", "tick")
    soon = rows.with_columns(
        later=pl.col("wandering").shift(-1).over("person"), gap=pl.col("tick").shift(-1).over("person") - pl.col("tick")
    ).filter(pl.col("gap").is_between(1, 3))
    stays = soon.filter(pl.col("wandering") == 1)["later"].to_numpy().mean()
    comes = soon.filter(pl.col("wandering") == 0)["later"].to_numpy().mean()
    assert stays > 0.6
    assert comes < 0.3


def test_half_of_all_moments_in_a_session_have_a_check_within_ten_minutes(day: Recording) -> None:
    checks = day.outcomes.filter(pl.col("kind") == EventKind.ATTENTION_CHECKED).select("person", "occurred_at")
    ahead = day.events.sort("occurred_at").join_asof(
        checks.with_columns(checked=pl.col("occurred_at")).sort("occurred_at"),
        on="occurred_at",
        by="person",
        strategy="forward",
        tolerance=TEN_MINUTES,
        check_sortedness=False,
    )
    assert 0.35 < ahead["checked"].is_not_null().to_numpy().mean() < 0.75


def test_gaze_has_missing_stretches(day: Recording) -> None:
    gaze = day.events.filter(pl.col("kind") == EventKind.GAZE_SAMPLED).sort("person", "seq")
    assert gaze.select(pl.col("gaze").struct.field("on_task").is_between(0, 1).all()).item()
    longest_stretch = int(day.model.cognition["gaze_loss_shortest"][0])
    assert (day.model.people["gaze_lost_until"] > 0).mean() > 0.3
    assert longest_stretch >= 5


def test_texts_are_chinese_and_english_and_go_with_the_sentiment(day: Recording) -> None:
    comments = day.events.filter(pl.col("kind") == EventKind.COMMENT_SEEN)
    texts = [value["text"].decode() for value in comments["sensitive"]]
    assert any(text.isascii() for text in texts)
    assert any(not text.isascii() for text in texts)
    tones = comments["social"].struct.field("sentiment").to_numpy()
    kind_ones = [
        tone for tone, text in zip(tones, texts, strict=True) if text in {"太棒了！恭喜你", "this made my day"}
    ]
    assert min(kind_ones) > 0.5


def test_symptoms_are_nine_small_floats(day: Recording) -> None:
    reports = day.events.filter(pl.col("kind") == EventKind.SYMPTOMS_REPORTED)
    assert len(reports) > 50
    for value in reports["sensitive"].head(50):
        scores = np.frombuffer(value["symptoms"], "<f4")
        assert len(scores) == 9
        assert scores.min() >= 0.0
        assert scores.max() <= 3.0


def test_what_is_stamped_is_the_planned_time(day: Recording) -> None:
    assert (day.events["intended_at"] == 5).all()
    assert (day.outcomes["intended_at"] == 5).all()


def test_every_metric_of_the_contracts_is_measured(day: Recording) -> None:
    measured = day.model.measure()
    assert set(METRICS) <= set(measured)
    assert all(len(values) == len(day.model.persons) for values in measured.values())
    assert measured["checks"].sum() == (day.outcomes["kind"] == EventKind.ATTENTION_CHECKED).sum()
    assert measured["answers"].sum() == (day.events["in_reply_to"] != 0).sum()


def test_a_person_takes_at_most_512_bytes(day: Recording) -> None:
    assert day.model.people.itemsize <= 512
