"""Scenarios: a population, its worlds and its time, from YAML."""

from simulation.scenarios.loader import load
from simulation.scenarios.model import Scenario
from simulation.scenarios.reading import preset_names

__all__ = ["Scenario", "load", "preset_names"]
