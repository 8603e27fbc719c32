"""The page of a comparison names the better policy only where the interval does."""

from pathlib import Path
from typing import Any

import pytest

from infra.pages import Outcome, render_page
from services.experiments.compare_page import build_compare_page, compare_page
from services.experiments.pages_comparison import Contrast
from tests.unit.services.experiments.run_folder import comparison


def with_differences(rows: dict[str, tuple[float, float, float]], better: str = "higher") -> dict[str, Any]:
    result = comparison()
    result["metrics"]["focus_minutes"]["better"] = better
    result["differences"] = [
        {
            "policy": policy,
            "baseline": "never",
            "metric": "focus_minutes",
            **dict(zip(("difference", "ci_low", "ci_high"), row, strict=True)),
        }
        for policy, row in rows.items()
    ]
    return result


def test_the_verdict_names_the_better_policy_and_of_which_it_cannot_be_said(tmp_path: Path) -> None:
    html = build_compare_page(comparison(), tmp_path / "compare.html").read_text(encoding="utf-8")
    sentence = "Threshold is better than never on focus minutes by 3.2 [1.9, 4.5] min a day over 4 seeds"
    assert f"{sentence}; of random this cannot be said." in html
    assert "36 of 36 values" in html


def test_no_policy_is_named_where_every_interval_has_zero_in_it() -> None:
    page = compare_page(with_differences({"random": (1.0, -0.4, 2.4), "threshold": (2.0, -0.1, 4.1)}))
    assert page.verdict.outcome is Outcome.UNKNOWN
    assert "the nearest to it, threshold, is at 2.0 [−0.1, 4.1]" in page.verdict.sentence


def test_policies_that_are_all_worse_are_bad_news() -> None:
    page = compare_page(with_differences({"random": (-1.0, -1.4, -0.4), "threshold": (-2.0, -3.0, -1.0)}))
    assert page.verdict.outcome is Outcome.BAD
    assert "the least bad, random" in page.verdict.sentence


def test_lower_is_better_where_the_measure_says_so() -> None:
    page = compare_page(with_differences({"random": (-1.0, -1.4, -0.4)}, better="lower"))
    assert page.verdict.outcome is Outcome.OK


@pytest.mark.parametrize("ends", [(float("nan"), float("nan")), (-1.0, 1.0), (0.0, 1.0)])
def test_a_difference_without_a_clear_interval_stays_open(ends: tuple[float, float]) -> None:
    assert Contrast("a", "never", "m", 0.5, *ends, "higher").outcome is Outcome.UNKNOWN


def test_each_seed_is_a_ring_and_the_caption_counts_them() -> None:
    page = compare_page(comparison())
    chart = page.sections[0].body[0]
    assert "it is ahead on 4 of 4 seeds (rings)" in getattr(chart, "caption", "")


def test_a_measure_nobody_was_measured_on_is_left_out_and_named() -> None:
    result = comparison()
    for row in result["values"]:
        if row["metric"] == "lapse_rate":
            row["value"] = float("nan")
    page = compare_page(result)
    assert [section.title for section in page.sections] == ["Focus minutes", "Offers"]
    assert page.health[0].ok
    assert "nobody was measured on lapse rate" in page.health[0].text


def test_a_missing_run_fails_the_check_of_pairs() -> None:
    result = comparison()
    del result["values"][0]
    assert compare_page(result).health[0].ok is False


def test_with_one_seed_people_are_paired() -> None:
    page = compare_page(comparison() | {"seeds": [1]})
    assert page.table is not None
    assert "paired by person" in page.table.caption


def test_a_comparison_that_was_stopped_has_a_page_that_says_so() -> None:
    empty = comparison() | {"partial": True, "values": [], "differences": []}
    html = render_page(compare_page(empty))
    assert "This comparison is partial" in html
    assert "No policy was compared on focus minutes." in html
