"""Facts, their rules, and the statistics behind them."""

import json
import math
import pkgutil
from pathlib import Path

import numpy as np
import pytest

from simulation.calibration import discover, facts, intervals
from simulation.calibration.fact import Curve, Estimate, Fact, Finding, Part, Published, Result
from simulation.calibration.facts.row07_waiting_times import _LONGEST, _SHORTEST, _most_likely
from simulation.calibration.facts.row08_bursts import gaps
from simulation.calibration.facts.row09_game_sessions import weibull
from simulation.calibration.lab import Lab
from simulation.calibration.protocols import total_days
from simulation.calibration.protocols.single import single
from simulation.calibration.scorecard import ENOUGH, Scorecard, told, write
from simulation.calibration.study import Design, Notes, Study
from simulation.scenarios import load

HELD_OUT = {7, 14, 16, 25}


def test_every_file_of_the_folder_is_a_fact_and_every_row_has_one() -> None:
    files = [module.name for module in pkgutil.iter_modules(facts.__path__)]
    assert len(discover()) == len(files) == 27
    assert [fact.row for fact in discover().values()] == list(range(1, 28))


def test_the_held_out_rows_are_these() -> None:
    assert {fact.row for fact in discover().values() if fact.held_out} == HELD_OUT


@pytest.mark.parametrize("fact", discover().values(), ids=lambda fact: fact.id)
def test_a_fact_states_source_protocol_and_rule(fact: Fact) -> None:
    assert fact.source
    assert any(letter.isdigit() for letter in fact.protocol)
    assert fact.rule
    assert fact.title[0].isupper()


@pytest.mark.parametrize(
    ("low", "high", "passes"), [(0.4, 0.46, True), (0.5, 0.6, False), (0.3, 0.44, False), (0.3, 0.9, True)]
)
def test_an_interval_passes_where_it_overlaps_the_published_one(low: float, high: float, passes: bool) -> None:
    part = Part("share", "share", Estimate((low + high) / 2, low, high), Published(0.469, 0.449, 0.489))
    assert part.passed is passes


@pytest.mark.parametrize(("low", "high", "passes"), [(0.01, 0.2, True), (-0.01, 0.2, False), (-0.2, -0.1, False)])
def test_a_direction_passes_only_with_its_whole_interval(low: float, high: float, passes: bool) -> None:
    assert Part("d", "", Estimate(0.1, low, high), Published.above(), direction=True).passed is passes


def test_what_could_not_be_measured_does_not_pass() -> None:
    nothing = Estimate(math.nan, math.nan, math.nan)
    assert not Part("d", "", nothing, Published(None, -1.0, 1.0)).passed


def test_a_fact_passes_only_with_all_its_parts() -> None:
    good = Part("a", "", Estimate(0.5, 0.4, 0.6), Published(0.5, 0.5, 0.5))
    bad = Part("b", "", Estimate(0.5, 0.4, 0.6), Published(0.9, 0.8, 1.0))
    assert Result(fact_of(good), Finding((good,))).passed
    assert not Result(fact_of(good), Finding((good, bad))).passed


def test_the_interval_of_a_share_covers_the_truth_and_is_wider_with_fewer_people() -> None:
    generator = np.random.default_rng(1)
    moments = generator.integers(10, 50, 400).astype(float)
    hits = generator.binomial(moments.astype(int), 0.3).astype(float)
    many, few = intervals.ratio(hits, moments), intervals.ratio(hits[:40], moments[:40])
    assert many.low < 0.3 < many.high
    assert few.high - few.low > 2 * (many.high - many.low)


def test_the_effect_of_a_shift_is_the_shift_in_standard_deviations() -> None:
    control = np.random.default_rng(2).normal(10.0, 2.0, 500)
    effect = intervals.effect_size(control + 0.5, control)
    assert effect.value == pytest.approx(0.25, abs=0.02)
    assert effect.low < 0.25 < effect.high


def test_the_slope_within_people_ignores_how_people_differ() -> None:
    generator = np.random.default_rng(3)
    person = np.repeat(np.arange(50), 40)
    x = generator.normal(size=2000) + 5.0 * person
    y = 0.3 * x - 2.0 * person + generator.normal(size=2000)
    assert intervals.fit(x, y, person, 50).value == pytest.approx(0.3, abs=0.05)


def test_a_risk_ratio_is_the_ratio_of_the_shares() -> None:
    place, everybody = np.arange(200), intervals.per_person(np.arange(200), 200)
    treated, control = (intervals.per_person(place, 200, place % 10 < share) for share in (4, 2))
    found = intervals.risk_ratio((treated, everybody), (control, everybody))
    assert found.value == pytest.approx(2.0)
    assert found.low < 2.0 < found.high


