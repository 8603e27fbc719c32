"""Latency by hop, and the way that held a command up."""

from pathlib import Path

import pytest

from infra.telemetry.hops import latency_by_hop, slowest_chains
from infra.telemetry.spans import read_spans
from tests.unit.infra.telemetry.builders import STEP, Run

STEP_MS = STEP / 1e6


def test_hops_are_work_and_transit_in_the_order_they_happen(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.loop()
    run.telemetry.close()
    hops = latency_by_hop(read_spans(tmp_path))
    assert hops["hop"].to_list()[0] == "send events (test)"
    transit = hops.filter(hops["kind"] == "transit")
    assert transit["hop"].to_list() == [
        "send events → process events",
        "send scores → process scores",
        "send interventions → apply command",
    ]
    assert transit["p50_ms"].to_list() == [2 * STEP_MS] * 3
    work = hops.filter(hops["hop"] == "process scores (test)").row(0, named=True)
    assert (work["count"], work["p99_ms"], work["max_ms"]) == (1, STEP_MS, STEP_MS)


def test_quantiles_are_latencies_that_were_seen(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for wait in range(1, 101):
        run.span("process events", wait, links=(run.events(),))
    run.telemetry.close()
    hops = latency_by_hop(read_spans(tmp_path))
    transit = hops.filter(hops["kind"] == "transit").row(0, named=True)
    assert transit["max_ms"] == pytest.approx(99 * STEP_MS)
    assert transit["p95_ms"] == pytest.approx(94 * STEP_MS)
    assert transit["p50_ms"] in (pytest.approx(49 * STEP_MS), pytest.approx(50 * STEP_MS))


def test_the_slowest_chain_comes_first_with_its_steps(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.loop()
    scores = run.derive("events", "scores", run.events(100), 103)
    slow = run.apply(run.derive("scores", "interventions", scores, 106), 150)
    run.telemetry.close()
    chains = slowest_chains(read_spans(tmp_path))
    assert [chain.total_ms for chain in chains] == [51 * STEP_MS, 10 * STEP_MS]
    assert chains[0].span_id == f"{slow.span_id:016x}"
    assert [step.name for step in chains[0].steps] == [
        "send events",
        "process events",
        "send scores",
        "process scores",
        "send interventions",
        "apply command",
    ]
    assert [step.start_ms for step in chains[0].steps] == [
        0,
        3 * STEP_MS,
        3 * STEP_MS,
        6 * STEP_MS,
        6 * STEP_MS,
        50 * STEP_MS,
    ]


def test_a_span_that_waited_for_several_is_held_up_by_the_last(tmp_path: Path) -> None:
    run = Run(tmp_path)
    early, late = run.events(0), run.events(4)
    process = run.span("process events", 6, links=(early, late))
    run.apply(run.span("send interventions", 6, parent=process), 7)
    run.telemetry.close()
    (chain,) = slowest_chains(read_spans(tmp_path))
    assert chain.total_ms == 4 * STEP_MS


def test_only_so_many_chains_are_returned_and_broken_ones_are_left_out(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for start in range(0, 50, 10):
        run.loop(start)
    run.apply(None)
    run.telemetry.close()
    spans = read_spans(tmp_path)
    assert len(slowest_chains(spans, limit=3)) == 3
    assert len(slowest_chains(spans)) == 5


def test_the_commands_of_one_tick_are_one_chain_the_slowest(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.loop(30)
    sent = run.derive("scores", "interventions", run.derive("events", "scores", run.events(0), 3), 6)
    for end in (8, 12, 10):
        run.apply(sent, end)
    run.telemetry.close()
    chains = slowest_chains(read_spans(tmp_path))
    assert len(chains) == 2
    assert chains[0].total_ms == 13 * STEP_MS


def test_no_spans_give_no_hops_and_no_chains(tmp_path: Path) -> None:
    spans = read_spans(tmp_path)
    assert latency_by_hop(spans).height == 0
    assert slowest_chains(spans) == []
