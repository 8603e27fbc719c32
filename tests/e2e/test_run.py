"""The main job on the real parts: broker, Ray, services as processes, a population, a report."""

import json
import signal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from infra.bus.apache.fetch import DEFAULT_CACHE
from infra.bus.recording import read_recording
from infra.contracts.digest import Digest
from infra.contracts.worlds import World
from load_tests.audit.auditing import audit
from models.policies.engine import DecisionEngine
from services.experiments.inprocess import Mind, run_closed, run_ticks
from services.experiments.learning import LearningPlan, load_model, open_scorer
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput
from simulation.scenarios import load
from tests.support.apache import CACHE, has_apache
from tests.support.command import alive, calmverse, eventually, family, last_json, live_with, started
from tests.support.faults import FAULTS, is_located, read, reordered

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("main-job")


@pytest.fixture(scope="module")
def summary(folder: Path) -> dict[str, Any]:
    done = calmverse("run", "tiny", "--seed", "7", "--record", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return last_json(done)


@pytest.fixture(scope="module")
def run_dir(folder: Path, summary: dict[str, Any]) -> Path:
    return folder / "runs" / str(summary["run_id"])


def test_every_event_is_scored_once_and_nothing_is_lost(summary: dict[str, Any]) -> None:
    assert summary["events_emitted"] > 5_000
    assert summary["events_scored"] == summary["events_archived"] == summary["events_emitted"]
    assert (summary["events_lost"], summary["events_duplicated"], summary["dead_letters"]) == (0, 0, 0)
    assert summary["scores_out_of_order"] == 0


def test_its_audit_is_clean_and_every_fault_made_in_its_topics_is_found(run_dir: Path, folder: Path) -> None:
    done = calmverse("audit", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    document = last_json(done)
    assert (document["basis"], document["clean"], document["findings"]) == ("recording and lake", True, [])
    records = list(read_recording(run_dir / "topics.parquet"))
    assert document["records"] == len(records)
    generator = np.random.default_rng(7)
    for fault in FAULTS:
        for at in generator.integers(len(records), size=6):
            faulty, evidence, own = fault(records, int(at))
            verdict = audit(evidence or read(faulty))
            assert is_located(verdict, own, slack=1 if fault is reordered else 0), (
                fault.__name__,
                own.topic,
                own.offset,
            )


def test_every_world_is_present_and_the_counts_add_up(summary: dict[str, Any]) -> None:
    assert set(summary["worlds"]) == {world.label for world in World if world is not World.NONE}
    assert min(summary["worlds"].values()) > 0
    assert sum(summary["decisions_by_action"].values()) == summary["decisions"] > 0
    offers = summary["decisions"] - summary["decisions_by_action"]["none"]
    refused = sum(summary["interventions_refused"].values())
    assert summary["interventions_applied"] + refused == offers > 0


def test_every_applied_order_leads_back_to_its_events(summary: dict[str, Any]) -> None:
    assert summary["trace"]["complete_fraction"] == 1.0
    assert summary["trace"]["dropped"] == 0


def test_the_summary_has_what_is_promised(summary: dict[str, Any], run_dir: Path) -> None:
    promised = (
        "run_id seed people ticks worlds events_emitted events_scored events_lost events_duplicated dead_letters "
        "decisions interventions_applied policy model effect latency_ms trace digest broker wall_s"
    )
    assert set(promised.split()) <= set(summary)
    heads = summary["model"]["heads"]
    assert set(heads) == {"interaction", "lapse"}
    for head in heads.values():
        wanted = {"auc", "log_loss", "base_log_loss", "logistic_log_loss", "latent_oracle_log_loss"}
        assert wanted <= set(head)
        assert head["latent_oracle_log_loss"] < head["base_log_loss"]
    assert {"metric", "difference", "ci_low", "ci_high", "twin"} <= set(summary["effect"])
    assert summary == json.loads((run_dir / "summary.json").read_text())


def test_a_run_leaves_a_folder_that_explains_it(run_dir: Path) -> None:
    there = {path.name for path in run_dir.iterdir()}
    assert {"summary.json", "report.html", "scenario.yaml", "environment.json", "lake", "spans", "truth"} <= there
    assert "live.json" not in there
    assert "truth" not in {path.name for path in (run_dir / "lake").iterdir()}
    page = (run_dir / "report.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page


def test_decisions_carry_propensities_and_spans_can_be_read_with_duckdb(run_dir: Path) -> None:
    decisions = pl.read_parquet(run_dir / "lake" / "decisions" / "**" / "*.parquet")
    assert decisions["propensity"].min() > 0  # type: ignore[operator]  # a column of floats
    assert decisions["propensity"].max() <= 1  # type: ignore[operator]  # the same
    assert decisions.filter(pl.col("available") == 0)["action"].sum() == 0
    spans = run_dir / "spans" / "spans.parquet"
    assert duckdb.read_parquet(str(spans)).aggregate("count(distinct service) as services").fetchall()[0][0] >= 5


SHORT = "0.06"
"""Days of a run on three nodes that share two cores with everything else."""
CLUSTER = ("--broker", "apache", "--nodes", "3")


def test_kills_of_every_service_and_of_a_broker_node_change_nothing(folder: Path, run_dir: Path) -> None:
    broker, kills = (CLUSTER, 5) if has_apache() else ((), 4)
    CACHE.mkdir(exist_ok=True)
    (folder / DEFAULT_CACHE).symlink_to(CACHE)  # Kafka's jars are fetched once for all tests
    model = str(run_dir / "model")
    options = ("--seed", "7", "--model", model, "--set", f"days={SHORT}", "--kills", str(kills), "--json")
    again = last_json(calmverse("run", "tiny", *broker, *options, cwd=folder))
    victims = [kill["victim"] for kill in again["kills"]]
    assert sorted(victims) == sorted({"monitor", "interventions", "archiver", "gateway", "broker node"} & set(victims))
    assert len(victims) == kills
    assert all(0 < kill["back_s"] < 170 for kill in again["kills"])
    assert (again["events_lost"], again["events_duplicated"], again["dead_letters"]) == (0, 0, 0)
    assert again["interventions_applied"] > 0
    assert (again["interventions_applied"], again["digest"]) == in_process(run_dir, 7, SHORT)
    page = (folder / "runs" / again["run_id"] / "report.html").read_text()
    assert all(victim in page.partition("What was killed")[2] for victim in victims)


def in_process(run_dir: Path, seed: int, days: str = "0.25") -> tuple[int, str]:
    """The same loop with the run's model and no Kafka: practices applied, and the digest."""
    scenario = load("tiny", {"days": days})
    plan = LearningPlan.of_scenario(scenario.policy, scenario.training, seed)
    trained = load_model(run_dir / "model")
    scorer, population, digest = open_scorer(trained), Metaverse(scenario, seed), Digest()

    def warm(output: TickOutput) -> None:
        scorer.ingest(output.events)
        digest.add_events(output.events)

    run_ticks(population, scenario.warmup_ticks, warm)
    mind = Mind(engine=DecisionEngine(plan.policy, plan.rules, seed), scorer=scorer, model_version=trained.version)
    applied = run_closed(population, mind, scenario.ticks, digest)
    return applied, digest.hexdigest()


def test_the_loop_over_kafka_and_the_loop_in_process_end_in_one_digest(run_dir: Path, summary: dict[str, Any]) -> None:
    assert in_process(run_dir, 7) == (summary["interventions_applied"], summary["digest"])


def test_another_seed_gives_another_digest(run_dir: Path, summary: dict[str, Any]) -> None:
    applied, digest = in_process(run_dir, 8)
    assert applied > 0
    assert digest != summary["digest"]


def test_ctrl_c_leaves_a_valid_partial_run_and_no_process(folder: Path, run_dir: Path) -> None:
    arguments = ("run", "tiny", "--seed", "7", "--set", "days=2", "--model", str(run_dir / "model"), "--json")
    process = started(*arguments, "--runs", "partial", cwd=folder)
    eventually(lambda: live_with(folder / "partial", "decisions"), process)
    everyone = family(process)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 130, stderr
    document = json.loads(stdout.strip().splitlines()[-1])
    assert document["partial"] is True
    assert 0 < document["ticks"] < document["ticks_planned"]
    assert document["events_lost"] == document["events_duplicated"] == 0
    assert (folder / "partial" / "latest" / "report.html").is_file()
    assert alive(everyone) == []


def test_a_broker_that_dies_is_one_error_and_no_process_is_left(folder: Path, run_dir: Path) -> None:
    arguments = ("run", "tiny", "--seed", "7", "--set", "days=2", "--model", str(run_dir / "model"))
    process = started(*arguments, "--runs", "broken", cwd=folder)
    live = eventually(lambda: live_with(folder / "broken", "decisions"), process)
    everyone = family(process)
    [broker] = [each for each in everyone if each.pid == live["pids"]["broker"]]
    broker.kill()
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 3, stderr
    errors = [line for line in stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert live["bootstrap"] in errors[0]
    assert alive(everyone) == []
