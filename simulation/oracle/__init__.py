"""The observable oracle: the best that anybody who sees events and checks only could predict, and what would have been.

`record_run` or `record_scenario` give a recording, `consult` filters it, `verdicts` says how good that is.
"""

from simulation.oracle.config import OracleConfig
from simulation.oracle.recording import record_run, record_scenario
from simulation.oracle.run import consult, improvement, predictions_table, verdicts

__all__ = [
    "OracleConfig",
    "consult",
    "improvement",
    "predictions_table",
    "record_run",
    "record_scenario",
    "verdicts",
]
