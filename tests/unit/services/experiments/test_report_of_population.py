"""The page of a run of the population alone says what arrived, how people fared, and what it took."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.contracts.errors import BadInput
from infra.pages import Outcome, render_page
from services.experiments.pages_facts import RunFacts
from services.experiments.pages_population import build_population_report, population_page
from tests.unit.services.experiments.run_folder import series


def summary() -> dict[str, Any]:
    """A whole run of the population alone, as `summary.json` has it."""
    rows = {"events": 161_957_986, "outcomes": 21_000_000, "truth": 60_000_000}
    practice = {"offered": 0, "taken_up": 0, "completed": 300, "broken_off": 100}
    return {
        "run_id": "million-7-20261114-092104-a3f1",
        "command": "calmverse run million --no-services",
        "scenario": "million",
        "seed": 7,
        "people": 1_000_000,
        "ticks": 1440,
        "ticks_planned": 1440,
        "services": False,
        "partial": False,
        "shards": 2,
        "broker": {"kind": "embedded", "version": "0.6.0"},
        "topics_rotated": 48,
        "ticks_a_topic": 30,
        "wall_s": 325.2,
        "phases_s": {"start": 8.1, "run": 315.0, "count": 2.1},
        "agent_steps_per_s": 4_571_428,
        "bytes_per_person": 504.4,
        "peak_memory_bytes": 2_700_000_000,
        "peak_broker_memory_bytes": 900_000_000,
        "worlds": {"social": 31_000_000, "learning": 30_000_000, "work": 55_957_986, "gaming": 30_000_000}
        | {"medical": 15_000_000},
        "events_emitted": rows["events"],
        "events_read": rows["events"],
        "events_lost": 0,
        "events_duplicated": 0,
        "rows_emitted": rows,
        "rows_read": dict(rows),
        "rows_lost": 0,
        "same_ids_at_both_ends": True,
        "tick_ends_read": 17_280,
        "tick_ends_that_disagree": 0,
        "unreadable_frames": 0,
        "frames": 17_000,
        "bytes": 40_000_000_000,
        "digest": "b326f76ea07f68cf9152dd69bff4393c",
        "practices": {"breathing": practice, "focus training": dict(practice)},
    }


def facts(**changes: object) -> RunFacts:
    return RunFacts(summary() | changes)


def text_of(run: RunFacts) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", render_page(population_page(run))))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run")
    (folder / "summary.json").write_text(json.dumps(summary()))
    series(1440).filter(arm="run").write_parquet(folder / "series.parquet")
    return build_population_report(folder).read_text(encoding="utf-8")


def test_a_whole_run_says_that_everything_arrived_once(whole: str) -> None:
    assert "1,000,000 people wrote 161,957,986 events into Kafka, and 161,957,986 were read back" in whole
    assert "each once, none lost" in whole


def test_the_page_has_all_its_sections_and_opens_without_a_network(whole: str) -> None:
    assert re.findall(r"<h2[^>]*>([^<]+)</h2>", whole) == [
        "How people fared",
        "Practice and offers",
        "What it took",
        "Health checks",
        "Reproduce it",
    ]
    assert whole.count("<svg") == 2 * 2 * 5
    assert not re.findall(r"<script|(?:src|href)=\"http", whole)


def test_the_page_says_what_it_took_and_how_to_get_it_again(whole: str) -> None:
    for text in ("5 min 25 s", "2,700", "900", "504", "48", "each 30 minutes", "17,280 tick-ends", "4,571,428"):
        assert text in whole
    tail = whole[whole.index('id="reproduce"') :]
    assert "calmverse run million --no-services" in tail
    assert summary()["digest"] in tail


def test_practices_stand_by_kind_with_the_share_that_was_broken_off(whole: str) -> None:
    assert "people practised unasked. 800 practices ended, of which 25.0% were broken off early." in whole
    offered = {"offered": 50, "taken_up": 10, "completed": 8, "broken_off": 2}
    assert "Of 50 offers 20.0% were taken up" in text_of(facts(practices={"breathing": offered}))
    assert "Nobody practised, and nothing was offered." in text_of(facts(practices={}))


def test_the_chart_of_states_says_where_they_are_highest(whole: str) -> None:
    assert re.search(r"Over the run the highest mean is that of focus in \w+ \(0\.\d{3}\), of stress in \w+ \(", whole)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rows_lost": 12}, "rows lost: 12 of all streams"),
        ({"events_duplicated": 3}, "events read twice: 3 of 161,957,986"),
        ({"same_ids_at_both_ends": False}, "same ids at both ends: other rows arrived than were sent"),
        ({"tick_ends_that_disagree": 2}, "wrong tick-ends: 2 of 17,280"),
        ({"unreadable_frames": 1}, "unreadable frames: 1 beside 17,000"),
    ],
)
def test_what_did_not_arrive_is_the_verdict(changes: dict[str, Any], told: str) -> None:
    verdict = population_page(facts(**changes)).verdict
    assert verdict.outcome is Outcome.BAD
    assert told in verdict.sentence
    assert "none lost" not in verdict.sentence


def test_missing_rows_show_by_stream() -> None:
    page = population_page(facts(rows_read={"events": 161_957_980, "outcomes": 21_000_000}))
    assert page.table is not None
    assert [row[-1] for row in page.table.rows] == [6, 0, 60_000_000]


def test_a_run_that_was_stopped_is_partial() -> None:
    page = population_page(facts(ticks=700, partial=True))
    assert page.verdict.outcome is Outcome.UNKNOWN
    assert "stopped after 700 of 1,440 ticks" in page.notices[0]


def test_a_run_without_its_course_has_a_page_too(tmp_path: Path) -> None:
    assert "The course of the run was not kept." in text_of(facts())
    with pytest.raises(BadInput, match=r"no summary\.json"):
        build_population_report(tmp_path)
