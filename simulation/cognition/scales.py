"""Symptom scales: what a person would answer about the last two weeks."""

from simulation.cognition.rhythm import clamp
from simulation.core.compiled import kernel
from simulation.core.person import Person

DEPRESSION_ITEMS, ANXIETY_ITEMS = 9, 7
"""Items of a PHQ-like and a GAD-like scale (Kroenke 2001; Spitzer 2006), each 0 to 3."""


# Severity is linear in what was felt. Intercepts and slopes chosen for means and spreads of a community sample that
# joins a trial: some 6 (5) of 27 and 5 (4) of 21 points.
DEPRESSION_BASE, DEPRESSION_SLOPE = 0.36, 0.85
ANXIETY_BASE, ANXIETY_SLOPE, ANXIETY_GLOOM = -0.13, 1.7, 0.4


@kernel
def depression_severity(p: Person) -> float:
    """Severity of depressive symptoms, 0 to 1: how low the feeling of the last two weeks was."""
    return clamp(DEPRESSION_BASE + DEPRESSION_SLOPE * p.gloom, 0.0, 1.0)


@kernel
def anxiety_severity(p: Person) -> float:
    """Severity of anxiety symptoms, 0 to 1: the stress of the last two weeks, and the feeling a little."""
    return clamp(ANXIETY_BASE + ANXIETY_SLOPE * p.worry + ANXIETY_GLOOM * p.gloom, 0.0, 1.0)
