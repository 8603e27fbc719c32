"""The oracle's predictions are joined by event and person, and only where they are about the same labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.contracts.errors import BadInput
from models.evaluation.oracle import observable
from models.training.dataset import Prepared, prepare
from models.training.lake import read_directly
from models.training.settings import TrainingConfig, TrainingRequest
from tests.support.hidden_state import HiddenStatePopulation
from tests.support.oracle import write_oracle
from tests.unit.models.training.test_train import MODEL


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("run")
    return HiddenStatePopulation.simulate(people=40, minutes=60, seed=3).write(root)[0]


def prepared_with(lake: Path, horizon_min: float) -> Prepared:
    training = TrainingConfig(seed=3, horizon_min=horizon_min, time_share=0.9)
    return prepare(TrainingRequest(lake=lake, out_dir=lake, model=MODEL, training=training), read_directly)


def test_a_prediction_goes_to_its_event_and_no_other(lake: Path, tmp_path: Path) -> None:
    prepared = prepared_with(lake, 10)
    events, known = prepared.source.events, prepared.dataset.known
    first, second = np.flatnonzero(known[:, 0])[[3, 5]]
    third, fourth = np.flatnonzero(known[:, 1])[[7, 9]]
    ids, people = events["event_id"], events["person"]
    write_oracle(
        tmp_path,
        {
            "event_id": [ids[second], ids[first], ids[third], ids[fourth], np.uint64(1)],
            # The fourth has the event of one person and the name of another.
            "person": [people[second], people[first], people[third], people[fourth] ^ np.uint64(1), people[first]],
            "head": ["interaction", "interaction", "lapse", "lapse", "interaction"],
            "probability": [0.2, 0.7, 0.4, 0.9, 0.5],
        },
    )
    found = observable(prepared, tmp_path)
    assert found.notes == {}
    expected = np.full(prepared.dataset.value.shape, np.nan)
    expected[first, 0], expected[second, 0], expected[third, 1] = 0.7, 0.2, 0.4
    np.testing.assert_array_equal(found.probability, expected)


def everything(prepared: Prepared) -> dict[str, list[Any]]:
    """A prediction of one half for each event and head."""
    ids, people = (prepared.source.events[name].tolist() for name in ("event_id", "person"))
    heads = [head for head in ("interaction", "lapse") for _ in ids]
    return {"event_id": 2 * ids, "person": 2 * people, "head": heads, "probability": [0.5] * len(heads)}


def test_another_horizon_is_of_no_matter_where_all_labels_agree(lake: Path, tmp_path: Path) -> None:
    prepared = prepared_with(lake, 30)  # answers come within 20 s
    write_oracle(tmp_path, everything(prepared))
    found = observable(prepared, tmp_path)
    assert found.notes == {}
    late = prepared.source.events["occurred_at"] + 30 * 60_000_000 > prepared.source.end_us
    assert np.isfinite(found.probability[prepared.dataset.known[:, 0], 0]).all()
    assert late.any()


def test_a_head_whose_labels_differ_is_left_out_with_what_to_do(lake: Path, tmp_path: Path) -> None:
    prepared = prepared_with(lake, 10)
    write_oracle(tmp_path, everything(prepared), horizon_min=0.1)
    found = observable(prepared, tmp_path)
    assert "labels differ: calmverse train --set horizon_min=0.1" in found.notes["interaction"]
    assert "0.1 min ahead" in found.notes["lapse"]
    assert np.isnan(found.probability).all()


def test_results_that_are_not_there_or_do_not_say_their_horizon_are_told(lake: Path, tmp_path: Path) -> None:
    prepared = prepared_with(lake, 10)
    assert "calmverse oracle --run" in observable(prepared, tmp_path).notes["lapse"]
    write_oracle(tmp_path, everything(prepared), horizon_min=None)
    assert "does not say" in observable(prepared, tmp_path).notes["interaction"]


def test_damaged_results_are_named(lake: Path, tmp_path: Path) -> None:
    prepared = prepared_with(lake, 10)
    write_oracle(tmp_path, everything(prepared))
    (tmp_path / "oracle" / "predictions.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadInput, match="calmverse oracle again"):
        observable(prepared, tmp_path)
