"""What a prediction may rest on, and that it is worth something."""

from dataclasses import replace

import numpy as np
import pytest

from infra.contracts.kinds import EXPOSURES
from simulation.core.person import PERSON
from simulation.oracle.cloud import Cloud
from simulation.oracle.config import HEADS
from simulation.oracle.filter import PersonFilter, Predictions
from simulation.oracle.laws import LawBook
from simulation.oracle.prior import Prior
from simulation.oracle.run import predictions_table, scored, verdicts
from simulation.oracle.timeline import Timeline
from tests.unit.simulation.oracle.conftest import CONFIG, Consulted


def busiest(consulted: Consulted) -> Timeline:
    """The person with the most rows."""
    return max(consulted.recording.lines, key=lambda line: len(line.rows))


def predict(consulted: Consulted, line: Timeline) -> Predictions:
    """The predictions for a timeline of one of the people."""
    recording = consulted.recording
    cloud = Cloud(Prior(consulted.scenario, CONFIG.seed), CONFIG, 3, line.offset)
    around = recording.around[line.person]
    return PersonFilter(LawBook(consulted.scenario), cloud, line, recording.span, around).run()


def test_a_prediction_rests_on_nothing_that_comes_after_its_event(consulted: Consulted) -> None:
    line = busiest(consulted)
    cut = 2 * len(line.rows) // 3
    # The minute of the cut as a whole: what is absent from the rest of a minute is only noted at its end.
    tick = line.rows["tick"][cut]
    known = int(np.searchsorted(line.rows["tick"], tick))
    shorter = replace(line, rows=line.rows[:cut])
    whole, part = predict(consulted, line), predict(consulted, shorter)
    for head in HEADS:
        assert np.array_equal(whole.by_head[head][:cut], part.by_head[head][:cut], equal_nan=True)
        assert known > 50
        assert np.isfinite(whole.by_head[head][:known]).sum() > 10


def test_a_changed_answer_changes_later_predictions_only(consulted: Consulted) -> None:
    line = busiest(consulted)
    checks = np.flatnonzero(line.rows["kind"] == 40)
    at = checks[len(checks) // 2]
    rows = line.rows.copy()
    rows["passed"][at] = 1 - rows["passed"][at]
    rows["reaction"][at] = 300.0
    one, other = predict(consulted, line), predict(consulted, replace(line, rows=rows))
    assert np.array_equal(one.by_head["lapse"][:at], other.by_head["lapse"][:at], equal_nan=True)
    assert not np.array_equal(one.by_head["lapse"][at:], other.by_head["lapse"][at:], equal_nan=True)


def test_every_exposure_and_every_event_has_a_prediction(consulted: Consulted) -> None:
    for line, found in consulted.oracle.filtered:
        exposures = np.isin(line.rows["kind"], sorted(EXPOSURES))
        assert np.array_equal(np.isfinite(found.by_head["interaction"]), exposures)
        assert np.array_equal(np.isfinite(found.by_head["lapse"]), ~line.is_check)
    table = predictions_table(consulted.oracle)
    assert table.column_names == ["event_id", "person", "tick", "head", "probability"]
    values = table["probability"].to_numpy()
    assert ((values > 0) & (values < 1)).all()


def test_the_same_seed_gives_the_same_predictions(consulted: Consulted) -> None:
    line = busiest(consulted)
    one, other = predict(consulted, line), predict(consulted, line)
    assert np.array_equal(one.by_head["lapse"], other.by_head["lapse"], equal_nan=True)


@pytest.mark.parametrize("head", HEADS)
def test_predictions_are_calibrated_on_the_whole_against_the_truth(consulted: Consulted, head: str) -> None:
    rows = scored(consulted.oracle, consulted.recording, head)
    _, whose = np.unique(rows.person, return_inverse=True)
    gap = rows.observable - rows.latent
    by_person = np.bincount(whose, gap)
    error = np.sqrt((by_person**2).sum()) / len(gap)
    assert abs(gap.mean()) < 3.5 * error
    # And where it says much, much is true.
    high = rows.observable > np.quantile(rows.observable, 0.7)
    assert rows.latent[high].mean() > rows.latent[~high].mean() + 0.1


def test_the_observable_oracle_lies_between_base_rate_and_latent_oracle(consulted: Consulted) -> None:
    for found in verdicts(consulted.oracle, consulted.recording).values():
        loss = found["log_loss"]
        assert loss["latent"] < loss["observable"] < loss["base_rate"]


def test_the_prior_is_of_newborns_only() -> None:
    assert set(Prior.newborns.__annotations__) == {"seed", "count", "offset", "return"}
    assert {"bed", "wake", "trust"} <= set(PERSON.names or ())
