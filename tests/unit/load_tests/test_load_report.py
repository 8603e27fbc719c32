"""The page of a load test holds the verdict of its limits, and draws what happened second by second."""

from pathlib import Path
from typing import Any

import pytest

from infra.pages import Outcome, render_page
from load_tests.report import build_loadtest_page, loadtest_page
from tests.unit.load_tests.load_result import load_result


def test_a_held_limit_is_good_news(tmp_path: Path) -> None:
    html = build_loadtest_page(load_result(held=True), tmp_path / "report.html").read_text(encoding="utf-8")
    assert "At 19,980 events a second, 99 in 100 events took less than 61 ms; it held its limit." in html
    assert "it was over its limit in 0 of 60 seconds" in html


def test_a_missed_limit_is_bad_news_and_drawn() -> None:
    page = loadtest_page(load_result(held=False))
    assert page.verdict.outcome is Outcome.BAD
    assert page.verdict.sentence.endswith("p99 was 402 ms, over its limit of 250 ms.")
    html = render_page(page)
    assert "limit of p99, 250 ms" in html
    assert "it was over its limit in 8 of 60 seconds" in html


def test_a_limit_that_is_no_latency_has_its_own_unit() -> None:
    lost = {"name": "lost", "limit": 0.0, "value": 12.0, "unit": "events", "ok": False}
    page = loadtest_page(load_result(held=True) | {"slo": [lost]})
    assert "lost was 12 events, over its limit of 0 events" in page.verdict.sentence.replace("12.0", "12")


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"slo": []}, "No limit set"),
        ({"slo": [{"name": "p99", "limit": 1.0, "value": None, "ok": None}]}, "Undecided"),
        ({"partial": True}, "Undecided"),
    ],
)
def test_without_a_checked_limit_nothing_is_promised(changes: dict[str, Any], label: str) -> None:
    verdict = loadtest_page(load_result(held=True) | changes).verdict
    assert (verdict.outcome, verdict.label) == (Outcome.UNKNOWN, label)


def test_a_load_that_was_not_reached_fails_its_check() -> None:
    page = loadtest_page(load_result(held=True) | {"achieved_rate": 15_000.0})
    check = next(check for check in page.health if check.name == "Asked rate reached")
    assert check.ok is False
    assert check.text == "75.0% of it; at least 99% must be"


def test_events_that_did_not_come_out_fail_their_check() -> None:
    page = loadtest_page(load_result(held=True) | {"events_received": 1_199_999})
    assert next(check for check in page.health if check.name == "Every event came out").ok is False


def test_a_load_that_never_began_has_a_page() -> None:
    nothing: dict[str, Any] = {
        "rate": 100,
        "seconds": 5,
        "events_sent": 0,
        "achieved_rate": None,
        "latency_ms": {"p50": None, "p95": None, "p99": None, "max": None},
        "slo": [],
        "series": [],
        "failure": "the broker did not start",
    }
    html = render_page(loadtest_page(nothing))
    assert "the broker did not start" in html
    assert "No figures by second were kept." in html


def test_seconds_without_an_event_are_gaps() -> None:
    result = load_result(held=True)
    result["series"][5] |= {"p50": None, "p95": None, "p99": None, "lag": None}
    assert "NaN" not in render_page(loadtest_page(result))
