"""The population alone into Kafka: nothing lost or doubled over many rotated topics, one digest, and a clean stop."""

import json
import signal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from infra.bus.admin import list_topics
from infra.bus.apache.control import disk_use
from infra.bus.brokers import BrokerOptions, open_broker
from infra.hosting.ray_session import ray_session
from services.experiments.population_run import PopulationRequest, clean, run_population
from services.experiments.stack import StackOptions
from simulation.scenarios import load
from simulation.shards.shard import DigestOutlet, ShardPlan, merged
from simulation.shards.together import run_together
from tests.support.apache import CACHE, require_apache
from tests.support.command import calmverse, started

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(600),
    # Ray leaves sockets and files to the garbage collector, and warns of its own plans.
    pytest.mark.filterwarnings("ignore"),
]
CHANGES = {"people": "3000", "days": str(1 / 24), "start": "2026-03-02T09:00:00Z"}


def run_hour(tmp_path: Path, stack: StackOptions, **sizes: int) -> dict[str, Any]:
    """An hour of three thousand people."""
    request = PopulationRequest(
        scenario=load("million", CHANGES), seed=5, runs=tmp_path, command="a test", stack=stack, **sizes
    )
    return run_population(request)


def test_an_hour_over_ten_topics_arrives_whole_and_the_topics_are_gone(tmp_path: Path) -> None:
    with open_broker() as broker, ray_session(3):
        done = run_hour(
            tmp_path, StackOptions(broker=BrokerOptions(kind="external", bootstrap=broker.bootstrap)), rotate_every=6
        )
        left = list_topics(broker.bootstrap)
    assert clean(done)
    assert done["topics_rotated"] == 10
    assert len(left) <= 3 * 3
    assert done["events_emitted"] == done["events_read"] == sum(done["worlds"].values()) > 5_000
    assert done["tick_ends_read"] == 60 * 3 * 4
    assert done["ticks"] == 60
    assert not done["partial"]
    plan = ShardPlan(scenario=load("million", CHANGES), seed=5, shards=1, outlet=DigestOutlet)
    assert done["digest"] == merged(run_together(plan, 60)).hexdigest()
    assert json.loads((tmp_path / "latest" / "summary.json").read_text()) == json.loads(json.dumps(done))
    series = pl.read_parquet(tmp_path / "latest" / "series.parquet")
    assert series["events"].sum() == done["events_emitted"]
    report = (tmp_path / "latest" / "report.html").read_text()
    assert f"{done['events_read']:,} were read back: each once, none lost" in report


def test_apache_kafka_keeps_every_topic_on_disk(tmp_path: Path) -> None:
    require_apache()
    with ray_session(3):
        done = run_hour(tmp_path, StackOptions(broker=BrokerOptions(kind="apache", cache=CACHE)), rotate_every=20)
    assert clean(done)
    assert done["topics_kept"]
    assert done["broker_disk_bytes"] > done["bytes"] > 0
    kept = list((tmp_path / "latest" / "broker").rglob("calm.*.events-0"))
    assert len(kept) == done["topics_rotated"] == 3
    assert all(disk_use(partition.glob("*.log")) > 0 for partition in kept)


def test_the_command_tells_the_same_and_takes_no_model(tmp_path: Path) -> None:
    refused = calmverse("run", "tiny", "--no-services", "--policy", "random", cwd=tmp_path)
    assert refused.returncode == 2
    assert "leave out --model, --policy, --otlp, --record and --kills" in refused.stderr
    done = calmverse("run", "tiny", "--no-services", "--set", "days=0.05", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["people"] == 200
    assert told["events_lost"] == told["events_duplicated"] == 0
    assert told["ticks"] == 72 + 360
    assert "report: runs/" in done.stderr.replace("\n", "")


def test_ctrl_c_leaves_a_partial_run_that_adds_up(tmp_path: Path) -> None:
    with started("run", "million", "--no-services", "--json", "--set", "people=20000", cwd=tmp_path) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("start "):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    told = json.loads(out.splitlines()[-1])
    assert told["partial"]
    assert told["events_lost"] == told["events_duplicated"] == 0
    assert told["ticks"] < 1440
    assert "A partial run" in (tmp_path / "runs" / "latest" / "report.html").read_text()
