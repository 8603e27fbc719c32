"""The report of a run says what the run found, what it did not, and never more."""

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from infra.contracts.errors import BadInput
from infra.pages import Outcome, Picture, charts, render_page
from infra.pages.charts import bar_charts, calibration, intervals, latency, lines
from services.experiments.pages_facts import RunFacts, read_run
from services.experiments.pages_latency import own_time
from services.experiments.pages_model import share_of_gap, wilson
from services.experiments.pages_verdict import checks, verdict
from services.experiments.report import build_report, report_page
from tests.unit.services.experiments.run_folder import partial_summary, summary, write_run


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> str:
    run = write_run(tmp_path_factory.mktemp("runs") / "whole", summary())
    return build_report(run).read_text(encoding="utf-8")


def facts(**changes: object) -> RunFacts:
    return RunFacts(summary() | changes)


def effect(difference: float, low: float, high: float, metric: str = "focus_minutes") -> dict[str, Any]:
    return {"effect": {"metric": metric, "difference": difference, "ci_low": low, "ci_high": high}}


def test_a_good_run_says_what_the_policy_added_with_its_interval(whole_run: str) -> None:
    sentence = "The threshold policy added 3.1 focus minutes a person and day [1.2, 5.0]; nothing was lost"
    assert sentence in whole_run
    assert "Better than without offers" in whole_run


def test_a_whole_run_fills_every_section(whole_run: str) -> None:
    headings = re.findall(r"<h2[^>]*>([^<]+)</h2>", whole_run)
    assert headings == [
        "What the offers changed",
        "What happened",
        "What was decided",
        "How good the model is",
        "Where the time goes",
        "Health checks",
        "Reproduce it",
    ]
    assert not re.findall(r"were not counted|No spans were kept|No model was trained", whole_run)


def test_a_report_names_command_seed_digest_and_versions(whole_run: str) -> None:
    tail = whole_run[whole_run.index('id="reproduce"') :]
    for text in ("calmverse run demo --seed 7", summary()["digest"], "2.60.0", "threshold(level=0.4)"):
        assert text in tail


def test_captions_are_computed_from_the_data(whole_run: str) -> None:
    assert "It is higher with offers in 5 of 5 worlds; the largest change is +0.0" in whole_run
    assert "8.1% of the decisions are an offer." in whole_run
    assert "86% of the way from the base rate to the best possible" in whole_run
    assert "most time passes in forward (serve): 1.1 s of 1.3 s" in whole_run


def test_a_measure_that_got_worse_is_said_to_be_worse(whole_run: str) -> None:
    assert "worse: answers" in whole_run


def test_an_interval_with_zero_in_it_is_no_effect() -> None:
    found = verdict(facts(**effect(0.3, -1.0, 1.6)))
    assert found.outcome is Outcome.UNKNOWN
    assert "changed focus minutes by 0.3 [−1.0, 1.6]" in found.sentence
    assert "not told from no change" in found.sentence


def test_a_policy_that_harms_is_bad_news() -> None:
    found = verdict(facts(**effect(-3.1, -5.0, -1.2)))
    assert found.outcome is Outcome.BAD
    assert "took away 3.1 focus minutes a person and day [1.2, 5.0]" in found.sentence


def test_less_of_what_is_better_low_is_good_news() -> None:
    found = verdict(facts(**effect(-0.02, -0.03, -0.01, "lapse_rate")))
    assert found.outcome is Outcome.OK
    assert "lowered lapse rate by 0.020 [0.010, 0.030] (share)" in found.sentence


@pytest.mark.parametrize(
    "broken",
    [
        {"events_lost": 12},
        {"events_duplicated": 1},
        {"dead_letters": 3},
        {"trace": {"spans": 10, "dropped": 2, "complete_fraction": 1.0}},
        {"trace": {"spans": 10, "dropped": 0, "complete_fraction": 0.98}},
        {"worlds": {"social": 10, "work": 0}},
    ],
    ids=lambda broken: next(iter(broken)),
)
def test_no_effect_makes_up_for_a_run_that_is_not_sound(broken: dict[str, Any]) -> None:
    found = verdict(facts(**broken))
    assert found.outcome is Outcome.BAD
    assert found.label == "The run is not sound"
    assert sum(check.ok is False for check in checks(facts(**broken))) == 1


def test_a_restarted_service_is_told_but_breaks_nothing() -> None:
    restarted = facts(restarts={"monitor": 2})
    assert verdict(restarted).outcome is Outcome.OK
    assert next(c for c in checks(restarted) if c.name == "Services restarted").text == "monitor 2 times"


def test_a_run_that_was_stopped_has_a_page_that_says_so(tmp_path: Path) -> None:
    html = build_report(write_run(tmp_path / "run", partial_summary(), ticks=812)).read_text(encoding="utf-8")
    assert "This run is partial: stopped after 812 of 1,440 ticks" in html
    assert "A partial run" in html
    assert "Decisions were not counted" in html


def test_a_page_needs_no_more_than_a_summary(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(json.dumps({"run_id": "x"}))
    html = build_report(tmp_path).read_text(encoding="utf-8")
    assert "Not measured" in html
    assert not [check for check in checks(read_run(tmp_path)) if check.ok is not None]


@pytest.mark.parametrize("key", sorted(summary()))
@pytest.mark.parametrize("value", ["absent", None, float("nan")], ids=str)
def test_any_part_of_a_summary_may_be_missing(key: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    # Drawing is not what can fail here, and it takes time.
    for module in (bar_charts, calibration, intervals, latency, lines):
        monkeypatch.setattr(module, "pictures", lambda *_, **__: Picture("<svg />", "<svg />"))
    document = summary() | {key: value}
    if value == "absent":
        del document[key]
    page = report_page(RunFacts(json.loads(json.dumps(document))))
    assert page.verdict.sentence.endswith(".")
    assert len(page.health) >= 7
    assert "NaN" not in render_page(page)


def test_a_folder_without_a_summary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no summary.json: name the folder of a run"):
        build_report(tmp_path)


def test_a_series_of_another_shape_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", summary(), ticks=10)
    pl.DataFrame({"tick": [1]}).write_parquet(run / "series.parquet")
    with pytest.raises(BadInput, match=r"series.parquet has no column arm"):
        read_run(run)


def test_time_belongs_to_the_innermost_span() -> None:
    spans = [
        charts.TraceSpan("outer", "a", 0, 100, 0),
        charts.TraceSpan("inner", "b", 10, 60, 1),
        charts.TraceSpan("later", "c", 120, 5, 1),
    ]
    assert own_time(spans) == [40, 60, 5]


def test_the_oracle_is_the_whole_way_and_the_base_rate_none() -> None:
    head = {"base_log_loss": 0.6, "latent_oracle_log_loss": 0.5}
    assert share_of_gap(head | {"log_loss": 0.5}) == pytest.approx(1)
    assert share_of_gap(head | {"log_loss": 0.6}) == pytest.approx(0)
    assert share_of_gap({"log_loss": 0.5}) is None
    assert share_of_gap(head | {"log_loss": 0.6, "gap_closed": 0.4}) == 0.4


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    low, high = wilson(0.5, 100)  # 50 of 100: 0.4038 to 0.5962
    assert low == pytest.approx(0.4038, abs=1e-4)
    assert high == pytest.approx(0.5962, abs=1e-4)
    assert wilson(0.0, 10)[0] == pytest.approx(0, abs=1e-12)
