"""A recording from a run's lake: what was seen, and what the circle did, as if one had been there."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from numpy.typing import NDArray

from infra.contracts.errors import BadInput
from infra.contracts.frames import Frame
from infra.contracts.kinds import EventKind
from infra.storage.lake import LakeWriter
from simulation.core.model import Metaverse
from simulation.oracle import OracleConfig, record_run
from simulation.oracle.lake import scenario_of
from simulation.oracle.recording import influences, sample
from simulation.scenarios import load
from simulation.scenarios.model import Scenario
from tests.unit.simulation.oracle.conftest import unseen
from tests.unit.simulation.orders import offers_to_everyone

TICKS = 200
CONFIG = OracleConfig(people=12)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """A few people who will get offers."""
    return load("tiny", {"people": "40", "warmup_days": "0"})


@pytest.fixture(scope="module")
def lived(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[np.float64]]:
    """A run folder with offers to everybody every 45 minutes, and what the circles did to the sampled people."""
    run = tmp_path_factory.mktemp("run")
    (run / "scenario.yaml").write_text(yaml.safe_dump(scenario.model_dump(mode="json")))
    roots = {"events": run / "lake", "outcomes": run / "lake", "truth": run / "truth"}
    writers = {stream: LakeWriter(root, stream, 0) for stream, root in roots.items()}
    model, chosen = Metaverse(scenario), sample(scenario, CONFIG)
    around = np.zeros((TICKS, len(chosen), 2))
    for step in range(TICKS):
        if step % 45 == 44:
            model.apply(offers_to_everyone(model))
        influences(model.people, chosen, model.common, around[step])
        model.step()
        output = model.drain()
        for stream, writer in writers.items():
            batch: pa.RecordBatch = getattr(output, stream)
            if batch.num_rows:
                frame = Frame(stream=stream, tick=output.tick, source="test", batch=batch, frame_id=f"{step}")
                writer.append(frame, writer.next_offset())
    for writer in writers.values():
        writer.flush()
    return run, around


def test_what_circles_did_is_lived_again_from_the_offers_that_were_shown(
    scenario: Scenario, lived: tuple[Path, NDArray[np.float64]]
) -> None:
    run, around = lived
    recording = record_run(run, scenario_of(run), CONFIG, unseen)
    assert (recording.offers.practice > 0).sum() > 20
    persons = Metaverse(scenario).pseudonyms.encode(sample(scenario, CONFIG).astype(np.uint64)).tolist()
    for place, person in enumerate(persons):
        found = recording.around[person]
        assert np.array_equal(found, around[: len(found), place])
    assert any(np.isin(line.rows["kind"], [EventKind.OFFER_SHOWN]).any() for line in recording.lines)


def test_a_lake_that_the_scenario_does_not_give_is_refused(lived: tuple[Path, NDArray[np.float64]]) -> None:
    run, _ = lived
    other = scenario_of(run).model_copy(update={"checks": load("tiny", {"checks.attention_per_hour": "9"}).checks})
    changed = other.model_copy(update={"worlds": load("tiny", {"worlds": "{social: 1}"}).worlds})
    with pytest.raises(BadInput, match="not what its scenario"):
        record_run(run, changed, CONFIG, unseen)


def test_a_folder_that_is_no_run_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no scenario"):
        scenario_of(tmp_path)
    (tmp_path / "scenario.yaml").write_text("name: empty\npeople: 5\n")
    with pytest.raises(BadInput, match="has no events"):
        record_run(tmp_path, scenario_of(tmp_path), CONFIG, unseen)
