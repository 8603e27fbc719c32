"""Scenarios: a population, its worlds and its time, from YAML."""

from simulation.scenarios.loader import load, preset_names
from simulation.scenarios.model import Scenario

__all__ = ["Scenario", "load", "preset_names"]
