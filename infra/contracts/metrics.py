"""What is measured about people: one definition each, read by run, report, comparison and load test."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One per-person measure of a run: its name in tables, its unit, which direction is better, and its meaning."""

    name: str
    title: str
    unit: str
    better: Literal["higher", "lower"]
    meaning: str


_DEFINITIONS = (
    Metric(
        name="focus_minutes",
        title="Focus minutes",
        unit="min a day",
        better="higher",
        meaning="Minutes in a session with the mind on the task, a day",
    ),
    Metric(
        name="lapse_rate",
        title="Lapse rate",
        unit="share",
        better="lower",
        meaning="Share of attention checks failed",
    ),
    Metric(
        name="lapses_per_hour",
        title="Lapses",
        unit="an hour",
        better="lower",
        meaning="Failed attention checks in an hour of session, at the scenario's rate of checks",
    ),
    Metric(
        name="mood",
        title="Mood",
        unit="-1 to 1",
        better="higher",
        meaning="Mean momentary feeling over session minutes, thoughts of a wandering mind included",
    ),
    Metric(
        name="stress",
        title="Stress",
        unit="0 to 1",
        better="lower",
        meaning="Mean stress over session minutes",
    ),
    Metric(name="errors", title="Errors", unit="a day", better="lower", meaning="Errors made at work, a day"),
    Metric(
        name="quiz_score",
        title="Quiz score",
        unit="0 to 1",
        better="higher",
        meaning="Mean score of answered quizzes",
    ),
    Metric(
        name="reaction_ms",
        title="Reaction time",
        unit="ms",
        better="lower",
        meaning="Mean reaction time in reaction checks",
    ),
    Metric(
        name="depression",
        title="Depression score",
        unit="0 to 27",
        better="lower",
        meaning="PHQ-like score at the end: how low the last two weeks felt",
    ),
    Metric(
        name="anxiety",
        title="Anxiety score",
        unit="0 to 21",
        better="lower",
        meaning="GAD-like score at the end: the stress of the last two weeks",
    ),
    Metric(name="answers", title="Answers", unit="a day", better="higher", meaning="Exposures acted on, a day"),
    Metric(name="offers", title="Offers", unit="a day", better="lower", meaning="Practices offered, a day"),
    Metric(
        name="practice_minutes",
        title="Practice minutes",
        unit="min a day",
        better="higher",
        meaning="Minutes of practice done, a day",
    ),
    Metric(
        name="burden",
        title="Burden",
        unit="0 to 1",
        better="lower",
        meaning="Mean burden of offers over session minutes",
    ),
    Metric(
        name="dropout",
        title="Dropout",
        unit="share",
        better="lower",
        meaning="Share of people who have given up practising by the end",
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _DEFINITIONS}
