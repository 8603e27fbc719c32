"""The population, its clock and its output: a Mesa model over arrays."""
