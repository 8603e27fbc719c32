"""`generate`: a population straight into a lake, the same events as everywhere, for training to read."""

import json
import signal
from pathlib import Path

import pytest

from infra.storage import lake
from services.experiments.audit import digest_of
from services.experiments.generation import FLUSH_TICKS, GenerationRequest, generate
from simulation.scenarios import load
from simulation.shards.shard import DigestOutlet, ShardPlan, merged
from simulation.shards.together import run_together
from tests.support.command import calmverse, eventually, last_json, started

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
SCENARIO = load("tiny", {"days": "0.2", "start": "2026-03-02T06:00:00Z"})
TICKS = SCENARIO.warmup_ticks + SCENARIO.ticks


def test_the_lake_holds_the_events_of_the_population_each_once(tmp_path: Path) -> None:
    done = generate(GenerationRequest(scenario=SCENARIO, seed=5, runs=tmp_path, command="a test"))
    plan = ShardPlan(scenario=SCENARIO, seed=5, shards=2, outlet=DigestOutlet)
    where = tmp_path / "latest" / "lake"
    assert done["ticks"] == TICKS > FLUSH_TICKS  # more than one file a partition
    assert done["digest"] == digest_of(where) == merged(run_together(plan, TICKS)).hexdigest()
    assert done["events_emitted"] == lake.count(where, "events") == sum(done["worlds"].values()) > 1_000
    assert done["outcomes_emitted"] == lake.count(where, "outcomes") > 0
    assert lake.count(tmp_path / "latest" / "truth", "truth") > 0
    assert not (where / "truth").exists()  # what hides in people is no part of what is trained on
    assert json.loads((tmp_path / "latest" / "summary.json").read_text()) == json.loads(json.dumps(done))


def test_training_takes_the_run(tmp_path: Path) -> None:
    assert calmverse("generate", "tiny", "--seed", "4", cwd=tmp_path).returncode == 0
    trained = calmverse(
        *("train", "--run", "latest", "--out", "model", "--workers", "0", "--json"),
        *("--set", "epochs=1", "--set", "d_model=16", "--set", "layers=1", "--set", "horizon_min=10"),
        cwd=tmp_path,
    )
    assert trained.returncode == 0, trained.stderr
    assert set(last_json(trained)["heads"]) == {"interaction", "lapse"}


def test_ctrl_c_leaves_a_lake_that_is_whole_so_far(tmp_path: Path) -> None:
    with started("generate", "demo", "--json", "--set", "people=500", "--set", "days=90", cwd=tmp_path) as process:
        eventually(lambda: next(tmp_path.glob("runs/latest/lake/events/*/*.parquet"), None), process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    told = json.loads(out.splitlines()[-1])
    assert told["partial"]
    assert FLUSH_TICKS <= told["ticks"] < told["ticks_planned"]
    assert told["digest"] == digest_of(tmp_path / "runs" / "latest" / "lake")