def test_lengths_of_a_weibull_give_its_shape_and_scale() -> None:
    lengths = 20.0 * np.random.default_rng(4).weibull(0.5, 20_000)
    counts = np.bincount(np.minimum(lengths, 600).astype(int)).astype(float)
    assert weibull(counts) == pytest.approx((0.5, 20.0), rel=0.06)


def test_a_power_law_gives_its_exponent() -> None:
    u, exponent = np.random.default_rng(5).random(50_000), 1.4
    power = 1.0 - exponent
    drawn = (_SHORTEST**power + u * (_LONGEST**power - _SHORTEST**power)) ** (1.0 / power)
    assert _most_likely(float(np.log(drawn).mean())) == pytest.approx(exponent, abs=0.03)


def test_gaps_are_between_answers_of_one_person() -> None:
    notes = Notes()
    notes.add(person=np.array([2, 1, 2]), seconds=np.array([5.0, 7.0, 30.0]))
    notes.add(person=np.array([1]), seconds=np.array([90.0]))
    person, gap, at = gaps(notes)
    assert list(zip(person.tolist(), gap.tolist(), at.tolist(), strict=True)) == [(1, 83.0, 90.0), (2, 25.0, 30.0)]


def test_a_study_changes_what_it_says_and_nothing_else() -> None:
    demo = load("demo")
    study = Study(demo, Design(people=30, days=1, changes={"enrolled": 0.0}))
    changed, before = study.scenario.parameters(), demo.parameters()
    assert changed.enrolled == 0.0
    assert {name for name in vars(before) if getattr(before, name) != getattr(changed, name)} == {"enrolled"}
    assert len(study.people) == 30


def test_a_protocol_is_carried_out_once() -> None:
    calls: list[int] = []

    def protocol(lab: Lab) -> int:
        calls.append(lab.people(100))
        return len(calls)

    lab = Lab(load("demo"), size=0.5)
    assert [lab.once(protocol), lab.once(protocol)] == [1, 1]
    assert calls == [50]


def test_the_progress_bar_knows_every_protocol() -> None:
    assert 300 < total_days() < 400


def test_one_session_is_practised_by_half_of_those_studied() -> None:
    groups = single(Lab(load("demo"), size=0.3))
    assert abs(len(groups.practised) - len(groups.rested)) <= 1
    assert len(groups.rested) > 20
    assert 3.0 < groups.rested.mean() < 9.0


def fact_of(part: Part) -> Fact:
    """A fact that always finds this part."""
    return Fact(
        id="example",
        row=1,
        title="An example holds",
        source="somebody 2001",
        protocol="10 people",
        rule="overlap",
        measure=lambda _lab: Finding((part,)),
    )


def test_a_scorecard_is_written_as_json_and_as_a_page_without_scripts(tmp_path: Path) -> None:
    good = Part("share", "share", Estimate(0.5, 0.4, 0.6), Published(0.5, 0.45, 0.55))
    sign = Part("rise", "", Estimate(-0.1, -0.2, 0.1), Published.above(), direction=True)
    curve = Curve("Example", "day", "share", {"simulated": ((0.0, 1.0), (0.2, 0.4))})
    results = (
        Result(fact_of(good), Finding((good,), curve)),
        Result(fact_of(sign), Finding((sign,), note="a note")),
    )
    card = Scorecard(load("demo"), results, 12.0)
    folder = write(card, tmp_path, "calmverse calibrate")
    document = json.loads((folder.path / "calibration.json").read_text())
    assert (document["passed"], document["total"]) == (1, 2)
    assert {"id", "simulated", "ci_low", "ci_high", "published", "pass"} <= set(document["facts"][0])
    page = (folder.path / "calibration.html").read_text()
    assert "1 of 2 published findings hold" in page
    assert "<script" not in page
    assert folder.path.name.startswith("calibration-demo-")
    assert not card.ok


def test_twenty_facts_are_enough_and_nineteen_are_not() -> None:
    good = Part("share", "", Estimate(0.5, 0.4, 0.6), Published(0.5, 0.45, 0.55))
    bad = Part("share", "", Estimate(0.1, 0.0, 0.2), Published(0.5, 0.45, 0.55))

    def card(passing: int) -> Scorecard:
        parts = [good] * passing + [bad] * (27 - passing)
        return Scorecard(load("demo"), tuple(Result(fact_of(part), Finding((part,))) for part in parts), 1.0)

    assert ENOUGH == 20
    assert card(20).ok
    assert not card(19).ok
    assert told(card(19).results[-1]).startswith("MISS")
