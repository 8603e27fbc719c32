"""Tests and questions given to people, as compiled loops over the simulation's own kernels."""

import numpy as np
from numpy.typing import NDArray

from simulation.calibration.study import Places, Study
from simulation.cognition.checks import memory_span, reaction_ms
from simulation.cognition.feelings import feeling
from simulation.cognition.mind import lapse_probability
from simulation.cognition.practice import acceptance
from simulation.cognition.reports import EMOTIONS, reported
from simulation.core.compiled import compiled
from simulation.core.draws import uniform
from simulation.core.moment import Moment
from simulation.core.rows import Rows

Floats = NDArray[np.float64]
TESTS = 900
"""Purpose of the draws of tests, above those of the simulation."""
REPORTS, BATTERY = 100_000, 200_000
"""Where the draws of reports and of batteries begin."""


def reactions(study: Study, places: Places, trials: int) -> Floats:
    """Reaction times, ms, float64 [person, trial], of people as they are now."""
    out = np.zeros((len(places), trials))
    _react(study.people, places, study.cognition, study.moment, out)
    return out


def states(study: Study, places: Places) -> tuple[Floats, Floats, Floats]:
    """Momentary feeling, probability of a lapse, and of taking up an offer, each float64 [person]."""
    out = np.zeros((len(places), 3))
    _look(study.people, places, study.cognition, study.moment, out)
    return out[:, 0], out[:, 1], out[:, 2]


def reports(study: Study, places: Places) -> Floats:
    """Reported emotions, float64 [person, emotion], each 0 to 1."""
    out = np.zeros((len(places), len(EMOTIONS)))
    _ask(study.people, places, study.cognition, study.moment, out)
    return out


def battery(study: Study, places: Places, trials: int) -> Floats:
    """Share of attention checks failed, mean reaction time in ms, mean memory span: float64 [person, 3]."""
    out = np.zeros((len(places), 3))
    _examine(study.people, places, study.cognition, study.moment, (trials, out))
    return out


@compiled
def _react(state: Rows, places: Places, cognition: Rows, now: Moment, out: Floats) -> None:
    k = cognition[0]
    for row in range(places.shape[0]):
        p = state[places[row]]
        for trial in range(out.shape[1]):
            body = uniform(now.seed, TESTS, p.number, now.tick, 2 * trial)
            tail = uniform(now.seed, TESTS, p.number, now.tick, 2 * trial + 1)
            out[row, trial] = reaction_ms(p, k, body, tail)


@compiled
def _look(state: Rows, places: Places, cognition: Rows, now: Moment, out: Floats) -> None:
    k = cognition[0]
    for row in range(places.shape[0]):
        p = state[places[row]]
        out[row, 0] = feeling(p, k)
        out[row, 1] = lapse_probability(p, k, now.tick)
        out[row, 2] = acceptance(p, k)


@compiled
def _ask(state: Rows, places: Places, cognition: Rows, now: Moment, out: Floats) -> None:
    k = cognition[0]
    for row in range(places.shape[0]):
        p = state[places[row]]
        for emotion in range(out.shape[1]):
            u = uniform(now.seed, TESTS, p.number, now.tick, REPORTS + emotion)
            out[row, emotion] = reported(p, k, emotion, u)


@compiled
def _examine(state: Rows, places: Places, cognition: Rows, now: Moment, sheet: tuple[int, Floats]) -> None:
    k = cognition[0]
    trials, out = sheet
    for row in range(places.shape[0]):
        p = state[places[row]]
        failing = lapse_probability(p, k, now.tick)
        for trial in range(trials):
            first = BATTERY + 4 * trial
            out[row, 0] += 1.0 if uniform(now.seed, TESTS, p.number, now.tick, first) < failing else 0.0
            body = uniform(now.seed, TESTS, p.number, now.tick, first + 1)
            tail = uniform(now.seed, TESTS, p.number, now.tick, first + 2)
            out[row, 1] += reaction_ms(p, k, body, tail)
            out[row, 2] += memory_span(p, k, uniform(now.seed, TESTS, p.number, now.tick, first + 3))
        for column in range(3):
            out[row, column] /= trials
