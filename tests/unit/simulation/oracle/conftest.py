"""One small recording for the tests of the oracle, filtered once."""

from dataclasses import dataclass

import pytest

from simulation.oracle import OracleConfig, consult, record_scenario
from simulation.oracle.recording import Recording
from simulation.oracle.run import Oracle
from simulation.scenarios import load
from simulation.scenarios.model import Scenario

CONFIG = OracleConfig(people=24, particles=150, threads=1)


def unseen(count: int) -> None:
    """Progress that nobody looks at."""
    del count


@dataclass(frozen=True)
class Consulted:
    """A recording and what the oracle made of it."""

    scenario: Scenario
    recording: Recording
    oracle: Oracle


@pytest.fixture(scope="session")
def consulted() -> Consulted:
    """24 of 48 people of the demo over 16 hours."""
    scenario = load("demo", {"people": "48", "warmup_days": "0", "days": "0.7"})
    recording = record_scenario(scenario, CONFIG, unseen)
    return Consulted(scenario, recording, consult(recording, CONFIG, unseen))
