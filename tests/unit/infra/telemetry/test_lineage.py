"""A command's lineage is complete exactly when walking back over parents and links reaches its events."""

from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.trace import SpanContext, SpanKind

from infra.telemetry.lineage import broken_lineages, complete_fraction
from infra.telemetry.spans import read_spans
from tests.unit.infra.telemetry.builders import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def fraction(run: Run, directory: Path, applied: int | None = None) -> float | None:
    run.telemetry.close()
    return complete_fraction(read_spans(directory), applied)


def test_a_whole_loop_is_complete(run: Run, tmp_path: Path) -> None:
    run.loop()
    assert fraction(run, tmp_path) == 1.0


def without_link_to_events(run: Run) -> SpanContext:
    run.events()
    return run.derive("scores", "interventions", run.derive("events", "scores", None, 3), 6)


def without_link_to_scores(run: Run) -> SpanContext:
    run.derive("events", "scores", run.events(), 3)
    return run.derive("scores", "interventions", None, 6)


def with_a_link_to_a_span_never_written(run: Run) -> SpanContext:
    run.derive("events", "scores", run.events(), 3)
    lost = SpanContext(trace_id=1, span_id=2, is_remote=True)
    return run.derive("scores", "interventions", lost, 6)


def without_any_cause(run: Run) -> None:
    run.derive("scores", "interventions", run.derive("events", "scores", run.events(), 3), 6)


def with_events_read_but_never_sent(run: Run) -> SpanContext:
    not_a_producer = run.span("send events", 0, kind=SpanKind.INTERNAL)
    return run.derive("scores", "interventions", run.derive("events", "scores", not_a_producer, 3), 6)


@pytest.mark.parametrize(
    "command",
    [
        without_link_to_events,
        without_link_to_scores,
        with_a_link_to_a_span_never_written,
        without_any_cause,
        with_events_read_but_never_sent,
    ],
)
def test_a_chain_broken_anywhere_is_incomplete(
    run: Run, tmp_path: Path, command: Callable[[Run], SpanContext | None]
) -> None:
    run.loop()
    run.apply(command(run))
    assert fraction(run, tmp_path) == 0.5
    broken = broken_lineages(read_spans(tmp_path))
    assert broken.height == 1
    assert "step tick" in broken["reaches"].to_list()[0]


def test_events_that_come_from_a_command_do_not_complete_it(run: Run, tmp_path: Path) -> None:
    """Only causes count: the events that an applied command leads to are its effects."""
    applied = run.apply(None)
    run.span("send events", 10, kind=SpanKind.PRODUCER, parent=applied)
    assert fraction(run, tmp_path) == 0.0


def test_one_complete_cause_among_several_is_enough(run: Run, tmp_path: Path) -> None:
    whole = run.derive("scores", "interventions", run.derive("events", "scores", run.events(), 3), 6)
    torn = run.derive("scores", "interventions", None, 6)
    step = run.span("step tick", 9)
    run.span("apply command", 9, parent=step, links=(torn, whole))
    assert fraction(run, tmp_path) == 1.0


def test_an_applied_command_without_a_span_is_incomplete(run: Run, tmp_path: Path) -> None:
    run.loop()
    assert fraction(run, tmp_path, applied=4) == 0.25


def test_no_applied_command_has_no_fraction(run: Run, tmp_path: Path) -> None:
    run.events()
    assert fraction(run, tmp_path) is None


def test_cyclic_links_end(run: Run, tmp_path: Path) -> None:
    """Links can be made to any context, also to one that has not ended: the walk must still end."""
    tracer = run.tracer
    first, second = tracer.start_span("apply command"), tracer.start_span("b")
    first.add_link(second.get_span_context())
    second.add_link(first.get_span_context())
    first.end()
    second.end()
    assert fraction(run, tmp_path) == 0.0
