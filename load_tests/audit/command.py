"""What `calmverse audit` does: finds the evidence of a run, audits it, tells what was found."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.bus.recording import (
    Commits,
    Recorded,
    read_commits,
    read_recording,
    read_topics,
    recorded_commits,
    write_recording,
)
from infra.console import say
from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.contracts.topics import Topics
from infra.runs import RunDir, find
from infra.tail import Target, target_of_run
from load_tests.audit.auditing import Verdict, audit
from load_tests.audit.evidence import Evidence
from load_tests.audit.from_lake import lake_rows
from load_tests.audit.from_records import read_evidence, with_commits

SHOWN = 20
"""Findings printed; all are in the JSON."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AuditRequest:
    """What to audit: a run (an id, a path, or `latest`), its topics while it is live, or those of a broker."""

    runs: Path = Path("runs")
    run: str = "latest"
    live: bool = False
    target: Target | None = None
    recording: Path | None = None
    """Where to keep a recording of the topics that were read from a broker."""


def run_audit(request: AuditRequest) -> dict[str, Any]:
    """Audit, say what was found, and return it as JSON has it. Raises BadInput and EnvironmentFailed."""
    namespace, evidence, basis = _gather(request)
    verdict = audit(evidence)
    _tell(verdict, namespace, basis)
    return {"namespace": namespace, "basis": basis, "running": evidence.running, **verdict.as_document(namespace)}


def _gather(request: AuditRequest) -> tuple[str, Evidence, str]:
    """Namespace, evidence, and what it was taken from."""
    if request.target is not None:
        return request.target.namespace, _from_broker(request.target, request.recording), "topics"
    if request.live:
        target = target_of_run(request.runs, request.run)
        return target.namespace, _from_broker(target, request.recording), "topics"
    folder = find(request.runs, request.run)
    if (folder.path / "live.json").exists():
        raise EnvironmentFailed(f"run {folder.run_id} is at work: audit it with --live, or when it has ended")
    return folder.run_id, *_from_run(folder)


def _from_broker(target: Target, recording: Path | None) -> Evidence:
    topics, committed = Topics(target.namespace).all(), target.committed_only
    commits = read_commits(target.bootstrap, target.namespace) if committed else Commits()
    records: Iterator[Recorded] = read_topics(target.bootstrap, topics, committed=committed)
    if recording is not None:
        say(f"{write_recording(recording, records, commits):,} records recorded in {recording}")
        records = read_recording(recording)
    return dataclasses.replace(with_commits(read_evidence(records), commits), running=True)


def _from_run(folder: RunDir) -> tuple[Evidence, str]:
    """From the run's recording, compared with its lake; from the lake alone where none was kept."""
    archived = lake_rows(folder.lake)
    summary = _summary(folder)
    broken_off = bool(summary.get("partial", True))
    if not folder.recording.exists():
        return Evidence(rows=archived, archived={}, running=broken_off), "lake"
    evidence = with_commits(read_evidence(read_recording(folder.recording)), recorded_commits(folder.recording))
    return dataclasses.replace(evidence, archived=archived, running=broken_off), "recording and lake"


def _summary(folder: RunDir) -> dict[str, Any]:
    path = folder.path / "summary.json"
    try:
        document = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as problem:
        raise BadInput(f"{path} cannot be read ({problem}): is it the file of a run?") from problem
    return document if isinstance(document, dict) else {}


def _tell(verdict: Verdict, namespace: str, basis: str) -> None:
    counts = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in verdict.counts.items())
    say(f"{namespace}, from its {basis}: {counts}")
    if basis == "lake":
        say("no recording was kept (`calmverse run --record`): frames, tick-ends and lineage are not audited")
    for found in verdict.findings[:SHOWN]:
        where = f"calm.{namespace}.{found.stream}[{found.partition}]@{found.offset}"
        say(f"{'note' if found.harmless else 'FAULT'}  {found.rule}: {where}, {found.service}: {found.detail}")
    if len(verdict.findings) > SHOWN:
        say(f"… and {len(verdict.findings) - SHOWN} more: see --json")
    say("clean: nothing lost, doubled or out of order" if verdict.clean else "NOT clean")
