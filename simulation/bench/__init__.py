"""How fast the population steps: `calmverse bench sim`."""

from simulation.bench.whole import SimulationBench, run_bench

__all__ = ["SimulationBench", "run_bench"]
